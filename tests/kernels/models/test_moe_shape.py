"""Oracles: the sizes of the released checkpoints, the papers' rounded counts, and DeepSeek-V3 counted part by part elsewhere."""

import pytest

from kernels import plot
from kernels.library.models._models import MIXTURES
from kernels.library.models.model_shape import model_shape
from kernels.library.models.moe_shape import moe_shape

RELEASED = {  # parameters in the released safetensors
    "mixtral-8x7b": 46_702_792_704,
    "mixtral-8x22b": 140_620_634_112,
    "olmoe-1b-7b": 6_919_161_856,
    "qwen3-30b-a3b": 30_532_122_624,
    "qwen3-235b-a22b": 235_093_634_560,
    "deepseek-v2": 235_741_434_880,
    "deepseek-v3": 671_026_419_200,
}
ACTIVE = {
    "mixtral-8x7b": 12.9e9,
    "mixtral-8x22b": 39e9,
    "olmoe-1b-7b": 1.3e9,
    "qwen3-30b-a3b": 3.3e9,
    "qwen3-235b-a22b": 22e9,
    "deepseek-v2": 21e9,
    "deepseek-v3": 37e9,
}


@pytest.mark.parametrize("model", MIXTURES)
def test_the_count_is_that_of_the_released_weights(model):
    assert moe_shape(model=model)["parameters"] == RELEASED[model]


@pytest.mark.parametrize("model", MIXTURES)
def test_a_token_uses_as_many_as_the_paper_says(model):
    assert moe_shape(model=model)["active_parameters"] == pytest.approx(ACTIVE[model], rel=0.02)


def test_deepseek_v3_part_by_part():
    got = moe_shape(model="deepseek-v3")
    assert (got["active_parameters"], got["routed"], got["router"]) == (37_552_297_472, 653_908_770_816, 256 * 7168 + 256)
    assert model_shape(model="deepseek-v3")["attention"] == 61 * (187_107_328 - 1536 - 512)  # without the norms inside attention


def test_the_parts_make_the_whole():
    got = moe_shape(model="deepseek-v3")
    assert got["outside"] + got["routed"] == got["parameters"]
    assert got["routed"] == got["experts"] * got["expert_everywhere"] == 58 * 256 * got["expert"]


def test_the_combinations_are_those_of_mixtral_and_olmoe():
    assert moe_shape(model="mixtral-8x7b")["combinations"] == 28
    assert moe_shape(model="olmoe-1b-7b")["combinations"] == 4_426_165_368  # 8 of 64, DeepSeekMoE (arXiv 2401.06066), section 3.1


def test_the_figure():
    assert "held in memory" in plot.draw(moe_shape, moe_shape(model="mixtral-8x7b")).alt
