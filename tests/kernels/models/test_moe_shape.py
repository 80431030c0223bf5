"""DeepSeek-V3 counted part by part elsewhere; the sizes of released weights stand in published.yml."""

from kernels import plot
from kernels.library.models.model_shape import model_shape
from kernels.library.models.moe_shape import moe_shape


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
