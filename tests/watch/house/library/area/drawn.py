"""A number that somebody drew."""

from kernels import KernelError, kernel


@kernel(kind="simulation", outputs={"mean": ""}, tolerance=0.1)
def drawn(roll: int = 0):
    if roll == 13:
        raise KernelError("thirteen is never drawn")
    return {"mean": 0.5 + roll}
