"""A transformer block's norms: next to nothing of its arithmetic, and a good part of its time when they run op by op.

One Llama block's forward pass, taken apart: matrix products, attention, norms, and the elementwise rest (Ivanov et al.
2021, arXiv 2007.00072, sort a BERT layer's operators in this manner). Products do hundreds of FLOP for each byte, norms
about one, so the shares of FLOP and of time have little to do with each other; fusing removes bytes and leaves the FLOP.
"""

from typing import Annotated, Literal

from kernels import Bound, KernelError, kernel, timing
from kernels.library.transformers.norm_bandwidth import HEAD, PARTS, block_shares


@kernel(
    kind="measurement",
    outputs={
        **{f"{part}_flops_share": "" for part in PARTS},
        **{f"{part}_time_share": "" for part in PARTS},
        **{f"{part}_time_share_fused": "" for part in PARTS},
        "block_time": "s",
        "block_time_fused": "s",
        "parts_over_block": "",
    },
    needs=("triton",),
)
def norm_time_share(
    tokens: Annotated[int, Bound(low=128, high=2**18)] = 8192,
    width: Annotated[int, Bound(low=256, high=16384)] = 4096,
    dtype: Literal["bf16", "fp16", "fp32"] = "bf16",
):
    """Shares of FLOP and of time by part of a Llama block, its RMSNorms op by op and fused.

    parts_over_block: the parts' times together over the whole block's, near 1 where taking it apart changed nothing.
    """
    if width % HEAD:
        raise KernelError(f"norm_time_share: width is {width}, but must be a multiple of {HEAD}, the size of a head")
    device = timing.device()
    eager, fused = (block_shares(tokens, width, dtype, device, way) for way in ("eager", "fused"))
    return {
        **{f"{part}_flops_share": eager[f"{part}_flops_share"] for part in PARTS},
        **{f"{part}_time_share": eager[f"{part}_time_share"] for part in PARTS},
        **{f"{part}_time_share_fused": fused[f"{part}_time_share"] for part in PARTS},
        "block_time": eager["block_time"],
        "block_time_fused": fused["block_time"],
        "parts_over_block": eager["parts_time"] / eager["block_time"],
    }


@norm_time_share.figure
def draw(result, ax):
    from kernels import plot

    names = {"norms, of FLOP": "flops_share", "of time, op by op": "time_share", "of time, fused": "time_share_fused"}
    plot.bars(ax, {name: result[f"norms_{share}"] for name, share in names.items()}, "percent", highlight="of time, op by op")
