"""TTFT by load: with one slot, prompts and answers known, a queue before one server, as Lindley's recursion has it."""

import pytest

from kernels import plot
from kernels.library.serving import _serving
from kernels.library.serving.ttft_load import SHARES, ttft_load


def test_one_slot_is_lindleys_queue():
    """Each request occupies the server for its prefill and its steps; whoever comes waits for all before it."""
    import torch

    made, requests = _serving.server("llama-3-8b", "h100"), 300
    random = torch.Generator().manual_seed(3)
    asked, answered = _serving.drawn(1000, "geometric", requests, random), _serving.drawn(20, "geometric", requests, random)
    unit = _serving.arrivals(1.0, requests, random)
    got = ttft_load(slots=1, output=20, requests=requests, seed=3)
    rate, free, waits = 0.8 * got["capacity"], 0.0, []
    for p, n, t in zip(asked, answered, (t / rate for t in unit)):
        began = max(free, t)
        first = began + made.prefill([p])
        waits.append(first - t)
        free = first + sum(made.decode(1, p + 1 + k) for k in range(n - 1))
    assert got["p50_80"] == pytest.approx(_serving.percentile(waits, 0.5), rel=1e-6)
    assert got["p99_80"] == pytest.approx(_serving.percentile(waits, 0.99), rel=1e-6)


def test_almost_nobody_waits_at_a_tenth_of_the_load():
    got = ttft_load(requests=400)
    assert got["p50_10"] < 3 * got["prefill"] and len(got["sweep"].x) == len(SHARES)


def test_the_figure():
    assert "p99" in plot.draw(ttft_load, ttft_load(requests=200)).alt
