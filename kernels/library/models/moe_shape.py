"""The parameters of published mixtures of experts: how many are held, how many one token uses, and where they sit.

    held   = outside + L E e          used = outside + L k e          e = 3 d w   (SwiGLU: gate, up, down)

L layers of E routed experts of inner width w, k of them for a token; `outside` is everything else: attention, norms, embedding and
head, routers, shared experts, dense layers. A router is one linear map, d E weights; DeepSeek-V3 adds a bias for each expert.
Shapes: Jiang et al. 2024 (Mixtral, arXiv 2401.04088); DeepSeek-AI 2024 (DeepSeek-V3, arXiv 2412.19437, section 4.2, without its
multi-token prediction module); Qwen Team 2025 (Qwen3, arXiv 2505.09388); Muennighoff et al. 2024 (OLMoE, arXiv 2409.02060); and
the released configurations.
"""

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from kernels import kernel


@dataclass(frozen=True)
class Mixture:
    """A mixture's published shape. attention: parameters of one layer's attention with the norms inside it."""

    layers: int
    d_model: int
    vocab: int
    attention: int
    experts: int
    top_k: int
    ffn: int
    shared_experts: int = 0
    dense_layers: int = 0  # the first ones, with a plain MLP
    dense_ffn: int = 0
    router_bias: bool = False

    @property
    def moe_layers(self) -> int:
        return self.layers - self.dense_layers

    @property
    def expert(self) -> int:
        return 3 * self.d_model * self.ffn

    @property
    def router(self) -> int:
        return self.experts * (self.d_model + self.router_bias)

    @property
    def embedding(self) -> int:
        """One of the two matrices, token embedding or head: untied in all of these."""
        return self.vocab * self.d_model

    @property
    def outside(self) -> int:
        """What every token uses: all but the routed experts."""
        norms = (2 * self.layers + 1) * self.d_model
        blocks = self.layers * self.attention + self.moe_layers * (self.router + self.shared_experts * self.expert)
        return 2 * self.embedding + norms + blocks + self.dense_layers * 3 * self.d_model * self.dense_ffn


def grouped(d: int, heads: int, kv_heads: int, head_dim: int = 128, norms: int = 0) -> int:
    """Grouped-query attention: q, k, v, o, and norms on queries and keys where there are any."""
    return 2 * d * head_dim * (heads + kv_heads) + norms


def latent(d: int, heads: int, query: int, keys: int, nope: int, rope: int, value: int) -> int:
    """DeepSeek's latent attention: down- and up-projections of queries and of keys with values, a norm on each latent, o."""
    return d * query + query + query * heads * (nope + rope) + d * (keys + rope) + keys + keys * heads * (nope + value) + heads * value * d


MIXTURES = {
    "mixtral-8x7b": Mixture(32, 4096, 32000, grouped(4096, 32, 8), experts=8, top_k=2, ffn=14336),
    "mixtral-8x22b": Mixture(56, 6144, 32000, grouped(6144, 48, 8), experts=8, top_k=2, ffn=16384),
    "olmoe-1b-7b": Mixture(16, 2048, 50304, grouped(2048, 16, 16, norms=2 * 2048), experts=64, top_k=8, ffn=1024),
    "qwen3-30b-a3b": Mixture(48, 2048, 151936, grouped(2048, 32, 4, norms=2 * 128), experts=128, top_k=8, ffn=768),
    "qwen3-235b-a22b": Mixture(94, 4096, 151936, grouped(4096, 64, 4, norms=2 * 128), experts=128, top_k=8, ffn=1536),
    "deepseek-v3": Mixture(
        61, 7168, 129280, latent(7168, 128, 1536, 512, 128, 64, 128),
        experts=256, top_k=8, ffn=2048, shared_experts=1, dense_layers=3, dense_ffn=18432, router_bias=True,
    ),
}  # fmt: skip

if TYPE_CHECKING:
    Mix = str
else:
    Mix = Literal[tuple(MIXTURES)]

FIELDS = ("layers", "moe_layers", "d_model", "ffn", "experts", "top_k", "shared_experts", "expert", "router", "outside")


@kernel(
    kind="formula", outputs=dict.fromkeys(("parameters", "active_parameters", "expert_everywhere", "routed", "copies", "combinations", *FIELDS), "")
)
def moe_shape(model: Mix):
    """A published mixture's exact parameters, those that one token uses, and how they split into routed experts and the rest.

    expert: one routed expert of one layer; expert_everywhere: one in each layer. routed: all experts. outside: what every token uses.
    router: one layer's. copies: the size that as many separate models as there are experts would have, each with `outside` of its own.
    combinations: the different sets of routed experts that a layer can give a token.
    """
    mix = MIXTURES[model]
    everywhere = mix.moe_layers * mix.expert
    return {
        "parameters": mix.outside + mix.experts * everywhere,
        "active_parameters": mix.outside + mix.top_k * everywhere,
        "expert_everywhere": everywhere,
        "routed": mix.experts * everywhere,
        "copies": mix.experts * (mix.outside + everywhere),
        "combinations": math.comb(mix.experts, mix.top_k),
        **{name: getattr(mix, name) for name in FIELDS},
    }


@moe_shape.figure
def draw(result, ax):
    from kernels import plot

    used = result["active_parameters"] - result["outside"]
    fills = {"outside the experts": plot.SKY, "chosen experts": plot.ACCENT, "the other experts": plot.STONE}
    parts = {"outside the experts": result["outside"], "chosen experts": used}
    rows = {"used by a token": parts, "held in memory": {**parts, "the other experts": result["parameters"] - result["active_parameters"]}}
    plot.stacked_bars(ax, rows, unit="", fills=fills)
