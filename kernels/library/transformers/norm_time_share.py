"""A transformer block's norms: next to nothing of its arithmetic, and a good part of its time when they run op by op.

One Llama block's forward pass, taken apart: matrix products, attention, norms, and the elementwise rest (Ivanov et al.
2021, arXiv 2007.00072, sort a BERT layer's operators in this manner). Products do hundreds of FLOP for each byte, norms
about one, so the shares of FLOP and of time have little to do with each other; fusing removes bytes and leaves the FLOP.
"""

import functools
from typing import Annotated, Any, Literal

from kernels import Bound, KernelError, kernel, precision, timing
from kernels.library.transformers.norm_bandwidth import SIZE, inputs, prepared

PARTS = ("matmul", "attention", "norms", "elementwise")
HEAD = 128  # the width of an attention head
SEQUENCE = 2048  # tokens that attend to each other
FLOP = {"norm": 4, "rotary": 3, "swiglu": 5, "add": 1}  # per element: square, add, two products; two products, a sum; exp, add, divide, two products
WAYS = ("eager", "fused")


@kernel(
    kind="measurement",
    outputs={
        **{f"{part}_flops_share": "" for part in PARTS},
        **{f"{part}_time_share": "" for part in PARTS},
        **{f"{part}_time_share_fused": "" for part in PARTS},
        "block_time": "s",
        "block_time_fused": "s",
        "parts_over_block": "",
        "ceiling": "FLOP/s",
        "matmul_of_ceiling": "",
    },
    needs=("triton",),
    memory=lambda tokens, width, dtype: SIZE[dtype] * (12 * width**2 + 25 * tokens * width),
    formats=lambda dtype: (dtype,),
    capability=8.0,  # Triton
    rehearsal={"tokens": 128, "width": 256, "SEQUENCE": 64},
    headline="block_time_fused",
    share="matmul_of_ceiling",
    seconds=15,
)
def norm_time_share(
    tokens: Annotated[int, Bound(low=128, high=2**18)] = 8192,
    width: Annotated[int, Bound(low=256, high=16384)] = 4096,
    dtype: Literal["bf16", "fp16", "fp32"] = "bf16",
):
    """Shares of FLOP and of time by part of a Llama block, its RMSNorms op by op and fused.

    Parts: matmul (projections), attention, norms (two RMSNorms), elementwise (rotary embedding, SwiGLU, residual sums), each timed alone, all in
    turns with the whole block and the fastest matrix product, the ceiling. parts_over_block: the parts' times together over the whole block's,
    near 1 where taking it apart changed nothing.
    """
    if width % HEAD:
        raise KernelError(f"norm_time_share: width is {width}, but must be a multiple of {HEAD}, the size of a head")
    block = Block(tokens, width, dtype, timing.device())
    norm = {way: prepared(way, "rms", *inputs(block.tokens, width, dtype, timing.device())) for way in WAYS}
    ceiling = timing.multiplying(dtype)
    whole: dict[str, Any] = {f"block_{way}": functools.partial(block.forward, norm[way]) for way in WAYS}
    norms = {f"norms_{way}": block.parts(norm[way])["norms"] for way in WAYS}
    others = {part: run for part, run in block.parts(norm["eager"]).items() if part != "norms"}
    turns = timing.in_turns(**others, **norms, **whole, ceiling=ceiling.function)
    flops = block_flops(tokens, width)
    seconds = {way: {part: turns[part if part in others else f"norms_{way}"].value for part in PARTS} for way in WAYS}
    total = {way: sum(seconds[way].values()) for way in WAYS}
    return {
        **{f"{part}_flops_share": flops[part] / sum(flops.values()) for part in PARTS},
        **{f"{part}_time_share": seconds["eager"][part] / total["eager"] for part in PARTS},
        **{f"{part}_time_share_fused": seconds["fused"][part] / total["fused"] for part in PARTS},
        "block_time": turns["block_eager"],
        "block_time_fused": turns["block_fused"],
        "parts_over_block": total["eager"] / turns["block_eager"].value,
        "ceiling": ceiling.work / turns["ceiling"],
        "matmul_of_ceiling": turns.ratio("ceiling", "matmul") * (flops["matmul"] / ceiling.work),
    }


