import math

import pytest

torch = pytest.importorskip("torch")

from kernels import plot
from kernels.library.gpu.loader_step import loader_step
from kernels.library.training.loader_jitter import loader_jitter


@pytest.mark.parametrize("workers", [1, 2, 4, 7])
def test_equal_loads_give_the_formula(workers):
    found = loader_jitter(load=0.35, compute=0.1, workers=workers, times="equal", batches=5000)
    assert found["step"] == pytest.approx(loader_step(load=0.35, compute=0.1, workers=workers)["step"], rel=2e-3)


@pytest.mark.parametrize("seed", [0, 1])
def test_one_worker_and_one_batch_ahead(seed):
    """The longer of load and compute, whose mean is compute + load exp(-compute / load) for exponential loads."""
    found = loader_jitter(load=0.2, compute=0.1, workers=1, prefetch=1, batches=50_000, seed=seed)
    assert found["step"] == pytest.approx(0.1 + 0.2 * math.exp(-0.5), rel=0.02)


@pytest.mark.parametrize("times", ["exponential", "lognormal"])
def test_load_times_have_the_mean_that_was_asked_for(times):
    """With nothing else to do, one worker's step is its load."""
    found = loader_jitter(load=0.2, compute=1e-6, workers=1, times=times, batches=50_000)
    assert found["step"] == pytest.approx(0.2, rel=0.03)


def test_depth_reaches_the_limit_and_not_more():
    found = loader_jitter(load=0.8, workers=4, prefetch=64)
    assert found["utilisation"] == pytest.approx(0.5, rel=0.05) and found["utilisation"] <= 0.52
    assert found["utilisation"] > found["deep"] > loader_jitter(load=0.8, workers=4, prefetch=2)["utilisation"]


def test_the_figure():
    assert "limit: 100" in plot.draw(loader_jitter, loader_jitter(batches=2000)).alt
