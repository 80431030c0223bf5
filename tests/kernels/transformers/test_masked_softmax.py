"""Oracle: torch's softmax of the scores, masked in each way."""

import pytest

torch = pytest.importorskip("torch")

from kernels.library.transformers.masked_softmax import masked_softmax


@pytest.mark.oracle("masked_softmax", "torch.softmax of masked scores")
@pytest.mark.parametrize(("scores", "pads"), [((1, 2, 3), 1), ((1, 2, 3), 30), ((0.5, -1, 0.2), 7)])
def test_torch_agrees(scores, pads):
    found = masked_softmax(first=scores[0], second=scores[1], pad=scores[2], pads=pads)
    row = torch.tensor([*scores[:2], *[scores[2]] * pads], dtype=torch.float64)
    mask = torch.tensor([1.0, 1.0, *[0.0] * pads], dtype=torch.float64)
    ways = {"none": row, "multiplied": row * mask, "additive": row.masked_fill(mask == 0, -torch.inf)}
    for way, masked in ways.items():
        weights = masked.softmax(-1)
        assert found[f"{way}_first"] == pytest.approx(weights[0].item())
        assert found[f"{way}_second"] == pytest.approx(weights[1].item())
        assert found[f"{way}_pads"] == pytest.approx(weights[2:].sum().item())
    assert found["afterwards_sum"] == pytest.approx((row.softmax(-1) * mask).sum().item())
