import pytest

from kernels import KernelError, plot
from kernels.library.inference.mla_rotation import mla_rotation


@pytest.mark.oracle("mla_rotation", "random queries and latents in torch")
@pytest.mark.parametrize("tokens", [16, 256, 2048])
def test_random_queries_and_latents_correlate_like_that(tokens):
    torch = pytest.importorskip("torch")
    from kernels.library.inference.mla_absorb import Layer
    from kernels.library.inference.mla_equality import scores

    found = []
    for seed in range(12):
        torch.manual_seed(seed)
        layer = Layer(tokens, 1, 16, 128, 512, 64, "fp64", "cpu")
        turned, folded = scores(layer, 512)
        found.append((folded * turned).sum().item() / (folded.square().sum() * turned.square().sum()).sqrt().item())
    assert mla_rotation(tokens=tokens)["correlation"] == pytest.approx(sum(found) / len(found), abs=0.03)


def test_the_sum_of_cosines_one_by_one():
    import math

    each = [math.cos(t * 10000 ** (-2 * i / 8)) for t in range(1, 11) for i in range(4)]
    assert mla_rotation(tokens=10, head_dim=8)["correlation"] == pytest.approx(sum(each) / len(each))


def test_a_width_that_is_no_pair_is_refused():
    with pytest.raises(KernelError, match="even"):
        mla_rotation(head_dim=5)


def test_the_figure():
    assert "correlation" in plot.draw(mla_rotation, mla_rotation()).alt
