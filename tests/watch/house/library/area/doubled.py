"""Twice a number."""

from kernels import kernel

FACTOR = 2


@kernel(kind="formula", outputs={"y": ""})
def doubled(x: int):
    return {"y": FACTOR * x}


@doubled.figure
def draw(result, ax):
    ax.bar([0], [result["y"]])
    return f"a bar of {result['y']}"
