"""Collisions of random hyperplanes against vectors that are hashed."""

from __future__ import annotations

import math

import pytest

from kernels.library.system_design.hash_collision import hash_collision


@pytest.mark.oracle("hash_collision", "pairs of vectors of a given cosine, hashed by numpy's random planes")
@pytest.mark.parametrize("cosine, bits, tables", [(0.95, 8, 1), (0.8, 4, 3), (0.0, 2, 2)])
def test_hashed(cosine, bits, tables):
    import numpy as np

    random, dimension, trials = np.random.default_rng(5), 16, 4000
    first, second = np.eye(dimension)[:2]
    other = cosine * first + math.sqrt(1 - cosine**2) * second
    planes = random.standard_normal((trials, tables, bits, dimension))
    alike = ((planes @ first > 0) == (planes @ other > 0)).all(-1).any(-1).mean()
    assert hash_collision(cosine=cosine, bits=bits, tables=tables)["found"] == pytest.approx(alike, abs=0.025)


def test_ends():
    assert hash_collision(cosine=1.0, bits=4096)["found"] == 1
    assert hash_collision(cosine=-1.0)["found"] == 0
    assert hash_collision(cosine=0.0, bits=10)["same"] == pytest.approx(2**-10)
    assert hash_collision(cosine=0.5)["angle"] == pytest.approx(math.pi / 3)
    assert hash_collision(cosine=0.2, other=0.2)["found"] == hash_collision(cosine=0.2, other=0.2)["strangers"]
