"""Loops of greedy decoding in random chains: against the mean of a random mapping, in closed form, and a walk in plain Python."""

from __future__ import annotations

import math

import pytest

from kernels import plot
from kernels.library.inference import decoding_loops as file
from kernels.library.inference.decoding_loops import decoding_loops

torch = pytest.importorskip("torch")


def distinct_of_a_random_mapping(states):
    """The mean number of states that a random mapping visits before one comes back: sum of prod (1 - j/n)."""
    return math.fsum(math.prod(1 - j / states for j in range(1, k + 1)) for k in range(states))


def test_greedy_visits_what_a_random_mapping_visits():
    assert distinct_of_a_random_mapping(200) == pytest.approx(math.sqrt(math.pi * 200 / 2), rel=0.05)
    got = [decoding_loops(vocab=60, chains=64, seed=seed)["greedy"] for seed in range(6)]
    mean, wanted = sum(got) / len(got), distinct_of_a_random_mapping(60)
    assert mean == pytest.approx(wanted, abs=4 * 0.5 * wanted / math.sqrt(6 * 64))  # a path's sd is about half its mean


def test_before_the_loop_and_in_it():
    assert file.follow(torch.tensor([[1, 2, 3, 1]])) == [[0, 1, 2, 3, 1]]
    assert file.circle([0, 1, 2, 3, 1]) == (1, 3)
    assert file.circle([0, 0]) == (0, 1)


def test_the_cut_keeps_the_token_that_crosses():
    kept = file.cut(torch.tensor([[0.15, 0.5, 0.05, 0.3]]), 0.9)
    assert kept[0].tolist() == pytest.approx([0.15, 0.5, 0.0, 0.3])
    assert file.cut(torch.tensor([[0.2, 0.8]]), 0.05)[0].tolist() == pytest.approx([0.0, 0.8])


def test_what_the_rules_visit():
    got = decoding_loops(vocab=60, chains=8)
    assert got["entered"] + got["loop"] == pytest.approx(got["greedy"])
    assert decoding_loops(vocab=60, chains=8, penalty=1.0)["penalised"] == got["greedy"]
    assert got["greedy"] < got["nucleus"]
    assert got["greedy_probability"] > got["sampling_probability"]


def test_the_figure():
    assert "greedy decoding has used" in plot.draw(decoding_loops, decoding_loops(vocab=30, chains=4)).alt