class Block:
    """The operations of a Llama block (Touvron et al. 2023, arXiv 2302.13971) on random values of true shape."""

    def __init__(self, tokens: int, width: int, dtype: str, device: str) -> None:
        import torch

        self.batch = max(1, tokens // SEQUENCE)
        self.length = tokens // self.batch
        self.tokens, self.width, self.heads = (self.batch * self.length, width, width // HEAD)
        self.ffn = ffn_of(width)

        def random(*shape: int, scale: float = 1.0):
            return torch.randn(*shape, dtype=precision.torch_dtype(dtype), device=device).mul_(scale)

        self.qkv, self.out = (random(width, 3 * width, scale=width**-0.5), random(width, width, scale=width**-0.5))
        self.up, self.down = (random(width, 2 * self.ffn, scale=width**-0.5), random(self.ffn, width, scale=self.ffn**-0.5))
        self.x, self.hidden = random(self.tokens, width), random(self.tokens, self.ffn)
        self.q, self.k, self.v = (random(self.batch, self.heads, self.length, HEAD) for _ in range(3))
        angle = torch.outer(torch.arange(self.length, device=device), 10000 ** (-torch.arange(0, HEAD, 2, device=device) / HEAD)).repeat(1, 2)
        self.cosine, self.sine = (f(angle).to(precision.torch_dtype(dtype)) for f in (torch.cos, torch.sin))

    def parts(self, norm) -> dict:
        """Each part of the block as a function of no arguments."""
        x = self.x
        return {
            "matmul": lambda: (x @ self.qkv, x @ self.out, x @ self.up, self.hidden @ self.down),
            "attention": lambda: self.attention(self.q, self.k, self.v),
            "norms": lambda: (norm(), norm()),
            "elementwise": lambda: (self.rotary(self.q), self.rotary(self.k), self.swiglu(self.hidden, self.hidden), x + x, x + x),
        }

    def forward(self, norm):
        """The block as a whole; `norm` computes on a tensor of its own, of the same shape."""
        q, k, v = (norm() @ self.qkv).view(self.batch, self.length, 3, self.heads, HEAD).permute(2, 0, 3, 1, 4)
        attended = self.attention(self.rotary(q), self.rotary(k), v).transpose(1, 2).reshape(self.tokens, self.width)
        x = self.x + attended @ self.out
        gate, up = (norm() @ self.up).chunk(2, -1)
        return x + self.swiglu(gate, up) @ self.down

    def attention(self, q, k, v):
        from torch.nn import functional

        return functional.scaled_dot_product_attention(q, k, v, is_causal=True)

    def rotary(self, x):
        import torch

        low, high = x.chunk(2, -1)
        return x * self.cosine + torch.cat((-high, low), -1) * self.sine

    def swiglu(self, gate, up):
        from torch.nn import functional

        return functional.silu(gate) * up


def block_flops(tokens: int, width: int) -> dict[str, float]:
    """FLOP of a block by part; a causal attention computes half of its two products."""
    batch = max(1, tokens // SEQUENCE)
    length = tokens // batch
    elements = batch * length * width
    return {
        "matmul": 2 * elements * (4 * width + 3 * ffn_of(width)),
        "attention": 2 * elements * length,
        "norms": 2 * FLOP["norm"] * elements,
        "elementwise": 2 * FLOP["rotary"] * elements + FLOP["swiglu"] * batch * length * ffn_of(width) + 2 * FLOP["add"] * elements,
    }


def ffn_of(width: int) -> int:
    """8/3 of the width in whole 256s: 11008 for 4096."""
    return -(-8 * width // 3 // 256) * 256


@norm_time_share.predicted
def predict(result):
    from kernels.library.machines._devices import DEVICES
    from kernels.library.transformers.block_roofline import block_roofline

    gpu, (tokens, width) = result.made["device_class"], (result.parameters[name] for name in ("tokens", "width"))
    if gpu not in DEVICES or SIZE[result.parameters["dtype"]] != 2:
        return None
    sequences = max(1, tokens // SEQUENCE)
    shape = {"d_model": width, "ffn_ratio": ffn_of(width) / width, "tokens": tokens // sequences, "sequences": sequences}
    return block_roofline(**shape, gated=True, norm="rms", gpu=gpu)["block_time"]


@norm_time_share.figure
def draw(result, ax):
    from kernels import plot

    names = {"norms, of FLOP": "flops_share", "of time, op by op": "time_share", "of time, fused": "time_share_fused"}
    plot.bars(ax, {name: result[f"norms_{share}"] for name, share in names.items()}, "percent", highlight="of time, op by op")
