import pytest

from kernels import plot
from kernels.library.agents.rollout_capacity import rollout_capacity


@pytest.mark.oracle("rollout_capacity", "episodes laid on machines, one after another, second by second")
def test_episodes_laid_on_machines():
    """24 episodes of 10 + 5 * (1 + 3) = 30 s each in 60 s: two a machine, so twelve."""
    machines, done = 0, 0
    while done < 24:
        machines += 1
        now = 0
        while now + 30 <= 60 and done < 24:
            for _ in range(10 + 5 * 4):
                now += 1
            done += 1
    got = rollout_capacity(tasks=6, group=4, steps=5, model=1.0, environment=3.0, reset=10.0, period=60.0)
    assert got["machines"] == machines == 12 and got["episode"] == 30 and got["rollouts"] == 24
    assert got["per_hour"] == 120 and got["model_share"] == pytest.approx(5 / 30) and got["in_generation"] == pytest.approx(12 * 5 / 30)
    assert got["model_share"] + got["environment_share"] + got["reset_share"] == pytest.approx(1)


def test_amdahl():
    got = rollout_capacity(steps=30, model=1.0, environment=3.0, reset=30.0)
    assert got["instant_model"] == pytest.approx(150 / 120) and got["twice_the_model"] == pytest.approx(150 / 135)


def test_the_figure():
    assert "twice as fast" in plot.draw(rollout_capacity, rollout_capacity()).alt
