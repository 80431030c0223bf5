import pytest

from kernels import plot
from kernels.library.agents.reward_checker import reward_checker


@pytest.mark.oracle("reward_checker", "ten thousand rollouts, counted by kind")
def test_ten_thousand_rollouts():
    """500 do the task, 450 of them accepted; of the other 9,500 the checker takes 285."""
    got = reward_checker(p=0.05, accepted_wrong=0.03, accepted_right=0.9)
    assert got["rewarded"] == pytest.approx((450 + 285) / 10_000)
    assert got["undeserved"] == pytest.approx(285 / (450 + 285)) and got["missed"] == pytest.approx(50 / 10_000)


def test_what_may_leak():
    allowed = reward_checker(p=0.2, accepted_right=0.8, undeserved_limit=0.1)["allowed"]
    assert reward_checker(p=0.2, accepted_right=0.8, accepted_wrong=allowed)["undeserved"] == pytest.approx(0.1)
    assert reward_checker(accepted_wrong=0.0)["undeserved"] == 0


def test_the_curve_and_the_figure():
    got = reward_checker()
    assert got["sweep"].values("undeserved")[3] == pytest.approx(got["undeserved"])
    assert "rollouts that do the task" in plot.draw(reward_checker, got).alt
