import math

import pytest

from kernels import plot
from kernels.library.rag.distractor_weight import distractor_weight


@pytest.mark.oracle("distractor_weight", "torch's softmax over the scores themselves")
@pytest.mark.parametrize("lead, others", [(5.0, 1000), (8.0, 100_000), (0.0, 9), (-3.0, 20)])
def test_torch_softmax(lead, others):
    import torch

    scores = torch.zeros(others + 1, dtype=torch.float64)
    scores[0] = lead
    assert distractor_weight(lead=lead, others=others)["weight"] == pytest.approx(float(scores.softmax(0)[0]))


def test_half():
    half = distractor_weight(others=1000)["lead_for_half"]
    assert distractor_weight(lead=half, others=1000)["weight"] == pytest.approx(0.5)
    assert distractor_weight(lead=5.0)["others_at_half"] == pytest.approx(math.e**5)
    assert "lead" in plot.draw(distractor_weight, distractor_weight()).alt
