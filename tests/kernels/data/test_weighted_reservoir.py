"""Oracles: every order of draws enumerated in fractions, and numpy's choice without replacement, another algorithm."""

import itertools
from fractions import Fraction

import pytest

torch = pytest.importorskip("torch")

from kernels import KernelError, plot
from kernels.library.data import weighted_reservoir as file
from kernels.library.data.weighted_reservoir import weighted_reservoir


@pytest.fixture(scope="module")
def result():
    return weighted_reservoir()


def enumerated(weights: list[Fraction], k: int) -> list[Fraction]:
    """Each item's chance to be among k successive draws without replacement."""
    included = [Fraction(0)] * len(weights)
    for order in itertools.permutations(range(len(weights)), k):
        chance, left = Fraction(1), sum(weights)
        for item in order:
            chance *= weights[item] / left
            left -= weights[item]
        for item in order:
            included[item] += chance
    return included


@pytest.mark.parametrize("k", [1, 2, 3, 5])
def test_the_chain_agrees_with_every_order_of_draws(k):
    expected = enumerated([Fraction(7, 2)] * 2 + [Fraction(1)] * 4, k)
    heavy, light = list(file.inclusions(k, 2, 4, 3.5))[-1]
    assert heavy == pytest.approx(float(expected[0]), rel=1e-12) and light == pytest.approx(float(expected[-1]), rel=1e-12)


def test_a_res_keeps_items_with_those_chances():
    weights = [1.0, 2.0, 3.0, 0.5, 8.0]
    random = torch.Generator().manual_seed(0)
    kept = sum(file.sampled(torch.tensor(weights, dtype=torch.float64), 2, random) for _ in range(20_000)) / 20_000
    for ours, exact in zip(kept.tolist(), enumerated([Fraction(w) for w in weights], 2)):
        assert ours == pytest.approx(float(exact), abs=4 * 0.5 / 20_000**0.5)


def test_numpy_agrees():
    numpy = pytest.importorskip("numpy")
    random, runs = numpy.random.default_rng(0), 3000
    weights = numpy.array([5.0] * 10 + [1.0] * 40)
    drawn = numpy.concatenate([random.choice(50, 15, replace=False, p=weights / weights.sum()) for _ in range(runs)])
    found = weighted_reservoir(k=15, n=50, heavy_items=10, weight=5.0, runs=runs)
    assert found["heavy"] == pytest.approx((drawn < 10).sum() / runs / 10, rel=0.02)
    assert found["light"] == pytest.approx((drawn >= 10).sum() / runs / 40, rel=0.02)


def test_simulated_and_exact_agree(result):
    assert result["ratio"] == pytest.approx(result["ratio_exact"], rel=0.01)
    assert 100 * result["heavy_exact"] + 900 * result["light_exact"] == pytest.approx(100)
    ratios = result["sweep"].values("heavy over light")
    assert ratios[0] == pytest.approx(10) and list(ratios) == sorted(ratios, reverse=True) and 1 < ratios[-1] < 1.02


def test_equal_weights_are_uniform():
    found = weighted_reservoir(weight=1.0, runs=200)
    assert found["heavy"] == found["light"] == pytest.approx(0.1) and found["ratio_exact"] == pytest.approx(1)


@pytest.mark.parametrize("wrong", [{"k": 1000}, {"heavy_items": 1000}, {"n": 10_000, "runs": 10_000}])
def test_what_makes_no_sense_is_refused(wrong):
    with pytest.raises(KernelError, match="weighted_reservoir"):
        weighted_reservoir(**wrong)


def test_the_figure(result):
    assert "10.0 times at first" in plot.draw(weighted_reservoir, result).alt
