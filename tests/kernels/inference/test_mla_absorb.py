from dataclasses import replace

import pytest

torch = pytest.importorskip("torch")

from kernels import plot, precision, timing
from kernels.library.inference import mla_absorb as file
from kernels.library.inference.mla_absorb import WAYS, Layer, mla_absorb
from kernels.library.inference.mla_step import mla_step
from kernels.record import Result

pytest_plugins = ("rehearsed",)


def made_up():  # not measured: numbers to draw with
    seconds = {"absorbed": timing.Spread(1e-4, 9.9e-5, 1.01e-4), "expanded": timing.Spread(3e-3, 2.9e-3, 3.1e-3), "kept": 9e-4}
    return {
        **seconds,
        **{f"{way}_error": 3e-3 for way in WAYS},
        "speedup": 30.0,
        "absorbed_peak": 2e7,
        "expanded_peak": 3e9,
        "expanded_predicted": 2**31,
        "latent_bytes": 3.8e7,
        "kept_bytes": 2.7e9,
        "absorbed_bandwidth": 5e11,
        "absorbed_of_reading": 0.2,
        "expanded_rate": 3e14,
        "expanded_of_matmul": 0.5,
        "read_bandwidth": 3e12,
        "matmul_rate": 6e14,
        "sweep": {"tokens": [512, 4096], **{way: [float(s) / 8, s] for way, s in seconds.items()}},
    }


def layer(dtype, tokens=40):
    torch.manual_seed(0)
    return Layer(tokens, 3, heads=4, head_dim=16, latent=32, rope=8, dtype=dtype, device="cpu")


@pytest.mark.parametrize("dtype", file.LIMITS)
def test_all_ways_give_what_the_definition_gives(dtype):
    layer(dtype).errors(file.LIMITS[dtype])


@pytest.mark.parametrize("way", WAYS)
def test_in_float64_associativity_is_exact_to_rounding(way):
    one = layer("fp64")
    assert precision.error_against(one.expanded_exactly(), getattr(one, way)()) < 1e-13


def test_multi_head_attention_of_torch_agrees():
    one = layer("fp64")
    keys, values = one.expand()
    keys = torch.cat((keys, one.cache[:, None, :, one.latent :].expand(-1, 4, -1, -1)), -1)
    query = torch.cat((one.query, one.query_rope), -1)[:, :, None]
    oracle = torch.nn.functional.scaled_dot_product_attention(query, keys, values)[:, :, 0]
    assert precision.error_against(oracle, one.absorbed()) < 1e-13


def test_without_the_rotary_part_the_result_is_another():
    one = layer("fp64")
    exact = one.expanded_exactly()
    one.query_rope.zero_()
    with pytest.raises(timing.KernelError, match="off its reference"):
        precision.error_against(exact, one.absorbed(), 1e-3)


def test_its_numbers_follow_from_the_times(rehearse):
    result, _ = rehearse(mla_absorb, dtype="fp32")
    assert result["latent_bytes"] == 2 * 32 * 40 * 4 and result["expanded_predicted"] == 2 * 2 * 32 * 4 * 16 * 4
    assert result["expanded_peak"] > result["expanded_predicted"]
    assert result["sweep"].x == (16, 32) and set(result["sweep"].lines) == set(WAYS)
    assert result["absorbed_of_reading"] == pytest.approx(result["absorbed_bandwidth"] / result["read_bandwidth"])
    assert result["expanded_of_matmul"] == pytest.approx(result["expanded_rate"] / result["matmul_rate"])
    assert rehearse.expected(mla_absorb, result, "h100") is None


@pytest.mark.parametrize(("dtype", "tokens", "batch"), [("bf16", 512, 8), ("fp32", 512, 4), ("bf16", 2048, 1)])
def test_it_needs_the_memory_that_it_declares(rehearse, dtype, tokens, batch):
    result, peak = rehearse(mla_absorb, dtype=dtype, tokens=tokens, batch=batch, heads=16, head_dim=64, LENGTHS=(16,))
    assert peak / 1.1 < rehearse.needed(mla_absorb, result) < 2.2 * peak


def test_a_data_sheet_lets_expect_the_roofline(rehearse):
    result, _ = rehearse(mla_absorb)
    case = replace(result, parameters=mla_absorb.bind({}))
    assert rehearse.expected(mla_absorb, case, "h200") == mla_step(gpu="h200")["absorbed"] and rehearse.expected(mla_absorb, case, "gtx-0") is None


def test_the_figure_of_a_made_up_record():
    drawn = plot.draw(mla_absorb, Result("mla_absorb", "measurement", mla_absorb.bind({}), mla_absorb.checked(made_up())))
    assert "absorbed, over cached tokens" in drawn.alt
