"""A request's latency against its spans played out as tasks that wait for one another."""

import pytest

from kernels import plot
from kernels.library.system_design.request_path import request_path


def finished(p):
    """When the last task is done, each starting as soon as those before it are."""
    done = {"network": p["network"]}
    done["a"], done["b"] = done["network"] + p["retrieval"], done["network"] + p["other"]
    clock, left = max(done["a"], done["b"]), p["calls"]
    while left > 0:
        clock, left = clock + p["each"], left - p["width"]
    for name in ("codec", "queue"):
        clock += p[name]
    return clock + p["ranking"] / p["faster"]


@pytest.mark.oracle("request_path", "tasks that wait for one another, played out")
@pytest.mark.parametrize("given", [{}, {"faster": 2.0}, {"width": 28}, {"width": 10}, {"retrieval": 0.02}, {"calls": 0, "ranking": 0.0}])
def test_tasks_played_out(given):
    got = request_path(**given)
    assert got["total"] == pytest.approx(finished(got.parameters))
    assert got["floor"] == pytest.approx(finished({**got.parameters, "ranking": 0.0}))
    assert got["before"] == pytest.approx(finished({**got.parameters, "width": 1, "faster": 1.0}))


def test_four_hundred_milliseconds_of_which_ranking_is_a_fifth():
    got = request_path()
    assert got["total"] == pytest.approx(0.4) and got["ranking_share"] == pytest.approx(0.2) and got["floor"] == pytest.approx(0.32)


def test_the_figure():
    assert "ranking 80" in plot.draw(request_path, request_path()).alt
