"""The memory that training holds whatever the batch: weights, gradients, master copy and optimizer moments.

Mixed-precision AdamW keeps, per parameter, a low-precision weight and gradient, an fp32 master weight and two
fp32 moments: 2 + 2 + 4 + 4 + 4 = 16 bytes (Rajbhandari et al. 2020, ZeRO, arXiv 1910.02054, section 3.1).
Activations come on top and are not counted here.
"""

from typing import Annotated, Literal

from kernels import Bound, kernel

BYTES = {"fp32": 4, "bf16": 2, "fp16": 2, "fp8": 1, "int8": 1, "none": 0}
Dtype = Literal["fp32", "bf16", "fp16", "fp8", "int8", "none"]
PARTS = {"weights": "B", "gradients": "B", "master": "B", "optimizer": "B"}


@kernel(kind="formula", outputs={**PARTS, "total": "B", "per_parameter": "B"})
def training_memory(
    parameters: Annotated[int, Bound(low=1)],
    weights: Dtype = "bf16",
    gradients: Dtype = "bf16",
    master: Dtype = "fp32",
    moments: Annotated[int, Bound(low=0, high=4)] = 2,
    moment_dtype: Dtype = "fp32",
):
    per_parameter = {
        "weights": BYTES[weights],
        "gradients": BYTES[gradients],
        "master": BYTES[master],
        "optimizer": moments * BYTES[moment_dtype],
    }
    total = sum(per_parameter.values())
    return {
        **{part: size * parameters for part, size in per_parameter.items()},
        "total": total * parameters,
        "per_parameter": total,
    }


@training_memory.figure
def draw(result, ax):
    from kernels import plot

    plot.stacked_bars(ax, {"": {part: result[part] for part in PARTS}}, unit="B")
