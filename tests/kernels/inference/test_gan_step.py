"""Oracles: what detach and frozen parameters must give, and batch norm's running mean in closed form."""

import pytest

pytest.importorskip("torch")

from kernels.library.inference.gan_step import eval_shift, gan_step


@pytest.fixture(scope="module", params=[0, 1])
def result(request):
    return gan_step(seed=request.param)


def test_detach_keeps_the_generator_out_and_changes_nothing_for_the_judge(result):
    assert result["d_step_g_gradient"] == 0 and result["d_step_g_gradient_attached"] > 0.1
    assert result["d_difference"] < 1e-12


def test_the_generators_step_needs_a_graph_through_the_judge(result):
    assert result["g_step_refused"] == 1 and result["eval_has_graph"] == 1
    assert result["g_difference_frozen"] < 1e-12 and result["left_in_d"] > 0.05


@pytest.mark.parametrize("passes", [1, 10, 40])
def test_running_statistics_lag_as_the_moving_average_does(passes):
    rest = 0.9**passes  # running mean (1 - rest) 1, running variance rest + (1 - rest) 4, up to the batches' noise
    scale = (rest + (1 - rest) * 4) ** 0.5
    expected = ((rest / scale) ** 2 + (2 / scale - 1) ** 2) ** 0.5
    assert eval_shift(passes, 0) == pytest.approx(expected, rel=0.15, abs=0.04)
