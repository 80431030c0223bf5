import pytest

torch = pytest.importorskip("torch")

from kernels import plot
from kernels.library.training.adam_first_step import adam_first_step
from kernels.library.training.adam_resume import adam_resume, recovery


@pytest.fixture(scope="module")
def small():
    return adam_resume(sharpness=0.01, beta2=0.999, steps=1000, d=1000)


def test_first_updates_are_those_of_the_closed_form(small):
    assert small["first_fresh"] == pytest.approx(1) and small["first_schedule"] == pytest.approx(10)
    assert small["first_zeroed"] == pytest.approx(adam_first_step(step=1000)["first"])
    assert small["first_warmed"] == pytest.approx(1 / 200)


def test_a_run_of_nearly_pure_noise_moves_as_its_averages_say(small):
    assert small["running"] == pytest.approx(adam_first_step()["running"], rel=0.03)


def test_the_whole_state_continues_bit_for_bit(small):
    assert small["restored_difference"] == 0 and small["loss_restored"] == 1


def test_other_seeds_say_the_same():
    for seed in (1, 2):
        found = adam_resume(steps=600, seed=seed)
        assert 1.2 < found["loss_fresh"] < 2 and found["loss_schedule"] > 10 and found["loss_warmed"] < 1.1


@pytest.mark.parametrize("seed", [0, 1])
def test_one_curvature_by_a_loop_of_its_own(seed):
    """AdamW without torch, other noise: where every direction is as sharp, the loss rises further."""
    found = adam_resume(flattest=1.0, seed=seed)["loss_fresh"]
    assert found == pytest.approx(by_hand(500, seed), rel=0.25) and found > 1.5 * adam_resume(seed=seed)["loss_fresh"]


def by_hand(d: int, seed: int, b1: float = 0.9, b2: float = 0.95) -> float:
    random = torch.Generator().manual_seed(seed + 100)

    def normal():
        return torch.randn(d, generator=random, dtype=torch.float64)

    def step(x, m, v, t, noise):
        g = x + noise
        m, v = b1 * m + (1 - b1) * g, b2 * v + (1 - b2) * g * g
        return x - m / (1 - b1**t) / (v / (1 - b2**t)).sqrt(), m, v

    state = (normal() / 2**0.5, torch.zeros(d), torch.zeros(d))
    for t in range(1, 1001):
        state = step(*state, t, normal())
    kept, fresh, most = state, (state[0], torch.zeros(d), torch.zeros(d)), 0.0
    for t in range(1, 301):
        noise = normal()
        kept, fresh = step(*kept, 1000 + t, noise), step(*fresh, t, noise)
        most = max(most, (fresh[0].square().sum() / kept[0].square().sum()).item())
    return most


def test_recovery():
    assert recovery([1.2, 1.0, 1.06, 1.01]) == 3 and recovery([1.0]) == 0


def test_the_figure(small):
    assert "fresh" in plot.draw(adam_resume, small).alt
