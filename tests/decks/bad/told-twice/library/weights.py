"""Weights."""

from kernels import kernel


@kernel(kind="formula", outputs={"total": "B"})
def weights(parameters: int):
    """Two bytes each."""
    return {"total": 2 * parameters}
