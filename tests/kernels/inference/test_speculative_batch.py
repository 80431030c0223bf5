"""Drafting at larger batches against the steps worked out from the models' shapes, and against speculative_roofline at batch 1."""

from __future__ import annotations

import pytest

from kernels.library.inference.speculative_batch import speculative_batch
from kernels.library.inference.speculative_roofline import speculative_roofline

BANDWIDTH, PEAK = 4 * 3.35e12, 4 * 989.4e12


def step(parameters, multiplied, layers, width, cache, batch, positions, context):
    moved = 2 * parameters + batch * context * cache
    flops = batch * positions * (2 * multiplied + 4 * layers * width * context)
    return max(moved / BANDWIDTH, flops / PEAK)


@pytest.mark.oracle("speculative_batch", "steps worked out from the released shapes of both models and the H100's data sheet")
@pytest.mark.parametrize("batch, context", [(1, 1000), (256, 1000), (1024, 100), (256, 16_000)])
def test_by_hand(batch, context):
    large = (70_553_706_496 - 128256 * 8192, 80 * (2 * 8192**2 + 2 * 8192 * 1024 + 3 * 8192 * 28672) + 128256 * 8192, 80, 8192, 80 * 2 * 8 * 128 * 2)
    small = (1_235_814_400, 16 * (2 * 2048**2 + 2 * 2048 * 512 + 3 * 2048 * 8192) + 128256 * 2048, 16, 2048, 16 * 2 * 8 * 64 * 2)
    one, check, draft = (step(*m, batch, n, context) for m, n in ((large, 1), (large, 5), (small, 1)))
    tokens = sum(0.7**k for k in range(5))
    got = speculative_batch(batch=batch, context=context)
    assert got["verify_ratio"] == pytest.approx(check / one, rel=1e-3)
    assert got["cost_ratio"] == pytest.approx(draft / one, rel=1e-3)
    assert got["speedup"] == pytest.approx(tokens * one / (4 * draft + check), rel=1e-3)


def test_one_sequence_is_what_the_other_kernel_says():
    other = speculative_roofline(acceptance=0.7, context=1000, target_gpus=4, draft_gpus=4)
    assert speculative_batch()["speedup_one"] == pytest.approx(other["speedup"])


def test_where_it_loses():
    got = speculative_batch()
    gains = dict(zip(got["sweep"].x, got["sweep"].values("speed-up")))
    assert gains[got["loses_from"]] < 1 <= gains[got["loses_from"] // 2]
    assert speculative_batch(context=16_000)["loses_from"] == 0
