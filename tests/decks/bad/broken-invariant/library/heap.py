"""Blocks that are taken and given back."""

import random

from kernels import kernel


@kernel(kind="simulation", outputs={"live": "B", "blocks": "B"}, draws=5)
def heap(steps: int = 8, seed: int = 0):
    """Bytes in use, counted as they come and go, and those of the blocks that are left."""
    drawn, live, held = random.Random(seed), 0, []
    for _ in range(steps):
        held.append(512 * drawn.randint(1, 4))
        live += held[-1]
        live -= 512 * (drawn.random() < 0.5)  # of a block that nobody gave back
    return {"live": live, "blocks": sum(held)}


@heap.invariant
def bytes_in_use_are_those_of_the_blocks(result):
    """The bytes in use are those of the blocks that are left."""
    return result["live"] == result["blocks"]
