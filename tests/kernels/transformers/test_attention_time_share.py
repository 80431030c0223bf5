import pytest

torch = pytest.importorskip("torch")

from kernels import plot, precision, timing
from kernels.library.machines._devices import DEVICES
from kernels.library.transformers import attention_time_share as file
from kernels.library.transformers.attention_flops import attention_flops
from kernels.library.transformers.attention_time_share import ENDS, WAYS, WIDTHS, attention_time_share
from kernels.record import Result

pytest_plugins = ("pretended_gpu", "rehearsed")


def made_up():  # not measured: numbers to draw with
    flops = [attention_flops(d_model=width, tokens=2048)["attention_share"] for width in WIDTHS]
    shares = {"naive": [min(0.9, 6 * s) for s in flops], "flash": [1.3 * s for s in flops], "flops": flops}
    return {
        **{f"{line}_share_{width}": s for line, found in shares.items() for width, s in zip(WIDTHS, found)},
        **{f"{way}_block_{width}": 1e-3 for way in WAYS for width in WIDTHS},
        **{f"{name}_{width}": 1.5 for name in ("block_speedup", "attention_speedup", "parts_over_block") for width in WIDTHS},
        **{f"{way}_error": 3e-3 for way in WAYS},
        "ceiling": 6.5e14,
        "rest_of_ceiling": 0.9,
        "sweep": {"d_model": list(WIDTHS), **shares},
        "contexts": {"tokens": list(file.LENGTHS), **{f"d{width}": [0.1, 0.3, 0.5] for width in ENDS}},
    }


@pytest.mark.parametrize("way", WAYS)
def test_the_block_computes_and_counts(pretended_gpu, way):
    from torch.utils.flop_counter import FlopCounterMode

    block = file.Block(256, 2, 32, "bf16")
    assert block.forward(way).shape == (64, 256) and torch.isfinite(block.forward(way)).all()
    with FlopCounterMode(display=False) as counter:
        block.rest()["products"]()
    formula = attention_flops(d_model=256, tokens=64)
    assert counter.get_total_flops() == formula["projections"] + formula["ffn"] == 24 * 256**2 * 64


def test_both_ways_give_the_same_block(pretended_gpu):
    block = file.Block(256, 1, 32, "bf16")
    precision.error_against(block.forward("naive"), block.forward("flash"), 2e-2)


def test_its_rehearsal(rehearse):
    result = rehearse.within_memory(attention_time_share)
    assert all(0 < result[f"{way}_share_{width}"] < 1 for way in WAYS for width in WIDTHS)
    assert result["flops_share_2048"] == attention_flops(d_model=128, tokens=32)["attention_share"]
    assert result["sweep"].x == WIDTHS and set(result["contexts"].lines) == {"d2048", "d12288"}
    assert (
        rehearse.expected(attention_time_share, result, "h100") > 24 * 12288**2 * 64 / DEVICES["h100"].half
        and rehearse.expected(attention_time_share, result, "gtx-0") is None
    )


def test_shares_are_of_the_parts_together():
    turns = timing.Turns({name: [(t, t)] * 2 for name, t in (("products", 5.0), ("elementwise", 2.0), ("naive", 3.0), ("flash", 1.0))})
    assert file.shares(turns) == {"naive": 0.3, "flash": 0.125}


def test_the_figure_of_a_made_up_record():
    drawn = plot.draw(
        attention_time_share, Result("attention_time_share", "measurement", attention_time_share.bind({}), attention_time_share.checked(made_up()))
    )
    assert "parameters of the model" in drawn.alt
