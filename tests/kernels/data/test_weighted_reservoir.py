"""Oracles: every order of draws enumerated in fractions, A-Res itself, and numpy's choice without replacement."""

import itertools
import math
import random
from fractions import Fraction

import pytest

from kernels import KernelError, plot
from kernels.library.data.weighted_reservoir import inclusions, weighted_reservoir


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
    heavy, light = list(inclusions(k, 2, 4, 3.5))[-1]
    assert heavy == pytest.approx(float(expected[0]), rel=1e-12) and light == pytest.approx(float(expected[-1]), rel=1e-12)


def test_the_largest_keys_have_those_chances():
    """A-Res as written: the k largest u^(1/w)."""
    draw, n, heavy_items, weight, k, streams = random.Random(0), 40, 10, 6.0, 12, 4000
    kept = [0] * n
    for _ in range(streams):
        keys = [math.log(1 - draw.random()) / (weight if i < heavy_items else 1.0) for i in range(n)]
        for i in sorted(range(n), key=keys.__getitem__)[-k:]:
            kept[i] += 1
    found = weighted_reservoir(k=k, n=n, heavy_items=heavy_items, weight=weight)
    assert sum(kept[:heavy_items]) / heavy_items / streams == pytest.approx(found["heavy"], rel=0.02)
    assert sum(kept[heavy_items:]) / (n - heavy_items) / streams == pytest.approx(found["light"], rel=0.02)


def test_numpy_agrees():
    numpy = pytest.importorskip("numpy")
    generator, runs = numpy.random.default_rng(0), 3000
    weights = numpy.array([5.0] * 10 + [1.0] * 40)
    drawn = numpy.concatenate([generator.choice(50, 15, replace=False, p=weights / weights.sum()) for _ in range(runs)])
    found = weighted_reservoir(k=15, n=50, heavy_items=10, weight=5.0)
    assert found["heavy"] == pytest.approx((drawn < 10).sum() / runs / 10, rel=0.02)
    assert found["light"] == pytest.approx((drawn >= 10).sum() / runs / 40, rel=0.02)


def test_as_many_are_kept_as_there_is_room_for(result):
    assert 100 * result["heavy"] + 900 * result["light"] == pytest.approx(100)
    ratios = result["sweep"].values("heavy over light")
    assert ratios[0] == pytest.approx(10) and list(ratios) == sorted(ratios, reverse=True) and 1 < ratios[-1] < 1.02


def test_equal_weights_are_uniform():
    found = weighted_reservoir(weight=1.0)
    assert found["heavy"] == pytest.approx(0.1) and found["light"] == pytest.approx(0.1)


@pytest.mark.parametrize("wrong", [{"k": 1000}, {"heavy_items": 1000}, {"n": 10_000, "heavy_items": 5000}])
def test_what_makes_no_sense_is_refused(wrong):
    with pytest.raises(KernelError, match="weighted_reservoir"):
        weighted_reservoir(**wrong)


def test_the_figure(result):
    assert "10.0 times at first" in plot.draw(weighted_reservoir, result).alt
