from dataclasses import replace

import pytest

torch = pytest.importorskip("torch")

from kernels import KernelError, plot, precision, timing
from kernels.library.inference import moe_dispatch as file
from kernels.library.inference.expert_loop import expert_loop
from kernels.library.inference.moe_dispatch import Layer, moe_dispatch
from kernels.record import Result

pytest_plugins = ("rehearsed",)


def made_up():  # not measured: numbers to draw with
    times = {"looped": timing.Spread(5e-3, 4.9e-3, 5.2e-3), "grouped": timing.Spread(2e-3, 1.9e-3, 2.1e-3)}
    return {
        **times,
        "capped": 1.5e-3,
        "looped_error": 4e-3,
        "grouped_error": 4e-3,
        "loop_over_grouped": 2.5,
        "dropped": 0.03,
        "fullest_over_average": 1.8,
        "padding": 0.45,
        "prompt_dropped": 0.1,
        "batches_changed": 1.0,
        "tokens_changed": 0.2,
        "capped_moved": 0.4,
        "dropless_moved": 1e-3,
        "grouped_rate": 2e14,
        "grouped_of_matmul": 0.3,
        "matmul_rate": 6.5e14,
        "sweep": {"tokens": [16, 4096], "looped": [3e-3, 5e-3], "grouped": [4e-4, 2e-3]},
    }


def layer(dtype="fp64", experts=6, top_k=2):
    torch.manual_seed(0)
    return Layer(experts, top_k, d_model=32, ffn=16, dtype=dtype, device="cpu")


def one_by_one(layer, x, chosen, weights, limit=None):
    """The layer by its definition, a token and an expert at a time; places are counted as the tokens come."""
    out, seen = torch.zeros_like(x), [0] * layer.experts
    for t in range(len(x)):
        for e, weight in zip(chosen[t].tolist(), weights[t]):
            if limit is None or seen[e] < limit:
                gate, value = (x[t] @ layer.up[e]).chunk(2)
                out[t] += weight * ((torch.nn.functional.silu(gate) * value) @ layer.down[e])
            seen[e] += 1
    return out


@pytest.mark.parametrize("limit", [None, 1, 7, 50])
def test_both_ways_are_the_layer(limit):
    one = layer()
    x = one.tokens(40)
    chosen, weights = one.route(x)
    exact = one_by_one(one, x, chosen, weights.double(), limit)
    bucket = file.load(chosen, 6) if limit is None else limit
    assert precision.error_against(exact, one.grouped(x, chosen, weights, bucket)) < 1e-12
    if limit is None:
        assert precision.error_against(exact, one.looped(x, chosen, weights)) < 1e-12


@pytest.mark.parametrize("dtype", file.LIMITS)
def test_the_errors_of_each_dtype_are_within_their_limits(dtype):
    one = layer(dtype)
    one.errors(one.tokens(100), file.LIMITS[dtype])


def test_places_count_each_queue_in_the_order_of_the_batch():
    chosen = torch.tensor([[2, 0], [2, 1], [0, 2], [1, 0]])
    assert file.places(chosen, 4).tolist() == [[0, 0], [1, 0], [1, 2], [1, 2]]
    assert file.load(chosen, 4) == 3


def test_company_changes_a_capped_answer_and_no_dropless_one():
    one = layer(experts=8)
    tight = one.company(one.tokens(16), tokens=128, factor=1.0)
    assert tight["batches_changed"] > 0.5 and tight["capped_moved"] > 1e-2 and tight["dropless_moved"] < 1e-12
    wide = one.company(one.tokens(16), tokens=128, factor=8.0)
    assert wide["prompt_dropped"] == wide["batches_changed"] == wide["tokens_changed"] == 0 and wide["capped_moved"] < 1e-12


def test_its_numbers_follow_from_the_times(rehearse):
    result, _ = rehearse(moe_dispatch, tokens=256, dtype="fp32")
    assert result["sweep"].x == (16, 64, 256) and 0 <= result["dropped"] < 0.5 and result["fullest_over_average"] >= 1
    assert result["padding"] == pytest.approx(1 - 1 / result["fullest_over_average"])
    assert result["grouped_of_matmul"] == pytest.approx(result["grouped_rate"] / result["matmul_rate"])
    assert result["loop_over_grouped"] == 1 and rehearse.expected(moe_dispatch, result, "h100") is None


@pytest.mark.parametrize(("dtype", "tokens", "d_model"), [("bf16", 128, 512), ("fp32", 128, 512), ("bf16", 4096, 128), ("fp32", 4096, 128)])
def test_it_needs_the_memory_that_it_declares(rehearse, dtype, tokens, d_model):
    result, peak = rehearse(moe_dispatch, dtype=dtype, tokens=tokens, d_model=d_model, ffn=d_model // 2, experts=16, top_k=2)
    assert peak / 1.1 < rehearse.needed(moe_dispatch, result) < 2.2 * peak


def test_a_data_sheet_lets_expect_the_roofline(rehearse):
    result, _ = rehearse(moe_dispatch)
    case = replace(result, parameters=moe_dispatch.bind({}))
    assert rehearse.expected(moe_dispatch, case, "h200") == expert_loop(gpu="h200")["loop_over_grouped"]
    assert rehearse.expected(moe_dispatch, case, "gtx-0") is None


def test_more_choices_than_experts_are_refused():
    with pytest.raises(KernelError, match="top_k is 8"):
        moe_dispatch(experts=4)


def test_the_figure_of_a_made_up_record():
    drawn = plot.draw(moe_dispatch, Result("moe_dispatch", "measurement", moe_dispatch.bind({}), moe_dispatch.checked(made_up())))
    assert "grouped, over tokens in the batch" in drawn.alt
