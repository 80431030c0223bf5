"""The shapes of published transformers: one row a model.

A decoder block holds four attention projections (five under latent attention) and an MLP of two matrices, three where it is gated, with or without
biases, and two norms. In a mixture the MLP stands once for each expert, behind a router. Around the blocks stand the token embedding, learned
positions in older models, a last norm, and an output head unless it is the embedding itself.

The shapes are those of the papers and of the released configurations; the vocabulary is the embedding's number of rows as released, padding included.

    GPT-2, GPT-3           Radford et al. 2019; Brown et al. 2020, arXiv 2005.14165, table 2.1
    OPT                    Zhang et al. 2022, arXiv 2205.01068, table 1
    BERT                   Devlin et al. 2018, arXiv 1810.04805, section 3
    Llama 1, 2, 3          Touvron et al. 2023, arXiv 2302.13971 and 2307.09288; Grattafiori et al. 2024, arXiv 2407.21783, table 3
    Mistral, Mixtral       Jiang et al. 2023 and 2024, arXiv 2310.06825 and 2401.04088
    Qwen2.5, Qwen3         Qwen Team 2024 and 2025, arXiv 2412.15115 and 2505.09388
    OLMoE                  Muennighoff et al. 2024, arXiv 2409.02060
    DeepSeek-V2, V3        DeepSeek-AI 2024, arXiv 2405.04434 and 2412.19437, section 4.2, without the multi-token prediction module
"""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal


