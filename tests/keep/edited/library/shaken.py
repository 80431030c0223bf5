"""The mean of a shaken die: its records are made up."""

from kernels import kernel

FACES = 6


@kernel(kind="simulation", outputs={"mean": ""})
def shaken(roll: int = 0):
    return {"mean": roll / FACES}


@shaken.figure
def draw(result, ax):
    ax.append(f"shade 1 of {result['mean']}")
