import math
from fractions import Fraction

import pytest

from kernels import plot
from kernels.library.transformers.window_reach import POINTS, distribution, window_reach


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


@pytest.mark.parametrize("window", [2, 5, POINTS])
def test_a_window_of_no_more_tokens_than_points_is_exact(window):
    want = played_out(window, 5, 0.6).tolist()
    assert distribution(5, 0.6, window) == pytest.approx(want, abs=1e-12)
    got = window_reach(window=window, layers=5, mixing=0.6)
    assert got["beyond_half"] == pytest.approx(sum(want[(len(want) - 1) // 2 + 1 :]), abs=1e-12)
    assert got["beyond_quarter"] >= got["beyond_half"]


def uniform_sum_beyond_half(layers, mixing):
    """Of a continuous window: how many layers mix is binomial, and the sum of k uniform steps is Irwin and Hall's."""
    m, total = Fraction(mixing).limit_denominator(100), Fraction(0)
    for k in range(layers // 2 + 1, layers + 1):
        room = k - Fraction(layers, 2)  # the sum is beyond half where its mirror image is below this
        below = sum((-1) ** j * math.comb(k, j) * (room - j) ** k for j in range(math.floor(room) + 1)) / math.factorial(k)
        total += math.comb(layers, k) * m**k * (1 - m) ** (layers - k) * below
    return float(total)


@pytest.mark.parametrize("mixing", [0.2, 0.5, 0.8])
@pytest.mark.oracle("window_reach", "the sum of uniform steps in exact fractions")
def test_the_share_from_afar_is_that_of_uniform_steps(mixing):
    got = window_reach(window=1_000_000, mixing=mixing)["beyond_half"]
    assert got == pytest.approx(uniform_sum_beyond_half(32, mixing), rel=0.03)


def test_the_figure_names_the_bound():
    assert "bound" in plot.draw(window_reach, window_reach()).alt
