import pytest

torch = pytest.importorskip("torch")

from kernels import plot, timing
from kernels.library.transformers import attention_time_share as file
from kernels.library.transformers.attention_flops import attention_flops
from kernels.library.transformers.attention_time_share import ENDS, WAYS, WIDTHS, attention_time_share
from kernels.record import Result

pytest_plugins = ("pretended_gpu",)


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
def test_the_block_computes_and_counts(way):
    from torch.utils.flop_counter import FlopCounterMode

    block = file.Block(256, 2, 32, "bf16", "cpu")
    assert block.forward(way).shape == (64, 256) and torch.isfinite(block.forward(way)).all()
    with FlopCounterMode(display=False) as counter:
        block.rest()["products"]()
    formula = attention_flops(d_model=256, tokens=64)
    assert counter.get_total_flops() == formula["projections"] + formula["ffn"] == 24 * 256**2 * 64


def test_both_ways_give_the_same_block():
    block = file.Block(256, 1, 32, "bf16", "cpu")
    timing.error_against(block.forward("naive"), block.forward("flash"), 2e-2)


def test_it_runs_from_end_to_end(pretended_gpu, monkeypatch):
    monkeypatch.setattr(timing, "matmul_rate", lambda n, dtype: timing.Spread(1e12, 1e12, 1e12))
    monkeypatch.setattr(file, "LENGTHS", (32,))
    monkeypatch.setattr(file, "TOKENS", 32)
    real = file.Block
    monkeypatch.setattr(file, "Block", lambda width, *more: real(128, *more))  # the true widths are too much for a CPU
    result = attention_time_share(tokens=32)
    assert all(0 < result[f"{way}_share_{width}"] < 1 for way in WAYS for width in WIDTHS)
    assert result["flops_share_2048"] == attention_flops(d_model=2048, tokens=32)["attention_share"]
    assert result["sweep"].x == WIDTHS and set(result["contexts"].lines) == {"d2048", "d12288"}


def test_the_figure_of_a_made_up_record():
    drawn = plot.draw(
        attention_time_share, Result("attention_time_share", "measurement", attention_time_share.bind({}), attention_time_share.checked(made_up()))
    )
    assert "parameters of the model" in drawn.alt
