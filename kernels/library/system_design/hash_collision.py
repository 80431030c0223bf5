"""Whether two vectors get the same hash of random hyperplanes: each bit is the side of one plane on which a vector lies.

    a bit alike         1 - angle / pi
    all k bits          (1 - angle / pi)^k
    in one of L tables  1 - (1 - (1 - angle / pi)^k)^L

(Charikar 2002, Similarity estimation techniques from rounding algorithms, STOC; Indyk and Motwani 1998, STOC, for the tables.)
"""

import math
from typing import Annotated

from kernels import Bound, Series, kernel

COSINES = tuple(k / 50 for k in range(51))


@kernel(kind="formula", outputs={"angle": "", "bit": "", "same": "", "found": "", "strangers": "", "sweep": Series("cosine", "")})
def hash_collision(
    cosine: Annotated[float, Bound(low=-1.0, high=1.0)] = 0.95,
    bits: Annotated[int, Bound(low=1, high=4096)] = 64,
    tables: Annotated[int, Bound(low=1, high=4096)] = 1,
    other: Annotated[float, Bound(low=-1.0, high=1.0)] = 0.5,
):
    """The chance that two vectors of a cosine share a bucket of random hyperplanes, in one table or in one of several.

    angle: in radians. strangers: the chance of being found for vectors of the cosine `other`. sweep: found, by cosine.
    """

    def found(c: float) -> float:
        return 1 - (1 - (1 - math.acos(c) / math.pi) ** bits) ** tables

    bit = 1 - math.acos(cosine) / math.pi
    return {
        "angle": math.acos(cosine),
        "bit": bit,
        "same": bit**bits,
        "found": found(cosine),
        "strangers": found(other),
        "sweep": {"cosine": COSINES, "found": [found(c) for c in COSINES]},
    }


@hash_collision.figure
def draw(result, ax):
    from kernels import plot

    cosine = result.parameters["cosine"]
    plot.lines(ax, result["sweep"], labels={"found": ""}, unit="percent", x_label="cosine of the two questions", y_label="found in a bucket")
    plot.mark(ax, cosine, result["found"], f"{100 * result['found']:.2g} % at {cosine:g}", plot.AMBER, "left above")
