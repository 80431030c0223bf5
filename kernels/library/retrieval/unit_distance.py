"""Euclidean distance of two vectors of length 1 by their cosine:  |u - v|^2 = 2 - 2 cos, so the one rises as the other falls."""

import math
from typing import Annotated

from kernels import Bound, Series, kernel

COSINES = tuple(k / 10 - 1 for k in range(21))


@kernel(kind="formula", outputs={"distance": "", "squared": "", "cosine_distance": "", "angle": "", "sweep": Series("cosine", "")})
def unit_distance(cosine: Annotated[float, Bound(low=-1.0, high=1.0)] = 0.8):
    """The distance of two unit vectors, its square, the cosine distance 1 - cos, and the angle in degrees. sweep: the distance over the cosine."""
    return {
        "distance": math.sqrt(2 - 2 * cosine),
        "squared": 2 - 2 * cosine,
        "cosine_distance": 1 - cosine,
        "angle": math.degrees(math.acos(cosine)),
        "sweep": {"cosine": list(COSINES), "distance": [math.sqrt(2 - 2 * each) for each in COSINES]},
    }


@unit_distance.figure
def draw(result, ax):
    from kernels import plot

    cosine, distance = result.parameters["cosine"], result["distance"]
    plot.lines(ax, result["sweep"], labels={"distance": ""}, x_label="cosine", y_label="Euclidean distance")
    plot.mark(ax, cosine, distance, f"{distance:.3g} at {cosine:g}", where="right above")
