import math

import numpy
import pytest

from kernels import plot
from kernels.library.agents.parallel_tools import parallel_tools


@pytest.mark.oracle("parallel_tools", "numpy's log-normal times, drawn, and the largest of each turn")
@pytest.mark.parametrize(("calls", "median", "p95"), [(1, 1.0, 3.0), (5, 0.2, 0.5), (10, 1.0, 3.0), (30, 2.0, 2.5)])
def test_times_drawn(calls, median, p95):
    sigma = math.log(p95 / median) / 1.6448536
    times = numpy.random.default_rng(5).lognormal(math.log(median), sigma, (60_000, calls))
    got = parallel_tools(calls=calls, median=median, p95=p95)
    assert got["slowest"] == pytest.approx(times.max(axis=1).mean(), rel=0.02)
    assert got["slowest_median"] == pytest.approx(numpy.median(times.max(axis=1)), rel=0.02)
    assert got["over_one"] * got["mean"] == pytest.approx(got["slowest"])
    assert got["sequential"] == pytest.approx(times.sum(axis=1).mean(), rel=0.02)


def test_calls_all_alike():
    got = parallel_tools(calls=8, median=2.0, p95=2.0)
    assert got["slowest"] == pytest.approx(2.0, rel=1e-6) and got["speedup"] == pytest.approx(8, rel=1e-6)


def test_the_curve_and_the_figure():
    got = parallel_tools()
    assert got["sweep"].values("speed-up")[9] == pytest.approx(got["speedup"])
    assert "tool calls in the turn" in plot.draw(parallel_tools, got).alt
