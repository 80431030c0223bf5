import pytest

torch = pytest.importorskip("torch")

from kernels import plot
from kernels.library.training.lr_range_test import descend, lr_range_test, smoothed


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_the_lowest_point_lies_at_the_limit_and_a_tenth_of_it_trains(seed):
    got = lr_range_test(seed=seed)
    assert 0.5 < got["lowest_of_limit"] < 2.5  # 2 / L from the eigenvalues
    assert got["trained_at_tenth"] < 2 * got["noise"] < got["trained_at_hundredth"] < got["start"]
    assert got["steepest"] < got["lowest"] and got["tenth_gains"] > 1


def test_full_batches_follow_the_eigenvalues():
    random = torch.Generator().manual_seed(0)
    x = torch.randn(50, 4, generator=random, dtype=torch.float64)
    true = torch.randn(4, generator=random, dtype=torch.float64)
    values, vectors = torch.linalg.eigh(x.T @ x / 50)
    rates, rows = [0.01, 0.1, 0.3, 2.5], torch.arange(50)
    error, want = vectors.T @ true, []
    for rate in rates:
        want.append(((values * error * error).sum() / 2).item())
        error = (1 - rate * values) * error
    assert descend(x, x @ true, [rows] * 4, rates)[0] == pytest.approx(want)


def test_smoothing_keeps_a_constant():
    assert smoothed([3.0] * 5) == pytest.approx([3.0] * 5)


def test_the_figure():
    assert "lowest" in plot.draw(lr_range_test, lr_range_test()).alt
