"""An area."""

from kernels import kernel


@kernel(kind="formula", outputs={"area": ""})
def square(side: int = 2):
    """Side times side."""
    return {"area": side**2}
