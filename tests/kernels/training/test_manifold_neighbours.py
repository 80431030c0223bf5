import pytest

torch = pytest.importorskip("torch")

from kernels import plot
from kernels.library.training import manifold_neighbours as file
from kernels.library.training.manifold_neighbours import errors, manifold_neighbours, slope


def test_a_known_power_law_is_fitted():
    assert slope([n**-0.5 for n in file.SIZES]) == pytest.approx(0.5)


def test_the_distance_to_the_nearest_point_of_a_circle_is_known():
    """On a circle gaps are exponential: the squared error of a linear function's nearest value follows n^-2."""
    nearest, _ = errors(1, 0.01, 3)
    assert slope(nearest) == pytest.approx(2, abs=0.35)


def test_the_straight_fit_is_scipy_s(monkeypatch):
    """Least squares through the same neighbours, by numpy, one test point after the other."""
    np = pytest.importorskip("numpy")
    monkeypatch.setattr(file, "SIZES", (256,))
    monkeypatch.setattr(file, "TESTS", 5)
    _, got = errors(3, 1.0, 0)
    random = torch.Generator().manual_seed(3)
    linear = torch.randn(4, generator=random, dtype=torch.float64)
    square = torch.randn(4, 4, generator=random, dtype=torch.float64) / 2
    tests, points = (x / x.norm(dim=1, keepdim=True) for x in (torch.randn(n, 4, generator=random, dtype=torch.float64) for n in (5, 256)))
    value = lambda x: (x @ linear + ((x @ square) * x).sum(1)).numpy()  # noqa: E731
    total = 0.0
    for at in range(5):
        near = (points - tests[at]).norm(dim=1).argsort()[:10]
        design = np.concatenate([np.ones((10, 1)), (points[near] - tests[at]).numpy()], 1)
        fit = np.linalg.lstsq(design, value(points[near]), rcond=None)[0]
        total += (fit[0] - value(tests[at : at + 1])[0]) ** 2
    assert got[0] == pytest.approx(total / 5, rel=1e-3)


def test_exponents_fall_with_the_dimension_and_lie_at_four_over_it(monkeypatch):
    monkeypatch.setattr(file, "SIZES", (256, 1024, 4096))
    got = manifold_neighbours(dimension=2)
    assert got["nearest"] == pytest.approx(got["nearest_bound"], rel=0.25) and got["straight"] == pytest.approx(got["straight_bound"], rel=0.25)
    assert got["straight_2"] > got["straight_4"] > got["straight_8"] > got["straight_16"] > 0
    assert "d = 16" in plot.draw(manifold_neighbours, got).alt
