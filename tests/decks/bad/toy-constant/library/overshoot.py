"""A toy whose constants decide its numbers."""

import random
from typing import Annotated

from kernels import Free, kernel


@kernel(kind="simulation", outputs={"over": "", "grown": ""})
def overshoot(curvature: Annotated[float, Free(0.1, 30.0)] = 1.0, seed: int = 0):
    """How far a toy overshoots.

    curvature: any from 0.1 to 30 could have been chosen.
    """
    drawn = random.Random(seed)
    return {"over": 1 + 0.4 * drawn.uniform(-1, 1) + 0.1 * curvature, "grown": 2 + curvature + 0.001 * drawn.random()}


@overshoot.invariant
def it_grows(result):
    """Grown is above two."""
    return result["grown"] > 2
