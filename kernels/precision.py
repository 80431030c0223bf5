"""Number formats and right results: what torch calls a format, how matrix products round, how far a result is off its reference.

Apart from timing.py because simulations and traces ask for it too, and a change of how times are taken must not make their records stale.
"""

from __future__ import annotations

import contextlib
import math
from collections.abc import Iterator
from typing import Any

from kernels.results import KernelError

DTYPES = {"fp64": "float64", "fp32": "float32", "tf32": "float32", "bf16": "bfloat16", "fp16": "float16"}


def torch_dtype(name: str) -> Any:
    """The torch dtype of a name of DTYPES."""
    import torch

    return getattr(torch, DTYPES[name])


@contextlib.contextmanager
def matrix_precision(dtype: str) -> Iterator[None]:
    """While it lasts, fp32 matrix products run in full fp32, or in the matrix units' own format for "tf32"."""
    import torch

    before = torch.get_float32_matmul_precision()
    torch.set_float32_matmul_precision("high" if dtype == "tf32" else "highest")
    try:
        yield
    finally:
        torch.set_float32_matmul_precision(before)


def error_against(reference: Any, result: Any, limit: float = math.inf) -> float:
    """The largest absolute difference of two tensors over the reference's largest magnitude, computed in float64.

    One wrong element shows, however many are right. Raises KernelError where it exceeds `limit` or is not a number.
    """
    wide = reference.double()
    scale = wide.abs().max().item() or 1.0
    error = (result.double() - wide).abs().max().item() / scale
    if not error <= limit:
        raise KernelError(f"the result is off its reference by {error:.2g} of the largest value (allowed: {limit:.2g}), so it is not timed")
    return error
