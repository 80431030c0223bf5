"""Beams against every sequence scored one by one in plain Python, and their limits: width 1 is greedy, full width is exact."""

from __future__ import annotations

import itertools

import pytest

from kernels import KernelError, plot
from kernels.library.inference import beam_vs_exact as file
from kernels.library.inference.beam_vs_exact import beam_vs_exact

torch = pytest.importorskip("torch")


def model(seed, vocab=4, length=4, prefixes=True):
    numbers = torch.Generator().manual_seed(seed)
    rows = [vocab**k if prefixes or k == 0 else vocab for k in range(length)]
    return [(2 * torch.randn(1, n, vocab, generator=numbers)).log_softmax(-1).double() for n in rows]


def score(steps, sequence, vocab):
    total = prefix = 0
    for step, token in zip(steps, sequence):
        total += step[0, prefix % step.shape[1], token].item()
        prefix = prefix * vocab + token
    return total


@pytest.mark.parametrize("prefixes", [True, False])
@pytest.mark.parametrize("seed", range(3))
def test_every_sequence_scored_one_by_one(seed, prefixes):
    steps = model(seed, prefixes=prefixes)
    scores = [score(steps, s, 4) for s in itertools.product(range(4), repeat=4)]
    assert file.every(steps, 4)[0].tolist() == pytest.approx(scores)
    assert file.beam(steps, 4, 64)[0].max().item() == pytest.approx(max(scores))  # holds every prefix


@pytest.mark.parametrize("prefixes", [True, False])
@pytest.mark.parametrize("width", [1, 2, 3])
def test_a_beam_kept_in_a_list(width, prefixes):
    steps, kept = model(5, prefixes=prefixes), [()]
    for _ in range(4):
        kept = sorted(((*s, t) for s in kept for t in range(4)), key=lambda s: score(steps, s, 4), reverse=True)[:width]
    scores, sequences = file.beam(steps, 4, width)
    assert scores[0].tolist() == pytest.approx([score(steps, s, 4) for s in kept])
    assert sequences[0].tolist() == [sum(t * 4 ** (3 - k) for k, t in enumerate(s)) for s in kept]


def test_limits():
    exact = beam_vs_exact(width=4, vocab=4, length=2)
    assert exact["found"] == 1 and exact["gap"] == pytest.approx(0, abs=1e-9)
    one = beam_vs_exact(width=1, vocab=5, length=3, models=20)
    assert one["found"] == one["found_greedy"] and one["gap"] == pytest.approx(one["gap_greedy"]) and one["common"] == 1
    assert beam_vs_exact(length=1)["found_greedy"] == 1


def test_too_many_sequences():
    with pytest.raises(KernelError, match="too many"):
        beam_vs_exact(vocab=16, length=8)


def test_the_figure():
    assert "greedy" in plot.draw(beam_vs_exact, beam_vs_exact(vocab=4, length=3, models=10)).alt
