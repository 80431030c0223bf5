"""Contrastive search's score, from hidden states whose cosines torch computes."""

from __future__ import annotations

import pytest

from kernels.library.inference.contrastive_score import contrastive_score


@pytest.mark.oracle("contrastive_score", "torch's cosine similarity of hidden states, the largest over the context")
def test_from_hidden_states():
    torch = pytest.importorskip("torch")
    numbers = torch.Generator().manual_seed(3)
    context = torch.randn(5, 16, generator=numbers, dtype=torch.float64)
    repeat, fresh = context[2] + 0.3 * torch.randn(16, generator=numbers), torch.randn(16, generator=numbers, dtype=torch.float64)
    cosines = [torch.cosine_similarity(h[None], context, dim=-1).max().item() for h in (repeat, fresh)]
    scores = [(1 - 0.6) * p - 0.6 * cosine for p, cosine in zip((0.5, 0.3), cosines)]
    got = contrastive_score(repeat_similarity=cosines[0], fresh_similarity=cosines[1])
    assert (got["repeat"], got["fresh"]) == pytest.approx(tuple(scores))
    assert got["lead"] == pytest.approx(scores[1] - scores[0])
    assert got["repeat_plus"] == pytest.approx(0.4 * 0.5 + 0.6 * cosines[0])


def test_at_the_even_alpha_neither_leads():
    even = contrastive_score()["even_alpha"]
    assert contrastive_score(alpha=even)["lead"] == pytest.approx(0, abs=1e-12)
    assert contrastive_score(repeat_similarity=0.1, fresh_similarity=0.4)["even_alpha"] == 0


def test_the_ends_of_alpha():
    assert contrastive_score(alpha=0)["repeat"] == 0.5 and contrastive_score(alpha=1)["fresh"] == -0.4
