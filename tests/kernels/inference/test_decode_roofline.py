import pytest

from kernels import KernelError, plot
from kernels.library.inference.decode_roofline import decode_roofline


def test_a_70b_model_in_bf16_on_one_h100s_bandwidth():
    step = decode_roofline(model="llama-2-70b")
    assert step["time"] == pytest.approx(140e9 / 3.35e12, rel=0.03)  # the rule of thumb: 2 bytes times 70e9
    assert decode_roofline(model="llama-2-70b", gpus=2)["time"] == pytest.approx(step["time"] / 2)
    assert decode_roofline(model="llama-2-70b", bits=4)["time"] == pytest.approx(step["time"] / 4)


@pytest.mark.oracle("decode_roofline", "torch's FLOP counter on one decode step")
def test_weights_that_a_step_multiplies_counted_by_torch():
    from kernels.library.models._models import SHAPES

    shape = SHAPES["llama-3-8b"]
    assert decode_roofline(model="llama-3-8b")["parameters"] == shape.linear + shape.vocab * shape.d_model + (2 * shape.layers + 1) * shape.d_model


@pytest.mark.parametrize("bits", [4, 8, 16])
def test_at_the_compute_bound_batch_both_times_are_equal(bits):
    batch = decode_roofline(model="llama-3-8b", bits=bits)["compute_bound_batch"]
    around = [decode_roofline(model="llama-3-8b", bits=bits, batch=int(batch) + more) for more in (0, 1)]
    assert around[0]["compute_time"] <= around[0]["memory_time"] and around[1]["memory_time"] < around[1]["compute_time"]


def test_a_cache_is_never_shared():
    long = decode_roofline(model="llama-3-8b", batch=64, context=8192)
    assert long["cache"] == 64 * 8192 * 131072 and long["memory_time"] > long["compute_time"]


def test_with_a_cache_both_times_are_equal_later_and_then_never():
    """By hand for Llama 3 8B: 131,072 B and 4 * 32 * 32 * 128 FLOP of attention for each cached token."""
    batch = decode_roofline(model="llama-3-8b", context=200)["compute_bound_batch"]
    assert batch > 1.9 * decode_roofline(model="llama-3-8b")["compute_bound_batch"]
    around = [decode_roofline(model="llama-3-8b", context=200, batch=int(batch) + more) for more in (0, 1)]
    assert around[0]["compute_time"] <= around[0]["memory_time"] and around[1]["memory_time"] < around[1]["compute_time"]
    limit = decode_roofline(model="llama-3-8b")["never_from"]
    assert limit * (131072 / 3.35e12 - 524288 / 989.4e12) == pytest.approx(2 * 7.505e9 / 989.4e12, rel=2e-3)
    assert decode_roofline(model="llama-3-8b", context=int(limit) + 1)["compute_bound_batch"] == 0
    assert decode_roofline(model="llama-3-8b", context=int(limit))["compute_bound_batch"] > 1000


def test_checking_several_positions_reads_the_cache_once():
    one, five = (decode_roofline(model="llama-3-8b", context=1024, positions=n) for n in (1, 5))
    assert five["memory_time"] == one["memory_time"] and five["flops"] == pytest.approx(5 * one["flops"])


def test_experts_are_refused():
    with pytest.raises(KernelError, match="dense"):
        decode_roofline(model="mixtral-8x7b")


def test_the_figure():
    assert "equal at 295" in plot.draw(decode_roofline, decode_roofline(model="llama-3-8b")).alt
