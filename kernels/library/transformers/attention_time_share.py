"""Attention's share of a GPT block's time, from 1.4B to 175B parameters: one block at its true width, taken apart.

    share of FLOP = 2 n d / (24 d^2 + 2 n d) for each token, causal        Kaplan et al. 2020, arXiv 2001.08361, table 1

Shapes: Brown et al. 2020, arXiv 2005.14165, table 2.1, but for heads of 128 throughout (the table's are 80 to 128). Attention here is
its core, scores to weighted values, written out (naive) or FlashAttention (arXiv 2205.14135); the projections belong to the rest.
"""

import functools
from typing import Annotated, Any, Literal

from kernels import Bound, Series, kernel, precision, timing
from kernels.library.machines.roofline_measure import LIMITS, plain_attention
from kernels.library.transformers.attention_flops import share_at
from kernels.library.transformers.attention_memory_time import WAYS

WIDTHS = (2048, 2560, 4096, 5120, 12288)  # 1.3B or 1.4B, 2.7B, 6.7B, 13B, 175B
TRUE = {width: width for width in WIDTHS}  # what a rehearsal makes small
ENDS = (WIDTHS[0], WIDTHS[-1])
NAMES = {2048: "1.4B", 4096: "6.7B", 12288: "175B"}
HEAD = 128
LENGTHS = (2048, 8192, 32768)  # of the sweep over the context
TOKENS = 8192  # in a batch of shorter sequences


