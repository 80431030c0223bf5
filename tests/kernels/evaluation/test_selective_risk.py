"""Oracles: a Monte Carlo count, and the least cost over all thresholds."""

import pytest

from kernels import plot
from kernels.library.evaluation.selective_risk import answered, selective_risk


@pytest.mark.oracle("selective_risk", "answers to drawn questions, counted")
@pytest.mark.parametrize("scale", [1.0, 3.0])
def test_counted_in_torch(scale):
    torch = pytest.importorskip("torch")
    random = torch.Generator().manual_seed(2)
    x = torch.randn(400_000, generator=random) + 1.0  # the positive class; the other is its mirror image
    given = torch.sigmoid(scale * 2 * x.abs()) > 0.9
    result = selective_risk(scale=scale)
    assert result["coverage"] == pytest.approx(given.float().mean().item(), abs=3e-3)
    assert result["risk"] == pytest.approx((x < 0)[given].float().mean().item(), abs=2e-3)
    assert result["risk_all"] == pytest.approx((x < 0).float().mean().item(), abs=2e-3)


def test_calibrated_confidence_is_the_cheapest_place_to_stop():
    costs = [wrong + 0.1 * (1 - share) for share, wrong in (answered(k / 100, 2.0) for k in range(400))]
    result = selective_risk(scale=3.0)
    assert result["cost_calibrated"] == pytest.approx(min(costs), rel=1e-3)
    assert result["cost_calibrated"] < result["cost"]


def test_the_curve_rises_to_the_whole_and_is_drawn():
    result = selective_risk(scale=3.0)
    curve = result["sweep"]
    assert curve.x[-1] == pytest.approx(1) and curve.values("risk")[-1] == pytest.approx(result["risk_all"])
    assert list(curve.values("risk")) == sorted(curve.values("risk"))
    assert "%" in plot.draw(selective_risk, result).alt
