"""Oracles: the chi-square laws of the distance (scipy), and scores recomputed with numpy-like loops in torch."""

import pytest

torch = pytest.importorskip("torch")

from kernels import plot
from kernels.library.evaluation import ood_scores as file
from kernels.library.evaluation.ood_scores import ood_scores


@pytest.fixture(scope="module")
def result():
    return ood_scores()


def test_distance_follows_the_noncentral_chi_square(result):
    stats = pytest.importorskip("scipy.stats")
    limit = stats.chi2.ppf(0.95, 20)  # 20 dimensions; moved outwards by r = 5, the own class stays the nearest
    assert result["distance_outward"] == pytest.approx(stats.ncx2.sf(limit, 20, 25), abs=0.02)
    half, step = 12.5**0.5, 0.01  # between: of the two means, half the way off on either side, the nearer one counts
    line = [k * step for k in range(-500, 501)]
    found = sum(step * stats.norm.pdf(t) * stats.chi2.sf(limit - (half - abs(t)) ** 2, 19) for t in line)
    assert result["distance_between"] == pytest.approx(found, abs=0.02)


def test_false_alarms_on_the_own_data(result):
    for score in file.SCORES:
        assert result["sweep"].values(score)[0] == pytest.approx(0.05, abs=0.012)


def test_scores_recomputed():
    x = torch.randn(5, 6, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    found = file.strangeness(x, 3, 2.0)
    means = 2.0 * torch.eye(6, dtype=torch.float64)[:3]
    p = torch.softmax(-torch.cdist(x, means).square() / 2, 1)  # Bayes' rule with normal densities
    torch.testing.assert_close(found["entropy"], torch.distributions.Categorical(p).entropy())
    torch.testing.assert_close(found["distance"], torch.cdist(x, means).square().min(1).values)


def test_further_out_is_surer_and_found_by_distance_alone(result):
    assert result["confidence_outward"] > result["confidence_own"]
    assert result["entropy_outward"] < 0.001 and ood_scores(factor=3.0, n=1000)["distance_outward"] > 0.99


def test_the_figure_is_drawn(result):
    assert "distance" in plot.draw(ood_scores, result).alt


def test_either_score_leaves_no_kind_unseen(result):
    for kind in file.KINDS:
        one, other = result[f"entropy_{kind}"], result[f"distance_{kind}"]
        assert 0.5 * max(one, other) < result[f"either_{kind}"] < max(one, other) + 0.1
