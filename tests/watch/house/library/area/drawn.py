"""A number that somebody drew."""

from kernels import KernelError, kernel


@kernel(kind="simulation", outputs={"mean": ""}, tolerance=0.1)
def drawn(seed: int = 0):
    if seed == 13:
        raise KernelError("thirteen is never drawn")
    return {"mean": 0.5 + seed}
