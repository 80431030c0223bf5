"""A ring inside one node."""

from kernels import KernelError, kernel

NODE = 8  # GPUs behind one switch


@kernel(kind="formula", outputs={"time": "s"})
def flat_ring(gpus: int, size: int = 14 * 10**9):
    """The time of an all-reduce whose ring has one bandwidth."""
    if gpus > NODE:
        raise KernelError(f"flat_ring: {gpus} GPUs stand in several nodes of {NODE}: a ring has one bandwidth inside a node alone")
    return {"time": 2 * (gpus - 1) / gpus * size / 450e9}
