import pytest

torch = pytest.importorskip("torch")

from kernels import plot
from kernels.library.inference import acceptance_divergence as file
from kernels.library.inference.acceptance_divergence import acceptance_divergence

SMALL = {"contexts": 20, "vocab": 200}


def test_three_tokens_by_hand():
    p, q = (torch.tensor(v, dtype=torch.float64) for v in ((0.5, 0.3, 0.2), (0.2, 0.3, 0.5)))
    out, accepted = file.played(p, q, 200_000, torch.Generator().manual_seed(1))
    assert accepted.double().mean().item() == pytest.approx(0.7, abs=0.005)  # 0.2 + 0.3 + 0.2
    assert file.distance(out, p) < 0.005


def test_drafts_played_one_by_one_give_the_target_and_its_overlap():
    """What comes out lies no further from p than as many samples of p itself, and as many drafts are accepted as p and q overlap."""
    random = torch.Generator().manual_seed(2)
    p, q = (torch.randn(200, generator=random, dtype=torch.float64).mul(2).softmax(0) for _ in range(2))
    out, accepted = file.played(p, q, 200_000, random)
    plain = file.drawn(p, 200_000, random)
    assert file.distance(out, p) < 1.3 * file.distance(plain, p)
    assert accepted.double().mean().item() == pytest.approx(torch.minimum(p, q).sum().item(), abs=0.005)


def test_what_comes_out_is_the_target_however_bad_the_draft():
    got = acceptance_divergence(noise=3.0, **SMALL)
    assert got["output_gap"] < 1e-12 and got["acceptance"] == pytest.approx(1 - got["total_variation"], abs=1e-12)


def test_a_draft_that_is_the_target_is_always_accepted():
    got = acceptance_divergence(noise=0.0, **SMALL)
    assert got["acceptance"] == pytest.approx(1) and got["same_best"] == 1


def test_acceptance_falls_and_divergence_grows_with_noise():
    points = [p.value for p in acceptance_divergence(**SMALL)["sweep"].lines["acceptance"]]
    assert points == sorted(points, reverse=True)
    assert acceptance_divergence(noise=1.0, **SMALL)["divergence"] < acceptance_divergence(noise=4.0, **SMALL)["divergence"]


def test_the_figure():
    assert "acceptance" in plot.draw(acceptance_divergence, acceptance_divergence(**SMALL)).alt
