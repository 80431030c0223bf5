from dataclasses import replace

import pytest

torch = pytest.importorskip("torch")

from kernels import plot, precision
from kernels.library.inference import decode_bandwidth as file
from kernels.library.inference.decode_bandwidth import BATCHES, MODELS, STEPS, decode_bandwidth
from kernels.library.inference.decode_roofline import decode_roofline
from kernels.library.models._models import SHAPES, llama
from kernels.library.models.kv_cache import kv_cache
from kernels.record import Result

pytest_plugins = ("rehearsed",)
SMALL = llama(2, 128, 4, 2, 256, 100)


def made_up():  # not measured: numbers to draw with
    matrices = [max(1.5e-4, 6.7e-7 * batch) for batch in BATCHES]
    steps = [1.6e-4 + 2e-6 * batch for batch in STEPS]
    return {
        "step_time": 1.6e-4,
        "step_bandwidth": 2.7e12,
        "step_of_ceiling": 0.9,
        "moved": 4.4e8,
        "floor": 1.45e-4,
        "matrices_time": 1.5e-4,
        "matrices_bandwidth": 2.9e12,
        "matrices_of_ceiling": 0.97,
        "rate": 6e14,
        "rate_of_ceiling": 0.92,
        "ceiling": 3e12,
        "rate_ceiling": 6.5e14,
        "ridge_batch": 217,
        "knee_batch": 224,
        "flat_batch": 128,
        "token_time": 5e-3,
        "tokens_per_second": 195,
        "tokens_per_second_64": 7000,
        "gain_64": 36,
        "error": 4e-3,
        "matrices": {"batch": list(BATCHES), "measured": matrices, "floor": [0.95 * t for t in matrices]},
        "steps": {"batch": list(STEPS), "step": steps, "matrices": [1.5e-4] * len(STEPS)},
        "throughput": {"batch": list(STEPS), "tokens": [b / s for b, s in zip(STEPS, steps)]},
    }


@pytest.mark.parametrize("dtype", file.LIMITS)
def test_a_step_is_the_step_in_float64(dtype):
    block = file.Block("small", dtype, "cpu", SMALL)
    cache = block.cached(3, 16)
    exact = block.reference(*cache)
    keys = cache[1].clone()
    precision.error_against(exact, block.step(*cache), file.LIMITS[dtype])
    assert not torch.equal(cache[1][:, :, -1], keys[:, :, -1]) and torch.equal(cache[1][:, :, :-1], keys[:, :, :-1])


def test_the_reference_is_torch_s_attention_with_grouped_queries():
    block = file.Block("small", "bf16", "cpu", SMALL)
    x, keys, values = block.cached(2, 8)
    q = torch.randn(2, 4, 1, 32, dtype=torch.float64)
    new = torch.randn(2, 64, dtype=torch.float64)
    k, v = block.extended(keys, new), block.extended(values, new)
    kept = torch.cat([keys[:, :, :-1].double(), new.view(2, 2, 1, 32)], 2)
    grouped = torch.nn.functional.scaled_dot_product_attention(q, kept, v[:, ::2], enable_gqa=True)
    assert torch.allclose(file.plain_softmax(q @ k.transpose(-2, -1) / 32**0.5) @ v, grouped)


def test_bytes_are_those_of_the_shape():
    block = file.Block("small", "bf16", "cpu", SMALL)
    assert block.weights() == 2 * SMALL.linear // SMALL.layers and block.flops(1) == block.weights()
    for model in MODELS:
        shape = SHAPES[model]
        shrunk = file.Block(model, "bf16", "meta")
        assert (
            shrunk.layers * shrunk.cache_bytes(1) == kv_cache(model=model, tokens=1)["per_token"]
            and shrunk.weights() == 2 * shape.linear // shape.layers
        )


def test_its_numbers_follow_from_the_times(rehearse):
    result, _ = rehearse(decode_bandwidth)
    assert result["moved"] == SMALL.linear + 2 * 2 * 16 * 64
    assert result["tokens_per_second"] == pytest.approx(1 / (2 * result["step_time"]))
    assert result["matrices"].x == (1, 64) and result["steps"].x == (1, 64)
    assert result["step_of_ceiling"] == pytest.approx(result["step_bandwidth"] / result["ceiling"])
    assert result["rate_of_ceiling"] == pytest.approx(result["rate"] / result["rate_ceiling"])
    assert result["ridge_batch"] == pytest.approx(result["rate_ceiling"] / result["ceiling"])


@pytest.mark.parametrize(("context", "width", "batches"), [(16, 1024, (1, 64)), (4096, 128, (1, 64)), (16, 512, (1, 64, 4096))])
def test_it_needs_the_memory_that_it_declares(rehearse, context, width, batches):
    shape = llama(2, width, 4, 2, 2 * width, 100)
    result, peak = rehearse(decode_bandwidth, context=context, BATCHES=batches, SHAPES=dict.fromkeys(MODELS, shape))
    assert peak / 1.1 < rehearse.needed(decode_bandwidth, result) < 2.2 * peak


def test_a_data_sheet_lets_expect_a_layers_share_of_the_roofline(rehearse):
    result, _ = rehearse(decode_bandwidth, SHAPES=SHAPES | {"llama-3-8b": SMALL})
    for name in MODELS:
        case = replace(result, parameters={**result.parameters, "model": name, "context": 1024}, made={"device_class": "h100"})
        file.SHAPES = SHAPES
        whole, head = decode_roofline(model=name, context=1024), SHAPES[name].vocab * SHAPES[name].d_model * 2 / 3.35e12
        assert decode_bandwidth.predicting["predict"](case) * SHAPES[name].layers == pytest.approx(whole["memory_time"] - head, rel=2e-3)
    assert rehearse.expected(decode_bandwidth, result, "gtx-0") is None


def test_the_figure_of_a_made_up_record():
    drawn = plot.draw(decode_bandwidth, Result("decode_bandwidth", "measurement", decode_bandwidth.bind({}), decode_bandwidth.checked(made_up())))
    assert "ridge: 217" in drawn.alt
