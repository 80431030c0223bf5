import pytest

from kernels import plot
from kernels.library.serving.serving_load import serving_load


@pytest.mark.oracle("serving_load", "requests on a clock, counted moment by moment")
def test_requests_played_on_a_clock():
    """One request every 0.1 s, each with its first token after 0.2 s and one more every 20 ms; what is there is counted every millisecond."""
    ttft, tpot, n, every, prompt = 200, 20, 500, 100, 1000  # ms
    last = ttft + sum(tpot for _ in range(n - 1))
    moments = range(20_000, 20_000 + 5 * every)
    flight = tokens = 0
    for now in moments:
        for sent in range(now - now % every, now - last - every, -every):
            age = now - sent
            if age < last:
                flight += 1
                tokens += prompt + (age >= ttft) * (1 + (age - ttft) // tpot)
    got = serving_load()
    assert got["latency"] == pytest.approx(last / 1000)
    assert got["in_flight"] == pytest.approx(flight / len(moments), rel=2e-3)
    assert got["in_flight"] * got["cached_tokens"] == pytest.approx(tokens / len(moments), rel=2e-3)
    assert got["cache"] == pytest.approx(tokens / len(moments) * 2 * 32 * 8 * 128 * 2, rel=2e-3)


def test_one_token_is_the_first():
    got = serving_load(output=1, ttft=0.3)
    assert got["latency"] == 0.3 and got["decoding"] == 0


def test_the_figure():
    assert "TTFT" in plot.draw(serving_load, serving_load()).alt
