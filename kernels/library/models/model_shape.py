"""The exact parameter count of published transformers, derived from their shapes, and where the parameters sit.

A decoder block holds four attention projections and two MLP matrices (three where the MLP is gated), with or
without biases, and two norms; around the blocks stand the token embedding, learned positions in older models,
a last norm, and an output head unless it is the embedding itself. The shapes are those of the papers
(Radford et al. 2019; Brown et al. 2020, table 2.1; Zhang et al. 2022, OPT, table 1; Touvron et al. 2023; Grattafiori
et al. 2024, table 3; Jiang et al. 2023, 2024; Qwen Team 2024) and of the released configurations; the vocabulary
is the embedding's number of rows as released, padding included.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from kernels import kernel


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
    experts: int = 1
    active_experts: int = 1
    pooler: bool = False

    @property
    def linear_layers(self) -> dict[str, tuple[int, int]]:
        """The matrices of one block as (inputs, outputs); those of the MLP stand once for every expert."""
        d, q, kv = self.d_model, self.heads * self.head_dim, self.kv_heads * self.head_dim
        mlp = {"gate": (d, self.ffn)} if self.gated else {}
        router = {"router": (d, self.experts)} if self.experts > 1 else {}
        return {"q": (d, q), "k": (d, kv), "v": (d, kv), "o": (q, d), **router, **mlp, "up": (d, self.ffn), "down": (self.ffn, d)}

    def copies(self, layer: str) -> int:
        """How often a linear layer stands in one block."""
        return self.experts if layer in ("gate", "up", "down") else 1

    @property
    def linear(self) -> int:
        """The weights of all blocks' matrices, without biases: what weight quantisation and all-linear LoRA touch."""
        return self.layers * sum(self.copies(name) * i * o for name, (i, o) in self.linear_layers.items())

    def bias(self, layer: str) -> int:
        has = self.biases == "all" or (self.biases == "qkv" and layer in ("q", "k", "v"))
        return self.linear_layers[layer][1] if has else 0

    def of(self, layer: str) -> int:
        """All parameters of one linear layer of one block, every expert and bias counted."""
        inputs, outputs = self.linear_layers[layer]
        return self.copies(layer) * (inputs * outputs + self.bias(layer))


def gpt(layers: int, d_model: int, heads: int, positions: int, vocab: int = 50257) -> Shape:
    """GPT-2, GPT-3, OPT and BERT: multi-head attention, a plain MLP four times as wide, biases everywhere, tied head."""
    d = d_model
    return Shape(layers, d, heads, heads, d // heads, 4 * d, vocab, gated=False, tied=True, biases="all", norm="layer", positions=positions)


def bert(layers: int, d_model: int, heads: int) -> Shape:
    """512 positions and 2 segments; its norm after the embeddings takes the place of a last norm; a pooler on top."""
    return Shape(**{**vars(gpt(layers, d_model, heads, 512 + 2, vocab=30522)), "pooler": True})


def llama(layers: int, d_model: int, heads: int, kv_heads: int, ffn: int, vocab: int, **more) -> Shape:
    """Llama and its kin: grouped-query attention, SwiGLU, RMSNorm, rotary positions, no biases."""
    return Shape(layers, d_model, heads, kv_heads, more.pop("head_dim", d_model // heads), ffn, vocab, **more)


SHAPES = {
    "gpt2": gpt(12, 768, 12, 1024),
    "gpt2-medium": gpt(24, 1024, 16, 1024),
    "gpt2-large": gpt(36, 1280, 20, 1024),
    "gpt2-xl": gpt(48, 1600, 25, 1024),
    "gpt3-2.7b": gpt(32, 2560, 32, 2048),
    "gpt3-6.7b": gpt(32, 4096, 32, 2048),
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
    "mixtral-8x7b": llama(32, 4096, 32, 8, 14336, 32000, experts=8, active_experts=2),
    "mixtral-8x22b": llama(56, 6144, 48, 8, 16384, 32000, experts=8, active_experts=2),
    "qwen2.5-0.5b": llama(24, 896, 14, 2, 4864, 151936, tied=True, biases="qkv"),
    "qwen2.5-1.5b": llama(28, 1536, 12, 2, 8960, 151936, tied=True, biases="qkv"),
    "qwen2.5-3b": llama(36, 2048, 16, 2, 11008, 151936, tied=True, biases="qkv"),
    "qwen2.5-7b": llama(28, 3584, 28, 4, 18944, 152064, biases="qkv"),
    "qwen2.5-14b": llama(48, 5120, 40, 8, 13824, 152064, biases="qkv"),
    "qwen2.5-32b": llama(64, 5120, 40, 8, 27648, 152064, biases="qkv"),
    "qwen2.5-72b": llama(80, 8192, 64, 8, 29568, 152064, biases="qkv"),
}

if TYPE_CHECKING:
    Model = str
else:
    Model = Literal[tuple(SHAPES)]

COUNTS = ("parameters", "active_parameters", "embedding", "attention", "mlp", "norms", "linear")
FIELDS = ("layers", "d_model", "heads", "kv_heads", "head_dim", "ffn", "vocab", "experts", "active_experts")


@kernel(kind="formula", outputs=dict.fromkeys((*COUNTS, *FIELDS), ""))
def model_shape(model: Model):
    """A published transformer's shape, its exact parameter count, and how many parameters one token uses.

    embedding: tokens, positions and the output head where it is a matrix of its own (and BERT's pooler).
    linear: the weights of the blocks' matrices, which quantisation and all-linear LoRA touch. active_parameters
    leaves out the experts that a token does not visit, and equals parameters where there is one expert.
    """
    shape = SHAPES[model]
    d = shape.d_model
    vector = d if shape.norm == "rms" else 2 * d
    embedding = d * (shape.vocab * (1 if shape.tied else 2) + shape.positions) + (d * d + d if shape.pooler else 0)
    attention = shape.layers * sum(shape.of(layer) for layer in ("q", "k", "v", "o"))
    mlp = shape.layers * sum(shape.of(layer) for layer in shape.linear_layers if layer not in ("q", "k", "v", "o"))
    norms = (2 * shape.layers + 1) * vector
    parameters = embedding + attention + mlp + norms

    expert = sum(shape.of(layer) for layer in shape.linear_layers if shape.copies(layer) > 1) // shape.experts
    idle = shape.layers * (shape.experts - shape.active_experts) * expert
    return {
        "parameters": parameters,
        "active_parameters": parameters - idle,
        "embedding": embedding,
        "attention": attention,
        "mlp": mlp,
        "norms": norms,
        "linear": shape.linear,
        **{name: getattr(shape, name) for name in FIELDS},
    }


@model_shape.figure
def draw(result, ax):
    from kernels import plot

    mlp = "MLP" if result["experts"] == 1 else "experts"
    parts = {"attention": result["attention"], mlp: result["mlp"], "embeddings": result["embedding"]}
    fills = {"attention": plot.SKY, mlp: plot.ACCENT, "embeddings": plot.SAND}
    plot.stacked_bars(ax, {result.parameters["model"]: parts}, unit="", fills=fills)
