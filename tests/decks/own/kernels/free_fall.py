"""A fall without air, from rest."""

import math
from typing import Annotated

from kernels import Bound, Series, kernel, plot

GRAVITY = 9.81  # m/s²


@kernel(kind="formula", outputs={"duration": "s", "speed": "m/s", "energy": "J", "fall": Series("time", "m", "s")})
def free_fall(height: Annotated[float, Bound("m", 0.1, 1e5)] = 20.0, mass: Annotated[float, Bound("kg", 1e-3, 1e3)] = 0.5):
    """How long a body falls from a height, and with which speed and energy it reaches the ground. fall: its height over time."""
    duration = math.sqrt(2 * height / GRAVITY)
    times = [duration * step / 20 for step in range(21)]
    heights = [height - GRAVITY * time**2 / 2 for time in times]
    return {"duration": duration, "speed": GRAVITY * duration, "energy": mass * GRAVITY * height, "fall": {"time": times, "height": heights}}


@free_fall.figure
def draw(result, ax):
    plot.lines(ax, result.outputs["fall"], y_label="height", labels={"height": ""})
