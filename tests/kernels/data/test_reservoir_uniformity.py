"""Oracles: k / n, (1 - 1/k)^age, harmonic numbers, a plain loop over single streams, scipy's chi-square."""

import random

import pytest

torch = pytest.importorskip("torch")

from kernels import KernelError, plot
from kernels.library.data import reservoir_uniformity as file
from kernels.library.data.reservoir_uniformity import reservoir_uniformity


@pytest.fixture(scope="module")
def results():
    return {policy: reservoir_uniformity(policy=policy, n=500) for policy in file.POLICIES}


def test_the_reservoir_is_uniform(results):
    found = results["reservoir"]
    assert found["first_half"] == pytest.approx(0.02, rel=0.03) and found["second_half"] == pytest.approx(0.02, rel=0.03)
    assert 0.001 < found["p_value"] < 0.999
    assert found["replacements"] == pytest.approx(found["replacements_expected"], rel=0.01)


def test_always_replacing_forgets_exponentially():
    counts, replacements = file.sampled("replace-always", k=5, n=60, runs=10_000, seed=0)
    for age in range(12):
        assert counts[59 - age].item() / 10_000 == pytest.approx((1 - 1 / 5) ** age, abs=0.02)
    assert replacements == 55 * 10_000


def test_first_and_latest_keep_one_end(results):
    assert (results["first-k"]["first_k"], results["first-k"]["second_half"], results["first-k"]["replacements"]) == (1.0, 0.0, 0.0)
    assert (results["latest-k"]["last_k"], results["latest-k"]["first_half"]) == (1.0, 0.0)
    assert all(results[policy]["p_value"] < 1e-12 for policy in ("first-k", "latest-k", "replace-always"))


def test_a_plain_loop_over_single_streams_agrees():
    draw, counts = random.Random(0), [0] * 30
    for _ in range(4000):
        kept = list(range(4))
        for item in range(4, 30):
            slot = draw.randrange(item + 1)
            if slot < 4:
                kept[slot] = item
        for item in kept:
            counts[item] += 1
    ours, _ = file.sampled("reservoir", k=4, n=30, runs=4000, seed=0)
    assert ours.sum() == sum(counts) == 16_000
    assert max(abs(a - b) for a, b in zip(ours.tolist(), counts)) < 5 * (2 * 4000 * (4 / 30) * (26 / 30)) ** 0.5


def test_the_statistic_has_the_chi_square_distribution():
    """Over seeds its mean is n - 1 and the p-values spread over (0, 1)."""
    found = [reservoir_uniformity(k=3, n=20, runs=500, seed=seed) for seed in range(60)]
    assert sum(r["chi_square"] for r in found) / 60 == pytest.approx(19, abs=4 * (2 * 19 / 60) ** 0.5)
    assert min(r["p_value"] for r in found) < 0.2 and max(r["p_value"] for r in found) > 0.8


def test_scipy_agrees_on_the_p_value(results):
    stats = pytest.importorskip("scipy.stats")
    assert results["reservoir"]["p_value"] == pytest.approx(stats.chi2.sf(results["reservoir"]["chi_square"], 499), rel=1e-9)


def test_a_reservoir_as_large_as_the_stream_is_refused():
    with pytest.raises(KernelError, match="less than n"):
        reservoir_uniformity(k=10, n=10)


@pytest.mark.parametrize("policy", file.POLICIES)
def test_the_figure(results, policy):
    drawn = plot.draw(reservoir_uniformity, results[policy])
    assert "Uniform is 2" in drawn.alt
