import pytest

torch = pytest.importorskip("torch")

from kernels import plot
from kernels.library.inference import acceptance_divergence as file
from kernels.library.inference.acceptance_divergence import acceptance_divergence


def test_three_tokens_by_hand():
    p, q = (torch.tensor(v, dtype=torch.float64) for v in ((0.5, 0.3, 0.2), (0.2, 0.3, 0.5)))
    out, accepted = file.played(p, q, 200_000, torch.Generator().manual_seed(1))
    assert accepted.double().mean().item() == pytest.approx(0.7, abs=0.005)  # 0.2 + 0.3 + 0.2
    assert file.distance(out, p) < 0.005


def test_what_comes_out_is_the_target_however_bad_the_draft():
    got = acceptance_divergence(noise=3.0, contexts=20, samples=200_000, vocab=200)
    assert got["acceptance"] == pytest.approx(1 - got["total_variation"], abs=1e-12)
    assert got["output_error"] < 1.3 * got["sampling_error"]


def test_the_played_rate_is_the_overlap_of_that_context():
    got = acceptance_divergence(noise=1.0, contexts=1, vocab=50)
    assert got["played_acceptance"] == pytest.approx(got["acceptance"], abs=0.003)


def test_a_draft_that_is_the_target_is_always_accepted():
    got = acceptance_divergence(noise=0.0, contexts=5, vocab=20, samples=1000)
    assert got["acceptance"] == pytest.approx(1) and got["played_acceptance"] == 1 and got["same_best"] == 1


def test_acceptance_falls_with_noise():
    points = [p.value for p in acceptance_divergence(contexts=50, samples=1000)["sweep"].lines["acceptance"]]
    assert points == sorted(points, reverse=True)


def test_the_figure():
    assert "acceptance" in plot.draw(acceptance_divergence, acceptance_divergence(contexts=20, samples=1000)).alt
