"""The empty output against the right one, played out token by token, and as the mode of all outputs of a small model."""

from __future__ import annotations

import itertools
import math

import pytest

from kernels import plot
from kernels.library.inference.empty_mode import empty_mode


@pytest.mark.oracle("empty_mode", "probabilities multiplied token by token until the empty output is likelier")
@pytest.mark.parametrize(("empty", "token", "ending"), [(0.001, 0.7, 1.0), (0.01, 0.9, 0.8), (1e-6, 0.5, 1.0), (0.4, 0.3, 0.5)])
def test_multiplied_token_by_token(empty, token, ending):
    right, length = (1 - empty) * ending, 0
    while right >= empty or length == 0:
        right, length = right * token, length + 1
    got = empty_mode(empty=empty, token=token, ending=ending, tokens=length)
    assert got["length"] == length
    assert got["right"] == pytest.approx(right) and got["over_empty"] == pytest.approx(right / empty)


@pytest.mark.parametrize("tokens", [2, 3, 4, 5])
def test_the_mode_of_every_output(tokens):
    """Three words, the right one with 0.6 each time, the others with 0.2; every output of `tokens` words or none."""
    outputs = {(): 0.1} | {
        words: 0.9 * math.prod(0.6 if word == 0 else 0.2 for word in words) for words in itertools.product(range(3), repeat=tokens)
    }
    assert sum(outputs.values()) == pytest.approx(1)
    mode = max(outputs, key=outputs.__getitem__)
    assert (mode == ()) == (tokens >= empty_mode(empty=0.1, token=0.6)["length"])


def test_the_ends():
    assert empty_mode(empty=0.5, token=0.01)["length"] == 1
    assert empty_mode(token=0.01, tokens=10_000)["right"] == 0


def test_the_figure():
    assert "20 tokens" in plot.draw(empty_mode, empty_mode()).alt
