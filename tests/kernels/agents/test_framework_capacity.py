import pytest

from kernels import plot
from kernels.library.agents.framework_capacity import framework_capacity


@pytest.mark.oracle("framework_capacity", "requests on a clock, those that are open counted, their tokens and CPU time added up")
def test_requests_on_a_clock():
    """20 a second, each of two calls of 1.5 s and 30 tokens, and one more of 0.5 s and 10 tokens; 4 ms of CPU a call."""
    every, lasts = 50, 2 * 1500 + 500  # ms
    opened = [sum(1 for sent in range(0, 20_001, every) if sent <= now < sent + lasts) for now in range(10_000, 11_000)]
    sent = sum(1 for s in range(10_000, 11_000, every))
    got = framework_capacity(rate=20, latency=1.5, output=30, gpu_rate=100, cpu=0.004, calls=2, extra_output=10, extra_latency=0.5)
    assert got["in_flight"] == pytest.approx(sum(opened) / len(opened))
    assert got["tokens"] == pytest.approx(sent * (30 + 30 + 10)) and got["gpus"] == 14
    assert got["cores"] == 1 and got["overhead"] == pytest.approx(0.012 / 3.512)
    assert got["gpus_of_extra"] == pytest.approx(sent * 10 / 100) and got["extra_over_cpu"] == pytest.approx(0.5 / 0.012)


def test_a_further_call_without_tokens_or_time_is_a_call():
    assert framework_capacity(extra_output=1)["cores"] == framework_capacity(extra_latency=0.1)["cores"] == 60
    assert framework_capacity(cpu=0.0)["extra_over_cpu"] == 0


def test_ten_thousand_a_second():
    got = framework_capacity()
    assert got["in_flight"] == 20_000 and got["gpus"] == 2000 and got["cores"] == 30
    assert got["cores_over_gpus"] == pytest.approx(30 / 2000)


def test_the_curve_and_the_figure():
    got = framework_capacity()
    assert got["sweep"].values("GPUs")[4] == got["gpus"] and got["sweep"].values("in flight")[4] == got["in_flight"]
    assert "requests a second" in plot.draw(framework_capacity, got).alt
