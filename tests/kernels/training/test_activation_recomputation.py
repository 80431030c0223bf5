"""Oracles: Korthikanti et al. 2022, whose 34 bytes the trace must find to the byte, and FLOP by hand; real CPU tensors."""

import pytest

torch = pytest.importorskip("torch")

from kernels import KernelError, plot, tracing
from kernels.library.models._transformer import transformer
from kernels.library.training.activation_memory import activation_memory
from kernels.library.training.activation_recomputation import activation_recomputation

H, L, S, B = 256, 6, 128, 2


@pytest.fixture(scope="module")
def found():
    return activation_recomputation(width=H, layers=L, tokens=S, batch=B)


def test_the_papers_bytes_are_kept(found):
    """And beside them what it leaves out: mean and deviation of two norms in fp32, and the state of attention's random numbers."""
    paper = activation_memory(width=H, heads=H // 64, layers=L, tokens=S, batch=B)
    assert found["plain_kept"] == paper["flash"] + L * (2 * 2 * 4 * S * B + 24)
    assert found["checkpointed_kept"] == L * paper["checkpointed_layer"]
    assert found["checkpointed_activations"] < 1.05 * paper["checkpointed"]


def test_the_flop_by_hand(found):
    step, forward, attention = 72 * S * B * H**2 * L, 24 * S * B * H**2 * L, S**2 * B * H * L
    assert found["plain_flop"] == step + 14 * attention
    assert found["checkpointed_flop"] == step + forward + 18 * attention and found["recomputed"] == 1
    assert found["slowdown_causal"] == (step + forward + 9 * attention) / (step + 7 * attention)


def test_without_dropout_the_last_product_is_not_computed_again():
    got = activation_recomputation(width=H, layers=L, tokens=S, batch=B, dropout=False)
    last = 8 * S * B * H**2
    assert got["checkpointed_flop"] == got["plain_flop"] + L * (24 * S * B * H**2 - last + 4 * S**2 * B * H)
    together = activation_recomputation(width=H, layers=L, tokens=S, batch=B, dropout=False, segment=3)
    assert together["checkpointed_flop"] - got["checkpointed_flop"] == (L - L // 3) * last  # one is left out a segment


@pytest.mark.parametrize(("dropout", "skipped"), [(0.1, 0), (0.0, 1)])
def test_so_it_is_on_real_tensors(dropout, skipped):
    model, x, calls = transformer(64, 3, dropout=dropout, dtype=torch.float32, device="cpu"), torch.randn(1, 16, 64), []
    for block in model.blocks:
        block.down.register_forward_hook(lambda *_: calls.append(1))
    model(x, 1).backward(torch.ones_like(x))
    assert len(calls) == 3 * (2 - skipped)


def test_a_longer_segment_keeps_fewer_inputs(found):
    got = activation_recomputation(width=H, layers=L, tokens=S, batch=B, segment=3)
    assert got["checkpointed_kept"] == found["checkpointed_kept"] / 3 and got["checkpointed"] > found["checkpointed"]


def test_shapes_that_do_not_divide_are_refused():
    with pytest.raises(KernelError, match="segment 4"):
        activation_recomputation(width=128, layers=6, segment=4)


def test_the_figure(found):
    assert "everything kept" in plot.draw(activation_recomputation, found).alt
    assert max(found["timeline"].values("plain")) == found["plain"]
    assert tracing.flash_workspace(B, H // 64, H // 64, S, 64) == found["workspace"]