@dataclass(frozen=True)
class Shape:
    """A transformer's published shape. `ffn` is the inner width of one expert where there are several."""

    layers: int
    d_model: int
    heads: int
    kv_heads: int
    head_dim: int
    ffn: int
    vocab: int
    gated: bool = True  # SwiGLU: gate, up, down; otherwise up, down
    tied: bool = False  # the output head is the embedding
    biases: Literal["none", "qkv", "all"] = "none"
    norm: Literal["rms", "layer"] = "rms"  # a weight, or a weight and a bias
    positions: int = 0  # rows of learned position (and segment) embeddings
    pooler: bool = False
    experts: int = 1
    active_experts: int = 1
    shared_experts: int = 0  # every token visits them, beside the active ones
    dense_layers: int = 0  # the first ones, with one MLP of the inner width dense_ffn in place of experts
    dense_ffn: int = 0
    router_bias: bool = False
    head_norms: int = 0  # weights of the norms on a layer's queries and keys
    latent: int = 0  # latent attention: the width that keys and values are made from, which is cached, ...
    rope: int = 0  # ... with one rotary key of this width for all heads
    query_latent: int = 0  # the width that queries are made from

    @property
    def attention_layers(self) -> dict[str, tuple[int, int]]:
        """The matrices of one block's attention as (inputs, outputs)."""
        d, q, kv = self.d_model, self.heads * self.head_dim, self.kv_heads * self.head_dim
        if not self.latent:
            return {"q": (d, q), "k": (d, kv), "v": (d, kv), "o": (q, d)}
        down = {"q_down": (d, self.query_latent), "kv_down": (d, self.latent + self.rope)}
        return {**down, "q_up": (self.query_latent, q + self.heads * self.rope), "kv_up": (self.latent, 2 * q), "o": (q, d)}

    @property
    def linear_layers(self) -> dict[str, tuple[int, int]]:
        """The matrices of one block as (inputs, outputs); those of the MLP stand once for every expert."""
        d = self.d_model
        mlp = {"gate": (d, self.ffn)} if self.gated else {}
        router = {"router": (d, self.experts)} if self.experts > 1 else {}
        return {**self.attention_layers, **router, **mlp, "up": (d, self.ffn), "down": (self.ffn, d)}

    def copies(self, layer: str) -> int:
        """How often a linear layer stands in one block."""
        return self.experts + self.shared_experts if layer in ("gate", "up", "down") else 1

    @property
    def linear(self) -> int:
        """The weights of all blocks' matrices, without biases: what weight quantisation and all-linear LoRA touch."""
        attention = sum(i * o for i, o in self.attention_layers.values())
        mlp = sum(self.copies(name) * i * o for name, (i, o) in self.linear_layers.items() if name not in self.attention_layers)
        return self.layers * attention + self.moe_layers * mlp + self.dense_layers * self.dense_mlp

    def bias(self, layer: str) -> int:
        has = self.biases == "all" or (self.biases == "qkv" and layer in ("q", "k", "v")) or (self.router_bias and layer == "router")
        return self.linear_layers[layer][1] if has else 0

    def of(self, layer: str) -> int:
        """All parameters of one linear layer of one block, every expert and bias counted."""
        inputs, outputs = self.linear_layers[layer]
        return self.copies(layer) * (inputs * outputs + self.bias(layer))

    @property
    def moe_layers(self) -> int:
        """The blocks with experts; all of them in a model that has one MLP a block."""
        return self.layers - self.dense_layers

    @property
    def dense_mlp(self) -> int:
        """The weights of the MLP of one of the dense layers before a mixture's."""
        return 3 * self.d_model * self.dense_ffn

    @property
    def expert(self) -> int:
        """The parameters of one expert of one layer."""
        return sum(self.of(layer) // self.copies(layer) for layer in ("gate", "up", "down") if layer in self.linear_layers)

    @property
    def cached(self) -> int:
        """The numbers that one layer caches for a token: keys and values of its key-value heads, or one latent and one rotary key."""
        return self.latent + self.rope if self.latent else 2 * self.kv_heads * self.head_dim


def gpt(layers: int, d_model: int, heads: int, positions: int, vocab: int = 50257) -> Shape:
    """GPT-2, GPT-3, OPT and BERT: multi-head attention, a plain MLP four times as wide, biases everywhere, tied head."""
    d = d_model
    return Shape(layers, d, heads, heads, d // heads, 4 * d, vocab, gated=False, tied=True, biases="all", norm="layer", positions=positions)


def bert(layers: int, d_model: int, heads: int) -> Shape:
    """512 positions and 2 segments; its norm after the embeddings takes the place of a last norm; a pooler on top."""
    return replace(gpt(layers, d_model, heads, 512 + 2, vocab=30522), pooler=True)


def llama(layers: int, d_model: int, heads: int, kv_heads: int, ffn: int, vocab: int, head_dim: int = 0, **more: Any) -> Shape:
    """Llama and its kin: grouped-query attention, SwiGLU, RMSNorm, rotary positions, no biases."""
    return Shape(layers, d_model, heads, kv_heads, head_dim or d_model // heads, ffn, vocab, **more)


def deepseek(layers: int, d_model: int, ffn: int, vocab: int, **more: Any) -> Shape:
    """DeepSeek-V2 and V3: 128 heads of 128 from latents of 1,536 for queries and 512 for keys and values, each normed, 64 rotary dimensions."""
    return llama(layers, d_model, 128, 128, ffn, vocab, head_dim=128, latent=512, rope=64, query_latent=1536, head_norms=512 + 1536, **more)


SHAPES = {
    "gpt2": gpt(12, 768, 12, 1024),
    "gpt2-medium": gpt(24, 1024, 16, 1024),
    "gpt2-large": gpt(36, 1280, 20, 1024),
    "gpt2-xl": gpt(48, 1600, 25, 1024),
    "gpt3-1.3b": gpt(24, 2048, 16, 2048),  # the table's 24 heads of 128 do not make its width
    "gpt3-2.7b": gpt(32, 2560, 32, 2048),
    "gpt3-6.7b": gpt(32, 4096, 32, 2048),
    "gpt3-13b": gpt(40, 5120, 40, 2048),  # 40 heads of 128, where the table's width is 5,140
    "gpt3-175b": gpt(96, 12288, 96, 2048),
    "opt-125m": gpt(12, 768, 12, 2050, vocab=50272),  # OPT's first two position rows are never used
    "opt-1.3b": gpt(24, 2048, 32, 2050, vocab=50272),
    "opt-6.7b": gpt(32, 4096, 32, 2050, vocab=50272),
    "opt-13b": gpt(40, 5120, 40, 2050, vocab=50272),
    "opt-30b": gpt(48, 7168, 56, 2050, vocab=50272),
    "opt-66b": gpt(64, 9216, 72, 2050, vocab=50272),
    "bert-base": bert(12, 768, 12),
    "bert-large": bert(24, 1024, 16),
    "llama-7b": llama(32, 4096, 32, 32, 11008, 32000),
    "llama-13b": llama(40, 5120, 40, 40, 13824, 32000),
    "llama-33b": llama(60, 6656, 52, 52, 17920, 32000),
    "llama-65b": llama(80, 8192, 64, 64, 22016, 32000),
    "llama-2-7b": llama(32, 4096, 32, 32, 11008, 32000),
    "llama-2-13b": llama(40, 5120, 40, 40, 13824, 32000),
    "llama-2-70b": llama(80, 8192, 64, 8, 28672, 32000),
    "llama-3-8b": llama(32, 4096, 32, 8, 14336, 128256),
    "llama-3-70b": llama(80, 8192, 64, 8, 28672, 128256),
    "llama-3.1-405b": llama(126, 16384, 128, 8, 53248, 128256),
    "llama-3.2-1b": llama(16, 2048, 32, 8, 8192, 128256, tied=True),
    "llama-3.2-3b": llama(28, 3072, 24, 8, 8192, 128256, tied=True),
    "mistral-7b": llama(32, 4096, 32, 8, 14336, 32000),
    "qwen2.5-0.5b": llama(24, 896, 14, 2, 4864, 151936, tied=True, biases="qkv"),
    "qwen2.5-1.5b": llama(28, 1536, 12, 2, 8960, 151936, tied=True, biases="qkv"),
    "qwen2.5-3b": llama(36, 2048, 16, 2, 11008, 151936, tied=True, biases="qkv"),
    "qwen2.5-7b": llama(28, 3584, 28, 4, 18944, 152064, biases="qkv"),
    "qwen2.5-14b": llama(48, 5120, 40, 8, 13824, 152064, biases="qkv"),
    "qwen2.5-32b": llama(64, 5120, 40, 8, 27648, 152064, biases="qkv"),
    "qwen2.5-72b": llama(80, 8192, 64, 8, 29568, 152064, biases="qkv"),
    "mixtral-8x7b": llama(32, 4096, 32, 8, 14336, 32000, experts=8, active_experts=2),
    "mixtral-8x22b": llama(56, 6144, 48, 8, 16384, 32000, experts=8, active_experts=2),
    "olmoe-1b-7b": llama(16, 2048, 16, 16, 1024, 50304, experts=64, active_experts=8, head_norms=2 * 2048),
    "qwen3-30b-a3b": llama(48, 2048, 32, 4, 768, 151936, head_dim=128, experts=128, active_experts=8, head_norms=2 * 128),
    "qwen3-235b-a22b": llama(94, 4096, 64, 4, 1536, 151936, head_dim=128, experts=128, active_experts=8, head_norms=2 * 128),
    "deepseek-v2": deepseek(60, 5120, 1536, 102400, experts=160, active_experts=6, shared_experts=2, dense_layers=1, dense_ffn=12288),
    "deepseek-v3": deepseek(
        61, 7168, 2048, 129280, experts=256, active_experts=8, shared_experts=1, dense_layers=3, dense_ffn=18432, router_bias=True
    ),
}

ALIKE = tuple(name for name, shape in SHAPES.items() if not shape.latent)  # every block is like the others, with queries, keys and values
MIXTURES = tuple(name for name, shape in SHAPES.items() if shape.experts > 1)

if TYPE_CHECKING:
    AnyModel = str
    Model = str
    Mixture = str
else:
    AnyModel = Literal[tuple(SHAPES)]
    Model = Literal[ALIKE]  # what most kernels take
    Mixture = Literal[MIXTURES]
