"""The backlog behind a cold start against a queue that is played second by second."""

import pytest

from kernels import KernelError, plot
from kernels.library.serving.scale_out_backlog import scale_out_backlog


@pytest.mark.oracle("scale_out_backlog", "a queue played in steps of a hundredth of a second")
@pytest.mark.parametrize("given", [{}, {"rate": 11.0, "added": 1}, {"rate": 7.5, "replicas": 1, "added": 1, "start": 0.0}])
def test_played_step_by_step(given):
    got = scale_out_backlog(**given)
    p = got.parameters
    queue, most, time, tick, refused = 0.0, 0.0, 0.0, 0.01, 0.0
    ready = p["weights"] / p["link"] + p["start"]
    while time < ready or queue > 0:
        serving = p["replicas"] + (p["added"] if time >= ready else 0)
        queue = max(0.0, queue + (p["rate"] - serving * p["each"]) * tick)
        refused += max(0.0, p["rate"] - serving * p["each"]) * tick
        most, time = max(most, queue), time + tick
    assert got["backlog"] == pytest.approx(most, rel=1e-3) and got["over"] == pytest.approx(time, rel=1e-3)
    assert got["turned_away"] == pytest.approx(refused / (p["rate"] * ready), rel=1e-3)
    assert got["wait"] == pytest.approx(most / ((p["replicas"] + p["added"]) * p["each"]), rel=1e-3)


@pytest.mark.parametrize(("given", "why"), [({"rate": 10.0}, "no queue"), ({"rate": 20.0}, "work off")])
def test_no_queue_and_no_end_are_refused(given, why):
    with pytest.raises(KernelError, match=why):
        scale_out_backlog(**given)


def test_the_figure():
    assert "new replicas" in plot.draw(scale_out_backlog, scale_out_backlog()).alt
