import itertools
import statistics

import pytest

from kernels import plot
from kernels.library.agents.group_signal import group_signal


@pytest.mark.oracle("group_signal", "every group of rewards, listed with its chance")
@pytest.mark.parametrize(("p", "group"), [(0.05, 8), (0.5, 2), (0.3, 5), (0.9, 6)])
def test_every_group(p, group):
    none = inside = 0.0
    for rewards in itertools.product((0, 1), repeat=group):
        chance = p ** sum(rewards) * (1 - p) ** (group - sum(rewards))
        none += chance * (len(set(rewards)) == 1)
        inside += chance * statistics.pvariance(rewards)
    got = group_signal(p=p, group=group)
    assert got["no_signal"] == pytest.approx(none) and got["group_variance"] == pytest.approx(inside)
    assert got["variance"] == pytest.approx(p * (1 - p)) and got["rollouts_per_signal"] == pytest.approx(group / (1 - none))


def test_the_advantage_of_a_lone_success():
    rewards = [1.0] + [0.0] * 7
    mean, sd = statistics.mean(rewards), statistics.pstdev(rewards)
    got = group_signal(group=8)
    assert got["lone_success"] == pytest.approx((1 - mean) / sd) and got["lone_failure"] == pytest.approx(-mean / sd)


def test_the_size_that_it_takes():
    got = group_signal(p=0.01, share=0.9)
    assert got["group_for"] == 230 and 1 - 0.99**229 < 0.9 < 1 - 0.99**230


def test_the_curve_and_the_figure():
    got = group_signal(p=0.5, group=8)
    assert got["sweep"].values("G = 8")[25] == pytest.approx(got["signal"]) and got["sweep"].values("G = 2")[25] == pytest.approx(0.5)
    assert "a rollout's success p" in plot.draw(group_signal, got).alt
