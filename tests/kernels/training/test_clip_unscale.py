"""Oracle: torch's own clip_grad_norm_."""

import pytest

torch = pytest.importorskip("torch")

from kernels.library.training.clip_unscale import clip_unscale


@pytest.mark.oracle("clip_unscale", "torch.nn.utils.clip_grad_norm_")
@pytest.mark.parametrize(("norm", "clip", "scale"), [(0.5, 1.0, 65536.0), (3.0, 1.0, 1024.0), (1e-6, 1.0, 1024.0)])
def test_against_torch(norm, clip, scale):
    seen = []
    for before in (False, True):
        weight = torch.zeros(2, dtype=torch.float64, requires_grad=True)
        weight.grad = torch.tensor([0.6, 0.8], dtype=torch.float64) * norm * scale
        if before:
            torch.nn.utils.clip_grad_norm_([weight], clip)
        weight.grad /= scale
        if not before:
            torch.nn.utils.clip_grad_norm_([weight], clip)
        seen.append(weight.grad.norm().item())
    got = clip_unscale(norm=norm, clip=clip, scale=scale)
    assert [got["right"], got["early"]] == pytest.approx(seen, rel=1e-5)  # torch adds 1e-6 to the norm that it divides by


def test_by_hand():
    got = clip_unscale()  # 0.5 is below the clip; scaled it is 32,768 times above
    assert [got["right"], got["early"], got["shrunk"], got["scaled"]] == [0.5, 2**-16, 2**15, 2**15]
