import pytest

from kernels import plot
from kernels.library.agents.step_budget import step_budget


def ended(needed, p, limit):
    """Good calls counted over every call, one state a number of good ones."""
    chances = [1.0] + [0.0] * needed
    for _ in range(limit):
        fresh = [0.0] * (needed + 1)
        for have, chance in enumerate(chances):
            if have == needed:
                fresh[needed] += chance
            else:
                fresh[have + 1] += chance * p
                fresh[have] += chance * (1 - p)
        chances = fresh
    return chances[needed]


@pytest.mark.oracle("step_budget", "the chain of good calls so far, moved call by call")
@pytest.mark.parametrize(("needed", "p", "limit"), [(10, 0.8, 18), (3, 0.5, 5), (1, 0.9, 1), (20, 0.95, 22), (5, 0.3, 40)])
def test_call_by_call(needed, p, limit):
    got = step_budget(needed=needed, p=p, limit=limit, stuck=0.1)
    assert got["completed"] == pytest.approx(ended(needed, p, limit))
    mean = sum(1 - ended(needed, p, n) for n in range(limit))  # calls that are made, under the limit
    assert got["calls"] == pytest.approx(0.9 * mean + 0.1 * limit)
    assert got["stuck_share_of_calls"] * got["calls"] == pytest.approx(0.1 * limit)
    assert got["cut_off"] == pytest.approx(1 - ended(needed, p, limit))
    least = int(got["limit_for_share"])
    assert ended(needed, p, least) >= 0.99 > ended(needed, p, least - 1)
    assert got["mean"] == pytest.approx(needed / p)


def test_calls_that_never_fail():
    got = step_budget(p=1.0, limit=10, stuck=0.0)
    assert got["limit_for_share"] == 10 and got["completed"] == 1 and got["calls"] == 10


def test_the_curve_and_the_figure():
    got = step_budget()
    assert got["sweep"].values("ended")[8] == pytest.approx(got["completed"])
    assert got["sweep"].values("ended")[-1] == pytest.approx(ended(10, 0.8, 20))
    easy = step_budget(needed=4, p=0.99, limit=4)["sweep"]
    assert easy.values("ended")[-1] == pytest.approx(ended(4, 0.99, 8)) and easy.x[-1] == 8
    assert "limit on calls" in plot.draw(step_budget, got).alt
