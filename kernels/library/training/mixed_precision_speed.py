"""What mixed precision can gain on a step: Amdahl's law over its matrix products, its memory-bound operations, and the rest.

    time = m / r + b / 2 + o        m + b + o = 1 in fp32        TF32 alone: m / r' + b + o

m: share of the fp32 step in matrix products, which run r times as fast on tensor cores, r' in TF32; b: share bound by memory traffic, which
16 bits halve at best and TF32 leaves; o: launches, the optimizer on fp32 weights, input. Rates: the data sheets' (machines/_devices.py).
"""

from typing import Annotated, Literal

from kernels import Bound, KernelError, Upper, kernel
from kernels.library.machines._devices import DEVICES

Share = Annotated[float, Bound(low=0.0, high=1.0)]


@kernel(
    kind="prediction",
    outputs={
        **{f"rate_{dtype}": Upper("FLOP/s") for dtype in ("fp32", "tf32", "half")},
        **dict.fromkeys(("rate_ratio", "rate_ratio_tf32", "other", "speedup", "speedup_tf32", "products_left", "limit"), ""),
    },
)
def mixed_precision_speed(gpu: Literal["a100", "h100"] = "a100", products: Share = 0.8, memory: Share = 0.15):
    """The rates, and a step's speed-up over fp32 and over fp32 with TF32 matrix products.

    products, memory: shares of the fp32 step in matrix products and in memory-bound operations; other: what is left, unchanged.
    products_left: the matrix products' share of the mixed step. rate_ratio: 16 bits over fp32, rate_ratio_tf32: over TF32. limit: the
    speed-up if matrix products took no time at all; with nothing else in the step, the ratio of the rates.
    """
    other = 1 - products - memory
    if other < -1e-12:
        raise KernelError(
            f"mixed_precision_speed: products {products} and memory {memory} are more than the whole step together: their sum must be at most 1"
        )
    fp32, tf32, half = (DEVICES[gpu].peak[dtype] for dtype in ("fp32", "tf32", "bf16"))
    fixed = memory / 2 + max(other, 0.0)
    step, tf32_step = products * fp32 / half + fixed, products * fp32 / tf32 + memory + max(other, 0.0)
    return {
        "rate_fp32": fp32,
        "rate_tf32": tf32,
        "rate_half": half,
        "rate_ratio": half / fp32,
        "rate_ratio_tf32": half / tf32,
        "other": max(other, 0.0),
        "speedup": 1 / step,
        "speedup_tf32": tf32_step / step,
        "products_left": products * fp32 / half / step,
        "limit": 1 / fixed if fixed else half / fp32,
    }


@mixed_precision_speed.figure
def draw(result, ax):
    from kernels import plot

    products, memory = result.parameters["products"], result.parameters["memory"]
    plot.stacked_bars(
        ax,
        {
            "fp32": {"matrix products": products, "memory-bound": memory, "rest": result["other"]},
            "mixed": {"matrix products": products / result["rate_ratio"], "memory-bound": memory / 2, "rest": result["other"]},
        },
        "percent",
    )
