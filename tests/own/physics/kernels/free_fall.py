"""Free fall without air: v = sqrt(2 g h), t = sqrt(2 h / g)."""

from math import sqrt
from typing import Annotated

from kernels import Bound, Series, kernel

HEIGHTS = (1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0)


@kernel(kind="formula", outputs={"speed": "m/s", "time": "s", "sweep": Series("height", "m/s", x_unit="m")})
def free_fall(height: Annotated[float, Bound("m", low=0)], gravity: Annotated[float, Bound("m/s/s", low=0.1)] = 9.81):
    """How fast and how long something falls from a height, in a vacuum."""
    return {
        "speed": sqrt(2 * gravity * height),
        "time": sqrt(2 * height / gravity),
        "sweep": {"height": list(HEIGHTS), "speed": [sqrt(2 * gravity * h) for h in HEIGHTS]},
    }


@free_fall.figure
def draw(result, ax):
    from kernels import plot

    plot.lines(ax, result["sweep"], x_label="height", y_label="speed on arrival", labels={"speed": ""})
