"""Dot product, cosine and distance of two vectors of given lengths and angle, and how they hang together.

    a . b = |a| |b| cos          |a - b|^2 = |a|^2 + |b|^2 - 2 |a| |b| cos = 2 - 2 cos at length 1

so that at equal lengths all three order alike; at unequal ones the dot product prefers the longer and the distance the one whose length is |a| cos.
"""

import math
from typing import Annotated

from kernels import Bound, kernel


@kernel(kind="formula", outputs={"dot": "", "distance": "", "squared": "", "angle": "", "one_minus": ""})
def vector_similarity(
    cosine: Annotated[float, Bound(low=-1.0, high=1.0)] = 0.8,
    length: Annotated[float, Bound(low=0.0, high=1e6)] = 1.0,
    other_length: Annotated[float, Bound(low=0.0, high=1e6)] = 1.0,
):
    """The dot product and the Euclidean distance of two vectors by their lengths and their cosine.

    angle: in degrees. one_minus: 1 - cosine, which many libraries call the cosine distance.
    """
    dot = length * other_length * cosine
    squared = (length - other_length) ** 2 + 2 * length * other_length * (1 - cosine)
    return {
        "dot": dot,
        "distance": math.sqrt(squared),
        "squared": squared,
        "angle": math.degrees(math.acos(cosine)),
        "one_minus": 1 - cosine,
    }
