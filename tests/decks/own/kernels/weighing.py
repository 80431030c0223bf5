"""Weighings that scatter."""

import random
from typing import Annotated

from kernels import Bound, kernel
from kernels.library.machines._devices import DEVICES


@kernel(kind="simulation", outputs={"mass": "kg", "temperature": "K", "report": "page", "weight_of_a_gpu": "W/kg"}, draws=8)
def weighing(mass: Annotated[float, Bound("kg", 1e-3, 1e3)] = 0.5, seed: int = 0):
    """The mean of ten weighings with an error of 1 %, the room's temperature, and what the report takes."""
    rng = random.Random(seed)
    mean = sum(mass * rng.gauss(1, 0.01) for _ in range(10)) / 10
    return {"mass": mean, "temperature": 294.15, "report": 3, "weight_of_a_gpu": float(len(DEVICES))}
