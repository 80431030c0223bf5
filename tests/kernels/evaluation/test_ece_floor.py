"""Oracles: torchmetrics on draws of its own, and Beta(8, 1.5) confidences drawn by numpy, another distribution of the same mean."""

import pytest

torch = pytest.importorskip("torch")

from kernels import plot
from kernels.library.evaluation.calibration import ece_of_calibrated
from kernels.library.evaluation.ece_floor import SIZES, ece_floor


@pytest.fixture(scope="module")
def result():
    return ece_floor()


def test_it_falls_as_one_over_the_root_of_n_and_never_reaches_zero(result):
    simulated, predicted = (result["sweep"].values(line) for line in ("simulated", "predicted"))
    assert result["sweep"].x == SIZES
    for n, s, p in zip(SIZES, simulated, predicted):
        assert s > 0 and s == pytest.approx(p, rel=0.1 if n >= 200 else 0.25)
    assert result["ece"] < result["ece_95"] < 2 * result["ece"]


def test_an_independent_library_finds_the_same_size():
    numpy, metrics = (pytest.importorskip("numpy"), pytest.importorskip("torchmetrics.functional.classification"))
    random = numpy.random.default_rng(0)
    found = []
    for _ in range(100):
        sure = random.beta(8, 1.5, 1000)
        right = (random.random(1000) < sure).astype(int)
        found.append(metrics.binary_calibration_error(torch.tensor(sure), torch.tensor(right), n_bins=15).item())
    assert numpy.mean(found) == pytest.approx(ece_floor(n=1000)["ece"], rel=0.15)


def test_all_confidences_equal_has_a_closed_form():
    """The mean of |k / n - c| is that of a half-normal deviate: sqrt(2 c (1 - c) / (pi n))."""
    random = torch.Generator().manual_seed(0)
    confidence = torch.full((1000,), 0.8, dtype=torch.float64)
    found = torch.stack([ece_of_calibrated(confidence, 15, random) for _ in range(500)]).mean().item()
    assert found == pytest.approx((2 * 0.8 * 0.2 / (torch.pi * 1000)) ** 0.5, rel=0.1)


def test_the_figure(result):
    drawn = plot.draw(ece_floor, result)
    assert "never reaches 0" in drawn.alt
