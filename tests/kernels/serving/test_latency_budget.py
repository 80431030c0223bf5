"""A limit on latency against bytes and FLOP of Llama 3 8B by hand, and the tokens counted one by one."""

import pytest

from kernels import plot
from kernels.library.serving.latency_budget import latency_budget

BANDWIDTH, PEAK = 5120 / 8 * 2 * 2619e6, 132 * 4096 * 1830e6  # H100 SXM
HEAD = 128_256 * 4096
READ = 8_030_261_248 - HEAD  # the embedding is only looked up
CACHED = 2 * 32 * 8 * 128 * 2


@pytest.mark.oracle("latency_budget", "bytes and FLOP of Llama 3 8B by hand, the tokens counted one by one")
@pytest.mark.parametrize(("prompt", "limit"), [(1000, 0.05), (1, 0.01), (8000, 0.2), (100_000, 1.0)])
def test_by_hand(prompt, limit):
    flops = prompt * 2 * (READ - HEAD) + 2 * HEAD + 4 * 32 * 32 * 128 * prompt * (prompt + 1) / 2
    prefill, step = max(2 * READ / BANDWIDTH, flops / PEAK), (2 * READ + prompt * CACHED) / BANDWIDTH
    tokens, time = 0, prefill
    while time <= limit:
        tokens, time = tokens + 1, time + step
    got = latency_budget(prompt=prompt, limit=limit)
    assert got["prefill"] == pytest.approx(prefill, rel=2e-3) and got["step"] == pytest.approx(step, rel=1e-3)
    assert got["tokens"] == pytest.approx(tokens, abs=1)
    assert got["prompt_forgotten"] == pytest.approx(limit // step, abs=1) and got["prefills"] == pytest.approx(limit // prefill, abs=1)
    assert got["whole"] == pytest.approx(prefill + 199 * step, rel=2e-3)


def test_published_kernels_take_longer():
    got = latency_budget()
    assert got["step_expected"] > got["step"] and got["prefill_expected"] > got["prefill"]
    assert latency_budget(batch=1)["batch_rate"] == pytest.approx(1 / got["step_expected"])
    assert got["batch_rate"] < 64 / ((2 * READ + 64 * 1000 * CACHED) / BANDWIDTH)


def test_a_limit_below_the_prompt_leaves_no_token():
    assert latency_budget(limit=1e-4)["tokens"] == 0 and latency_budget(limit=1e3, prompt=1)["tokens"] > 100_000


def test_the_figure():
    assert "limit 50" in plot.draw(latency_budget, latency_budget()).alt
