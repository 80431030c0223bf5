"""Oracles: a Monte Carlo count, and the least cost over all thresholds."""

import pytest

from kernels.library.evaluation.decision_cost import decision_cost, logit, rates


@pytest.mark.oracle("decision_cost", "decisions on drawn examples, counted")
@pytest.mark.parametrize("case", [{}, {"separation": 2.4, "scale": 3.0}, {"prior": 0.4, "ratio": 0.5}])
def test_counted_in_torch(case):
    torch = pytest.importorskip("torch")
    result = decision_cost(**case)
    d, scale, prior, ratio = (case.get(k, v) for k, v in (("separation", 2.0), ("scale", 1.0), ("prior", 0.1), ("ratio", 50.0)))
    random = torch.Generator().manual_seed(1)
    y = torch.rand(400_000, generator=random) < prior
    x = torch.randn(len(y), generator=random) + d * (y.float() - 0.5)
    stated = torch.sigmoid(scale * (d * x + logit(prior)))
    flag = stated > 1 / (1 + ratio)
    assert result["accuracy"] == pytest.approx(((stated > 0.5) == y).float().mean().item(), abs=2e-3)
    assert result["cost"] == pytest.approx((ratio * (y & ~flag) + (~y & flag).float()).mean().item(), rel=0.03)
    assert result["missed"] == pytest.approx((~flag)[y].float().mean().item(), abs=6e-3)


def test_no_threshold_is_cheaper_than_that_of_the_costs():
    costs = []
    for k in range(-80, 81):
        missed, alarms = rates(k / 10, 2.0, 0.1)
        costs.append(50 * 0.1 * missed + 0.9 * alarms)
    assert decision_cost()["cost"] <= min(costs) * (1 + 1e-9)
    assert decision_cost()["cost"] == pytest.approx(min(costs), rel=1e-3)
