from dataclasses import replace

import pytest

torch = pytest.importorskip("torch")

from kernels import plot, precision
from kernels.library.inference import speculative_measure as file
from kernels.library.inference.speculative_measure import Decoder, speculative_measure
from kernels.library.inference.speculative_roofline import speculative_roofline
from kernels.library.inference.speculative_speedup import speculative_speedup
from kernels.library.models._models import SHAPES, llama
from kernels.library.models.model_shape import model_shape
from kernels.record import Result

pytest_plugins = ("rehearsed",)
SMALL = llama(4, 64, 8, 2, 96, 128)
SMALLER = llama(2, 32, 4, 4, 48, 128)


def made_up():  # not measured: numbers to draw with
    numbers = dict.fromkeys(speculative_measure.outputs, 0.5)
    rates = list(file.ACCEPTANCES)
    sweep = {"acceptance": rates, "measured": [0.9 + a for a in rates], "by size": [1 + 2 * a for a in rates]}
    return {**numbers, "sweep": sweep, "verify": {"positions": [1, 256], "verify": [1.0, 1.9]}}


@pytest.mark.parametrize("shape", [SMALL, SMALLER])
def test_checking_all_positions_at_once_is_decoding_them_one_by_one(shape):
    torch.manual_seed(0)
    model = Decoder(shape, 20, "cpu", "fp64")
    x = torch.randn(5, shape.d_model, dtype=torch.float64)
    at_once, grown = model.passed(x)
    cache, single = model.cache, []
    for row in x.split(1):
        out, cache = model.passed(row, cache)
        single.append(out)
    assert precision.error_against(torch.cat(single), at_once) < 1e-12
    assert all(torch.allclose(a, b) for one, other in zip(grown, cache) for a, b in zip(one, other))


def test_the_attention_is_torchs():
    model = Decoder(SMALL, 20, "cpu", "fp64", blocks=1)
    qkv = torch.randn(1, 8 * 8 + 2 * 2 * 8, dtype=torch.float64)
    mixed, keys, values = model.attention(qkv, *model.cache[0])
    query = qkv[:, :64].view(1, 1, 8, 8).transpose(1, 2)
    oracle = torch.nn.functional.scaled_dot_product_attention(query, keys.repeat_interleave(4, 1), values.repeat_interleave(4, 1))
    assert keys.shape == (1, 2, 21, 8)
    assert precision.error_against(oracle.transpose(1, 2).reshape(1, -1), mixed) < 1e-12


def test_in_bf16_it_is_right_within_the_limit():
    torch.manual_seed(0)
    Decoder(SMALL, 20, "cpu").error()


@pytest.mark.parametrize("name", ["llama-3-70b", "llama-3.2-1b"])
def test_the_bytes_are_those_of_the_models_matrices(name):
    with torch.device("meta"):
        model = Decoder(SHAPES[name], 1, "meta", blocks=1)
    shape, counts = SHAPES[name], model_shape(model=name)
    cache = 2 * shape.layers * shape.kv_heads * shape.head_dim
    assert model.bytes() == 2 * (counts["linear"] + shape.vocab * shape.d_model + cache)


def test_with_free_verification_it_is_the_formula():
    for acceptance in (0.0, 0.5, 0.9):
        formula = speculative_speedup(acceptance=acceptance, draft_tokens=4, cost_ratio=0.1)
        assert file.measured_gain(acceptance, 4, 0.1, 1.0) == pytest.approx(formula["speedup"])
    assert file.break_even(4, 0.1, 1.0) == pytest.approx(formula["break_even"])
    assert file.measured_gain(file.break_even(4, 0.1, 1.3), 4, 0.1, 1.3) == pytest.approx(1)


def test_its_numbers_follow_from_the_times(rehearse):
    """With all times equal a step is its blocks' repeats and one head: two and a head of six blocks, one and a head of three."""
    result, _ = rehearse(speculative_measure)
    assert result["verify"].x == (1, 4, 5) and {point.value for point in result["verify"].lines["verify"]} == {1}
    assert result["cost_ratio"] == result["cost_ratio_launched"] == pytest.approx(2 / 3)
    assert result["speedup"] == pytest.approx(result["expected_tokens"] / (4 * result["cost_ratio"] + result["verify_ratio"]))
    assert result["target_of_reading"] == pytest.approx(result["target_bandwidth"] / result["read_bandwidth"])


@pytest.mark.parametrize(("width", "vocab", "context"), [(512, 128, 16), (128, 65536, 16), (64, 128, 16384)])
def test_it_needs_the_memory_that_it_declares(rehearse, width, vocab, context):
    shapes = {"llama-3-70b": llama(4, width, 8, 2, 2 * width, vocab), "llama-3.2-1b": llama(2, width, 4, 4, width, vocab)}
    result, peak = rehearse(speculative_measure, context=context, SHAPES=shapes)
    assert peak / 1.1 < rehearse.needed(speculative_measure, result) < 2.2 * peak


def test_a_data_sheet_lets_expect_the_roofline(rehearse):
    result, _ = rehearse(speculative_measure)
    case = replace(result, parameters=speculative_measure.bind({}))
    assert rehearse.expected(speculative_measure, case, "h200") == speculative_roofline(gpu="h200")["speedup"]
    assert rehearse.expected(speculative_measure, case, "gtx-0") is None


def test_the_figure_of_a_made_up_record():
    result = Result("speculative_measure", "measurement", speculative_measure.bind({}), speculative_measure.checked(made_up()))
    assert "measured" in plot.draw(speculative_measure, result).alt
