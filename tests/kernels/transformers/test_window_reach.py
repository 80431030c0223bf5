import pytest

from kernels import plot
from kernels.library.transformers.window_reach import BINS, distribution, window_reach


def played_out(window, layers, mixing):
    """Distances of what reaches the last position: a banded matrix, multiplied layer by layer."""
    torch = pytest.importorskip("torch")
    n = layers * (window - 1) + 1
    distance = torch.arange(n)[:, None] - torch.arange(n)[None, :]
    one = mixing / window * ((distance >= 0) & (distance < window)).double() + (1 - mixing) * torch.eye(n, dtype=torch.float64)
    return torch.linalg.matrix_power(one, layers)[-1].flip(0)  # by distance; rows near the start lose mass, the last one does not


@pytest.mark.parametrize("window, layers, mixing", [(2, 1, 1.0), (5, 3, 0.5), (8, 6, 0.3)])
@pytest.mark.oracle("window_reach", "banded matrices multiplied layer by layer")
def test_moments_are_those_of_the_matrices(window, layers, mixing):
    torch = pytest.importorskip("torch")
    masses, got = played_out(window, layers, mixing), window_reach(window=window, layers=layers, mixing=mixing)
    x = torch.arange(len(masses), dtype=torch.float64)
    mean = (masses * x).sum()
    assert masses.sum().item() == pytest.approx(1) and mean.item() == pytest.approx(got["mean"])
    assert (masses * (x - mean) ** 2).sum().item() == pytest.approx(got["deviation"] ** 2)
    assert got["bound"] == max(i for i, mass in enumerate(masses.tolist()) if mass > 0)


def test_a_window_of_as_many_tokens_as_bins_is_exact():
    want = played_out(BINS, 5, 0.6).tolist()
    assert distribution(5, 0.6) == pytest.approx(want, abs=1e-12)
    got = window_reach(window=BINS, layers=5, mixing=0.6)
    assert got["beyond_half"] == pytest.approx(sum(want[len(want) // 2 + 1 :]), abs=0.02)
    assert got["beyond_quarter"] > got["beyond_half"]


def test_the_figure_names_the_bound():
    assert "bound" in plot.draw(window_reach, window_reach()).alt
