"""The compute-optimal model size counted with and without embeddings: one law, two exponents.

    L(N_T, D) = E + A / N_T^a + B / D^b,   N_T = N + w N^(1/3),   C = 6 N D  counted without embeddings

At the optimum D^b = (b B / (a A)) N_T^(a+1) / (N + w N^(1/3) / 3). Counted in total parameters, N_T ~ C^(b / (a + b)).
Pearce and Song 2024, arXiv 2406.12907, sections 2 and 3, with its w = 47491 and two sets of constants for Chinchilla's law, as there: those
published with it (Hoffmann et al. 2022, arXiv 2203.15556, appendix D.3) and those of Besiroglu et al. 2024, arXiv 2404.10102.
"""

import math
from typing import Annotated, Literal, NamedTuple

from kernels import Bound, Free, KernelError, Series, kernel
from kernels.library.transformers.scaling_bend import fit

OMEGA = 47491.0


class Law(NamedTuple):
    a: float  # A
    b: float  # B
    alpha: float
    beta: float


LAWS = {"besiroglu": Law(482.01, 2085.43, 0.3478, 0.3658), "hoffmann": Law(406.4, 410.7, 0.3392, 0.2849)}


@kernel(kind="formula", outputs={"without": "", "total": "", "large": "", "share_low": "", "share_high": "", "sweep": Series("parameters", "")})
def kaplan_chinchilla(
    low: Annotated[float, Bound(low=1.0)] = 768.0,
    high: Annotated[float, Bound(low=2.0)] = 1.5e9,
    points: Annotated[int, Bound(low=3, high=200)] = 40,
    constants: Annotated[Literal["besiroglu", "hoffmann"], Free("besiroglu", "hoffmann")] = "besiroglu",
):
    """The exponent of the best model size against compute, over non-embedding sizes `low` to `high`, by what is counted.

    without: parameters and compute counted without embeddings; total: both with them. large: the exponent without them at 100 billion
    parameters. share_low, share_high: the embeddings' share there. sweep: the local exponent without embeddings against the size. constants: of
    Chinchilla's law; Besiroglu et al. find that the published ones do not fit the paper's runs; both sets are in use, so free.
    """
    if high < 2 * low:
        raise KernelError(f"kaplan_chinchilla: high is {high:g}, but must be at least twice low, {low:g}, for an exponent between them")
    law = LAWS[constants]
    sizes = [low * (high / low) ** (i / (points - 1)) for i in range(points)]
    grid = [10.0**p for p in range(3, 13)]
    return {
        "without": -fit([compute(n, law) for n in sizes], [1 / n for n in sizes])[0],
        "total": law.beta / (law.alpha + law.beta),
        "large": local(1e11, law),
        "share_low": 1 - low / total(low),
        "share_high": 1 - high / total(high),
        "sweep": {"parameters": grid, "without": [local(n, law) for n in grid], "total": [law.beta / (law.alpha + law.beta)] * len(grid)},
    }


def total(size: float) -> float:
    return size + OMEGA * size ** (1 / 3)


def compute(size: float, law: Law) -> float:
    """The compute, without embeddings, for which a model of that size without embeddings is best."""
    return 6 * size * best_data(size, law)


def best_data(size: float, law: Law) -> float:
    slope = size + OMEGA * size ** (1 / 3) / 3
    return (law.beta * law.b / (law.alpha * law.a) * total(size) ** (law.alpha + 1) / slope) ** (1 / law.beta)


def local(size: float, law: Law) -> float:
    return math.log(1.01**2) / math.log(compute(size * 1.01, law) / compute(size / 1.01, law))


@kaplan_chinchilla.figure
def draw(result, ax):
    from kernels import plot

    plot.lines(
        ax,
        result["sweep"],
        xlog=True,
        labels={"without": "not counted", "total": "counted"},
        x_label="parameters without embeddings",
        y_label="exponent of the best size, embeddings counted or not",
        highlight="without",
    )
    ax.set_ylim(0.4, 1)
