"""Oracles: the algebra (zero under a shift), and the closed form of two sinusoids' product."""

import math

import pytest

from kernels.library.transformers import position_shift as file
from kernels.library.transformers.position_shift import position_shift

pytest.importorskip("torch")


def test_only_rotary_and_bare_sinusoids_survive_the_move():
    found = position_shift(pairs=50)
    assert max(found["rotary_change"], found["sines_change"], found["formula_error"]) < 1e-9
    assert min(found["added_change"], found["learned_change"]) > 0.1


def test_no_move_no_change():
    assert position_shift(pairs=10, shift=0)["added_change"] == 0


@pytest.mark.parametrize(("m", "n"), [(10, 3), (1010, 1003), (5, 5)])
def test_sinusoids_multiply_to_cosines_of_the_distance(m, n):
    expected = sum(math.cos((m - n) / 10_000 ** (2 * i / 64)) for i in range(32))
    assert (file.sinusoid(m, 64) * file.sinusoid(n, 64)).sum().item() == pytest.approx(expected)


def test_other_vectors_have_other_scores():
    assert position_shift(pairs=50)["rotary_others"] == pytest.approx(2**0.5, rel=0.4)  # two independent scores of one spread


def test_without_content_sinusoids_alone_are_projected():
    found = position_shift(content=0.0, pairs=5)
    assert found["added_change"] > 0.1  # the projections alone break it