def memory(tokens: int) -> int:
    """Bytes of the widest block with FlashAttention over the longest context, or written out over `tokens`; or of the check in float64."""
    width, batch = TRUE[WIDTHS[-1]], max(1, TOKENS // tokens)
    flash, naive = 40 * max(LENGTHS) * width, (28 + tokens / 32) * batch * tokens * width
    return round(max(24 * width**2 + max(flash, naive), 40 * TRUE[ENDS[0]] // HEAD * min(tokens, 512) ** 2))


@kernel(
    kind="measurement",
    outputs={
        **{f"{way}_share_{width}": "" for way in WAYS for width in WIDTHS},
        **{f"flops_share_{width}": "" for width in WIDTHS},
        **{f"{way}_block_{width}": "s" for way in WAYS for width in WIDTHS},
        **{f"block_speedup_{width}": "" for width in WIDTHS},
        **{f"attention_speedup_{width}": "" for width in WIDTHS},
        **{f"parts_over_block_{width}": "" for width in WIDTHS},
        **{f"{way}_error": "" for way in WAYS},
        "ceiling": "FLOP/s",
        "rest_of_ceiling": "",
        "sweep": Series("d_model", ""),
        "contexts": Series("tokens", "", "token"),
    },
    timeout=300,
    memory=memory,
    formats=lambda dtype: (dtype,),
    capability=8.0,  # FlashAttention
    rehearsal={"tokens": 32, "TOKENS": 64, "LENGTHS": (32, 64), "TRUE": dict.fromkeys(WIDTHS, 128)},
    headline="flash_block_12288",
    share="rest_of_ceiling",
    seconds=90,
)
def attention_time_share(tokens: Annotated[int, Bound("token", low=32, high=4096)] = 2048, dtype: Literal["bf16", "fp16"] = "bf16"):
    """Attention's share of one GPT block's forward time by width, naive and FlashAttention, beside its share of the FLOP.

    8192 tokens in sequences of `tokens`. share: the core's time over the parts' sum, each part timed alone, all in turns with the whole block;
    parts_over_block: that sum over the whole block's time, with FlashAttention. speedup: naive over flash, of the core and of the block.
    rest_of_ceiling: the widest block's matrix products against the fastest product. contexts: FlashAttention's share against the length,
    one sequence.
    """
    error = {way: checked(way, min(tokens, 512), dtype) for way in WAYS}
    ceiling = timing.multiplying(dtype)
    turns = {width: taken_apart(Block(TRUE[width], max(1, TOKENS // tokens), tokens, dtype), ceiling) for width in WIDTHS}
    contexts = {width: [flash_share(Block(TRUE[width], 1, length, dtype)) for length in LENGTHS] for width in ENDS}
    found = {width: shares(timed) for width, timed in turns.items()}
    flops = {width: share_at(tokens, TRUE[width], 4.0, causal=True) for width in WIDTHS}
    widest, products = turns[WIDTHS[-1]], 24 * TRUE[WIDTHS[-1]] ** 2 * max(1, TOKENS // tokens) * tokens
    return {
        **{f"{way}_share_{width}": found[width][way] for way in WAYS for width in WIDTHS},
        **{f"flops_share_{width}": flops[width] for width in WIDTHS},
        **{f"{way}_block_{width}": turns[width][f"{way}_block"] for way in WAYS for width in WIDTHS},
        **{f"block_speedup_{width}": turns[width].ratio("naive_block", "flash_block") for width in WIDTHS},
        **{f"attention_speedup_{width}": turns[width].ratio("naive", "flash") for width in WIDTHS},
        **{f"parts_over_block_{width}": parts(turns[width], "flash") / turns[width]["flash_block"].value for width in WIDTHS},
        **{f"{way}_error": error[way] for way in WAYS},
        "ceiling": ceiling.work / widest["ceiling"],
        "rest_of_ceiling": widest.ratio("ceiling", "products") * (products / ceiling.work),
        "sweep": {"d_model": list(WIDTHS), **{way: [found[width][way] for width in WIDTHS] for way in WAYS}, "flops": list(flops.values())},
        "contexts": {"tokens": list(LENGTHS), **{f"d{width}": line for width, line in contexts.items()}},
    }


def taken_apart(block, ceiling) -> timing.Turns:
    """A block's parts and the whole, for each way of attention, in turns with the fastest product."""
    core: dict[str, Any] = {way: functools.partial(block.core, way) for way in WAYS}
    whole: dict[str, Any] = {f"{way}_block": functools.partial(block.forward, way) for way in WAYS}
    return timing.in_turns(**block.rest(), **core, **whole, ceiling=ceiling.function)


def parts(turns: timing.Turns, way: str) -> float:
    """Seconds of all parts together."""
    return sum(turns[part].value for part in ("products", "elementwise", way))


def shares(turns: timing.Turns, ways=tuple(WAYS)) -> dict[str, float]:
    """The core's share of the parts' times, by way."""
    return {way: turns[way].value / parts(turns, way) for way in ways}


def flash_share(block) -> float:
    turns = timing.in_turns(**block.rest(), flash=functools.partial(block.core, "flash"))
    return shares(turns, ("flash",))["flash"]


class Block:
    """A GPT block (Radford et al. 2019): norm, attention, norm, FFN of four times the width with GELU, random weights of true shape."""

    def __init__(self, width: int, batch: int, tokens: int, dtype: str) -> None:
        import torch

        self.width, self.batch, self.tokens, self.heads = width, batch, tokens, width // HEAD

        def random(*shape: int, scale: float = 1.0):
            return torch.randn(*shape, dtype=precision.torch_dtype(dtype), device=timing.device()).mul_(scale)

        self.x, self.hidden = random(batch * tokens, width), random(batch * tokens, 4 * width)
        self.qkv, self.out = random(width, 3 * width, scale=width**-0.5), random(width, width, scale=width**-0.5)
        self.up, self.down = random(width, 4 * width, scale=width**-0.5), random(4 * width, width, scale=(4 * width) ** -0.5)
        self.weight, self.bias = random(width), random(width)
        self.q, self.k, self.v = (random(batch, self.heads, tokens, HEAD) for _ in range(3))

    def core(self, way: str):
        """Scores, softmax and weighted values, [batch, heads, tokens, head]."""
        return WAYS[way](self.q, self.k, self.v)

    def rest(self) -> dict:
        """The other parts as functions: matrix products; norms, GELU and sums."""
        return {
            "products": lambda: (self.x @ self.qkv, self.x @ self.out, self.x @ self.up, self.hidden @ self.down),
            "elementwise": lambda: (self.norm(self.x), self.norm(self.x), self.gelu(self.hidden), self.x + self.x, self.x + self.x),
        }

    def forward(self, way: str):
        """The whole block, [batch * tokens, width]."""
        shape = (self.batch, self.tokens, 3, self.heads, HEAD)
        q, k, v = (self.norm(self.x) @ self.qkv).view(shape).permute(2, 0, 3, 1, 4)
        attended = WAYS[way](q, k, v).transpose(1, 2).reshape(-1, self.width)
        x = self.x + attended @ self.out
        return x + self.gelu(self.norm(x) @ self.up) @ self.down

    def norm(self, x):
        from torch.nn import functional

        return functional.layer_norm(x, x.shape[-1:], self.weight, self.bias)

    def gelu(self, x):
        from torch.nn import functional

        return functional.gelu(x, approximate="tanh")


def checked(way: str, tokens: int, dtype: str) -> float:
    """The error of a block's attention against float64."""
    block = Block(TRUE[ENDS[0]], 1, tokens, dtype)
    return precision.error_against(plain_attention(block.q, block.k, block.v, causal=True), block.core(way), LIMITS[dtype])


@attention_time_share.predicted
def predict(result):
    from kernels.library.machines._devices import DEVICES
    from kernels.library.transformers.block_roofline import block_roofline

    gpu, tokens = result.made["device_class"], result.parameters["tokens"]
    if gpu not in DEVICES:
        return None
    return block_roofline(d_model=WIDTHS[-1], tokens=tokens, sequences=max(1, TOKENS // tokens), gpu=gpu)["block_time"]


@attention_time_share.figure
def draw(result, ax):
    from kernels import plot

    labels = {"naive": "written out", "flash": "Flash", "flops": "of FLOP"}
    plot.lines(ax, result["sweep"], xlog=True, unit="percent", labels=labels, x_label="parameters of the model", y_label="attention's share of time")
    ax.set_xticks(list(NAMES), list(NAMES.values()))
    ax.set_xlim(1800, None)
    ax.set_ylim(0, None)
    plot.height(ax, 230)
