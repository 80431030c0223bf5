"""What cutting a vector off after m of d coordinates does to a cosine, where no coordinate matters more than another.

Of a pair of unit vectors with cosine c, turned at random, m coordinates are a sample of all d. The cosine of the parts then scatters about c as a
correlation of m of d cases does, by the large-sample formula (Fisher 1915) with the correction for a finite population (Cochran 1977, Sampling
Techniques):

    sd = (1 - c^2) sqrt((1 / m) (1 - m / d)),       and the parts' dot product is m / d of c on average.

A random turn keeps every cosine, so this is what an embedding without any order among its coordinates would do; Matryoshka training (Kusupati et al.
2022, arXiv 2205.13147) puts what matters first, for which there is no closed form.
"""

import math
from typing import Annotated

from kernels import Bound, KernelError, Series, kernel

SHOWN = (32, 64, 128, 256, 512, 768, 1024, 1536, 3072)


@kernel(kind="formula", outputs={"sd": "", "dot": "", "kept": "", "needed": "", "sweep": Series("kept dimensions", "")})
def truncated_cosine(
    kept_dimensions: Annotated[int, Bound(low=8, high=100_000)] = 256,
    dimension: Annotated[int, Bound(low=8, high=100_000)] = 768,
    cosine: Annotated[float, Bound(low=-0.99, high=0.99)] = 0.5,
    error: Annotated[float, Bound(low=0.001, high=0.5)] = 0.02,
):
    """The scatter of a pair's cosine after cutting both vectors to their first dimensions, in an embedding without order among its coordinates.

    dot: of the parts, not normalised again, on average. kept: the share of the bytes. needed: so many dimensions keep the sd at `error`. sweep:
    the sd over the kept dimensions.
    """
    if kept_dimensions > dimension:
        raise KernelError(f"truncated_cosine: {kept_dimensions} dimensions must be kept of as many at least, not of {dimension}")
    one = (1 - cosine**2) ** 2
    return {
        "sd": scatter(kept_dimensions, dimension, cosine),
        "dot": kept_dimensions / dimension * cosine,
        "kept": kept_dimensions / dimension,
        "needed": math.ceil(one / (error**2 + one / dimension)),
        "sweep": {
            "kept dimensions": [m for m in SHOWN if m < dimension] + [dimension],
            "sd": [scatter(m, dimension, cosine) for m in SHOWN if m < dimension] + [0.0],
        },
    }


def scatter(m: int, d: int, cosine: float) -> float:
    return (1 - cosine**2) * math.sqrt((1 / m) * (1 - m / d))


@truncated_cosine.figure
def draw(result, ax):
    from kernels import plot

    given = result.parameters
    plot.lines(ax, result["sweep"], xlog=True, labels={"sd": ""}, x_label=f"dimensions kept of {given['dimension']:,}", y_label="sd of the cosine")
    plot.mark(
        ax,
        given["kept_dimensions"],
        result["sd"],
        f"{plot.show(result['sd'], '')} at {given['kept_dimensions']}",
        plot.ACCENT,
        "right above",
        name="the kept",
    )
