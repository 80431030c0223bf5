"""How fast something is: its records are made up."""

from kernels import kernel

RUNS = 5


@kernel(kind="measurement", outputs={"rate": "B/s"})
def rate(rows: int = 8):
    return {"rate": RUNS * rows}


@rate.figure
def draw(result, ax):
    ax.append(f"shade 1 of {result['rate']}")
    return f"A line at {result['rate']} B/s"
