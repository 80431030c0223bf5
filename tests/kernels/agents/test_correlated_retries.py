import numpy
import pytest

from kernels import KernelError, plot
from kernels.library.agents.correlated_retries import correlated_retries


@pytest.mark.oracle("correlated_retries", "numpy: steps with a difficulty drawn from a Beta distribution, each tried out")
@pytest.mark.parametrize(("again", "retries"), [(0.3, 1), (0.5, 2), (0.7, 4)])
def test_difficulties_drawn(again, retries):
    p = 0.9
    rho = (again - (1 - p)) / p
    weight = 1 / rho - 1
    numbers = numpy.random.default_rng(3)
    fails = numbers.beta((1 - p) * weight, p * weight, 400_000)
    tries = numbers.random((retries + 1, 400_000)) < fails
    got = correlated_retries(p=p, again=again, retries=retries, steps=1)
    assert got["step_failure"] == pytest.approx(tries.all(axis=0).mean(), rel=0.03)
    assert got["correlation"] == pytest.approx(numpy.corrcoef(tries[0], tries[1])[0, 1], abs=0.01)


def test_one_retry_needs_no_law():
    assert correlated_retries()["step_failure"] == pytest.approx(0.05 * 0.5)
    got = correlated_retries(retries=2)
    assert correlated_retries()["success"] == pytest.approx(0.975**10)
    assert got["independent_failure"] == pytest.approx(0.05**3) and got["independent"] == pytest.approx((1 - 0.05**3) ** 10)


def test_the_ends():
    alike = correlated_retries(p=0.9, again=0.1, retries=3)
    assert alike["step_failure"] == pytest.approx(1e-4) and alike["success"] == pytest.approx(alike["independent"])
    stuck = correlated_retries(p=0.9, again=1.0, retries=3)
    assert stuck["step_failure"] == pytest.approx(0.1) and stuck["success"] == pytest.approx(stuck["without"])
    with pytest.raises(KernelError, match="at least that"):
        correlated_retries(p=0.5, again=0.2)


def test_the_curve_and_the_figure():
    got = correlated_retries()
    assert got["sweep"].values("one retry")[25] == pytest.approx(got["success"])
    assert "chance that a retry fails too" in plot.draw(correlated_retries, got).alt
