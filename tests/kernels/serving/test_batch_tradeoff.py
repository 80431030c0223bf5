import pytest

from kernels import KernelError, plot
from kernels.library.serving.batch_tradeoff import batch_tradeoff

BANDWIDTH, PEAK = 5120 / 8 * 2 * 2619e6, 132 * 4096 * 1830e6  # H100 SXM
WEIGHTS, PER_TOKEN = 2 * (8_030_261_248 - 128_256 * 4096), 2 * 32 * 8 * 128 * 2  # Llama 3 8B, by hand


def step(b, context=1000):
    return max((WEIGHTS + b * context * PER_TOKEN) / BANDWIDTH, b * (WEIGHTS + 4 * 32 * 32 * 128 * context) / PEAK)


@pytest.mark.oracle("batch_tradeoff", "bytes and FLOP of Llama 3 8B by hand, the limit by trying each batch")
@pytest.mark.parametrize("batch", [1, 64, 256])
def test_by_hand_from_the_published_shape(batch):
    got = batch_tradeoff(batch=batch)
    assert got["per_user"] == pytest.approx(1 / step(batch), rel=1e-3) and got["total"] == pytest.approx(batch / step(batch), rel=1e-3)
    assert got["gain"] == pytest.approx(batch * got["step_one"] / got["step"])
    assert got["gain"] * got["loss"] == pytest.approx(batch)


@pytest.mark.parametrize(("limit", "context"), [(0.01, 1000), (0.004, 1000), (0.0048, 1), (0.02, 1000)])
def test_the_largest_batch_within_a_limit_by_trying(limit, context):
    best = max((b for b in range(1, 2000) if step(b, context) <= limit), default=0)
    assert batch_tradeoff(tpot_limit=limit, context=context)["batch_limit"] == pytest.approx(best, abs=1)


def test_the_memory_by_hand():
    assert batch_tradeoff()["memory_batch"] == int((81559 * 2**20 - 2 * 8_030_261_248) // (1000 * PER_TOKEN)) == 529


def test_too_large_a_model_is_refused():
    with pytest.raises(KernelError, match="does not fit"):
        batch_tradeoff(model="llama-3-70b")


def test_the_figure():
    assert "each user" in plot.draw(batch_tradeoff, batch_tradeoff()).alt
