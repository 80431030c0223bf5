"""The budget of a first token against parts that are drawn."""

from __future__ import annotations

import random

import pytest

from kernels import KernelError
from kernels.library.system_design.ttft_budget import ttft_budget


@pytest.mark.oracle("ttft_budget", "parts drawn as normal numbers between their 5th and 95th percentile, and added up")
def test_drawn():
    dice, z = random.Random(6), 1.6448536269514722
    sums = sorted(0.06 + dice.gauss(0.125, 0.025 / z) + dice.gauss(0.4, 0.1 / z) for _ in range(40_000))
    got = ttft_budget()
    assert sums[len(sums) // 2] == pytest.approx(got["middle"], abs=0.002)
    assert sums[int(0.95 * len(sums))] == pytest.approx(got["p95"], abs=0.004)
    assert got["p95"] < got["high"]


def test_by_hand():
    got = ttft_budget()
    assert (got["low"], got["middle"], got["high"], got["outside"]) == pytest.approx((0.46, 0.585, 0.71, 0.185))
    assert got["model_share"] == pytest.approx(0.4 / 0.585)
    assert got["spread"] == pytest.approx((0.025**2 + 0.1**2) ** 0.5)
    with pytest.raises(KernelError, match="low end"):
        ttft_budget(model_low=1.0)
