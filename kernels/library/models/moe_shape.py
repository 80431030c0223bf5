"""The parameters of published mixtures of experts: how many are held, how many one token uses, and where they sit.

    held   = outside + L E e          used = outside + L k e          e = 3 d w   (SwiGLU: gate, up, down)

L layers of E routed experts of inner width w, k of them for a token; `outside` is everything else: attention, norms, embedding and
head, routers, shared experts, dense layers. A router is one linear map, d E weights; DeepSeek-V3 adds a bias for each expert.
Shapes and their sources: models/_models.py.
"""

import math

from kernels import kernel
from kernels.library.models._models import SHAPES, Mixture
from kernels.library.models.model_shape import model_shape

COUNTS = ("parameters", "active_parameters", "outside", "routed", "expert_everywhere", "router", "copies", "combinations", "top_k")
FIELDS = ("layers", "moe_layers", "d_model", "ffn", "experts", "shared_experts", "expert")


@kernel(
    kind="formula",
    outputs=dict.fromkeys((*COUNTS, *FIELDS), ""),
)
def moe_shape(model: Mixture):
    """A published mixture's exact parameters, those that one token uses, and how they split into routed experts and the rest.

    expert: one routed expert of one layer; expert_everywhere: one in each layer. routed: all experts. outside: what every token uses.
    router: one layer's. copies: the size that as many separate models as there are experts would have, each with `outside` of its own.
    combinations: the different sets of routed experts that a layer can give a token.
    """
    shape, counts = SHAPES[model], model_shape(model=model)
    everywhere = shape.moe_layers * shape.expert
    routed = shape.experts * everywhere
    outside = counts["parameters"] - routed
    return {
        "parameters": counts["parameters"],
        "active_parameters": outside + shape.active_experts * everywhere,
        "outside": outside,
        "routed": routed,
        "expert_everywhere": everywhere,
        "router": shape.of("router"),
        "copies": shape.experts * (outside + everywhere),
        "combinations": math.comb(shape.experts, shape.active_experts),
        "top_k": shape.active_experts,
        **{name: getattr(shape, name) for name in FIELDS},
    }


@moe_shape.figure
def draw(result, ax):
    from kernels import plot

    used = result["active_parameters"] - result["outside"]
    fills = {"outside the experts": plot.SKY, "chosen experts": plot.ACCENT, "the other experts": plot.STONE}
    parts = {"outside the experts": result["outside"], "chosen experts": used}
    rows = {"used by a token": parts, "held in memory": {**parts, "the other experts": result["parameters"] - result["active_parameters"]}}
    plot.stacked_bars(ax, rows, unit="", fills=fills)
