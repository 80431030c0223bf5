"""Oracles: the widths of released configurations, torch modules of the same shape, and the algebra of the parity."""

import pytest

from kernels import plot
from kernels.library.models._models import SHAPES
from kernels.library.transformers.ffn_budget import ffn_budget


@pytest.mark.parametrize("model", ["llama-7b", "llama-13b", "llama-33b", "llama-65b", "llama-2-7b", "llama-2-13b"])
def test_llamas_widths_are_eight_thirds_rounded_up(model):
    assert ffn_budget(d_model=SHAPES[model].d_model, multiple_of=256)["hidden"] == SHAPES[model].ffn


@pytest.mark.parametrize(("model", "multiple", "factor"), [("llama-2-70b", 4096, 1.3), ("llama-3-8b", 1024, 1.3), ("llama-3-70b", 4096, 1.3)])
def test_later_llamas_multiply_first(model, multiple, factor):
    """params.json of the released weights: ffn_dim_multiplier and multiple_of."""
    assert ffn_budget(d_model=SHAPES[model].d_model, multiple_of=multiple, multiplier=factor)["hidden"] == SHAPES[model].ffn


@pytest.mark.parametrize("gated", [False, True])
def test_parameters_are_those_of_torch_modules(gated):
    nn = pytest.importorskip("torch").nn
    found = ffn_budget(d_model=96, expansion=4.0, gated=gated)
    pairs = [(96, 384)] * (2 if gated else 1) + [(384, 96)]
    assert found["parameters"] == sum(nn.Linear(i, o, bias=False).weight.numel() for i, o in pairs)
    assert found["flops"] == 2 * found["parameters"]


def test_parity():
    found = ffn_budget(d_model=768)
    assert (found["hidden"], found["over_plain"], found["parity"]) == (2048, 1.0, 8 / 3)  # the paper's own widths, 3072 and 2048
    assert ffn_budget(expansion=4.0)["over_plain"] == 1.5
    assert ffn_budget(expansion=4.0)["block_over_plain"] == pytest.approx(16 / 12)


def test_the_figure():
    assert "8/3" in plot.draw(ffn_budget, ffn_budget()).alt
