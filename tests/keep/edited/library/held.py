"""Bytes that some parameters take."""

from typing import Literal

from kernels.library._sizes import BYTES

from kernels import KernelError, kernel

SCALE = 1


@kernel(kind="formula", outputs={"total": "B", "each": "B"})
def held(parameters: int, dtype: Literal["bf16", "fp32"] = "bf16"):
    if parameters > 10**12:
        raise KernelError(f"held: parameters is {parameters}, but must be at most 10**12")
    return {"total": SCALE * BYTES[dtype] * parameters, "each": SCALE * BYTES[dtype]}


@held.figure
def draw(result, ax):
    ax.append(f"shade 1 of {result['total']}")
    return f"A bar of {result['each']} B a parameter"
