"""GPTQ against rounding to nearest: what the later columns can make good of a column's rounding error.

Columns are rounded one by one; the error of column j, divided by the j-th diagonal element of the upper Cholesky factor U of the inverse Hessian,
is taken from the columns still to come, W[:, k] -= e_j U[j, k], so that the layer's output changes least
(Frantar et al. 2022, arXiv 2210.17323, algorithm 1; H = X X^T + damping). Where inputs are uncorrelated H is diagonal, nothing can be made
good, and GPTQ is rounding to nearest.

    error = |W X - Q X|_F / |W X|_F
"""

import math
from typing import Annotated

from kernels import Bound, Free, Series, kernel

DAMPING = 0.01  # of the Hessian's mean diagonal, the authors' choice


@kernel(
    kind="simulation",
    outputs={
        **dict.fromkeys(("nearest", "gptq", "ratio", "nearest_weights", "gptq_weights", "nearest_unseen", "gptq_unseen"), ""),
        "sweep": Series("correlation", ""),
    },
    tolerance=1e-3,
)
def gptq_rounding(
    rows: Annotated[int, Bound(low=4, high=1024)] = 128,
    columns: Annotated[int, Bound(low=4, high=1024), Free(64, 512)] = 256,
    bits: Annotated[int, Bound(low=2, high=8)] = 4,
    correlation: Annotated[float, Bound(low=0, high=0.99), Free(0.4, 0.95)] = 0.8,
    samples: Annotated[int, Bound(low=8, high=16384)] = 2048,
    seed: int = 0,
):
    """Output and weight error of a toy layer in few bits, rounded to nearest and by GPTQ; each row has one scale.

    Gaussian weights; input channel i correlates with channel j by correlation^|i - j|. nearest, gptq: output error on the calibration
    inputs; unseen: on fresh inputs; weights: |W - Q| / |W|. ratio: nearest / gptq. sweep: output error over the correlation.

    How far a layer's inputs correlate differs from layer to layer, and the paper gives no figure: correlation is free from weak to
    strong, and columns, the width.
    """
    correlations = [0.0, 0.2, 0.4, 0.6, 0.7, 0.8, 0.9]
    found = {c: errors(rows, columns, bits, c, samples, seed) for c in dict.fromkeys([*correlations, correlation])}
    mine = found[correlation]
    return {
        **mine,
        "ratio": mine["nearest"] / mine["gptq"],
        "sweep": {
            "correlation": correlations,
            "nearest": [found[c]["nearest"] for c in correlations],
            "gptq": [found[c]["gptq"] for c in correlations],
        },
    }


def errors(rows: int, columns: int, bits: int, correlation: float, samples: int, seed: int) -> dict[str, float]:
    import torch

    random = torch.Generator().manual_seed(seed)
    weights = torch.randn(rows, columns, generator=random, dtype=torch.float64)
    place = torch.arange(columns, dtype=torch.float64)
    factor = torch.linalg.cholesky(correlation ** (place[:, None] - place[None, :]).abs())
    seen, unseen = (factor @ torch.randn(columns, samples, generator=random, dtype=torch.float64) for _ in range(2))
    rounded = {"nearest": to_nearest(weights, bits), "gptq": gptq(weights, seen @ seen.T, bits)}
    size = {"": seen, "_unseen": unseen, "_weights": torch.eye(columns, dtype=torch.float64)}
    return {
        name + end: (((weights - quantised) @ against).norm() / (weights @ against).norm()).item()
        for name, quantised in rounded.items()
        for end, against in size.items()
    }


@gptq_rounding.invariant
def on_its_calibration_inputs_gptq_is_no_worse(result):
    """On the inputs that it saw, GPTQ leaves no more error than rounding to nearest, at any correlation, but for chance among the weights."""
    lines = [result["sweep"].values(name) for name in ("nearest", "gptq")]
    chance = 2 / math.sqrt(result.parameters["rows"] * result.parameters["columns"])
    return all(mine <= (1 + chance) * plain for plain, mine in zip(*lines, strict=True))


@gptq_rounding.invariant
def the_weights_own_error_is_least_when_rounded_to_nearest(result):
    """No other point of the grid lies nearer to the weights."""
    return result["nearest_weights"] <= result["gptq_weights"]


def to_nearest(weights, bits: int):
    scale = weights.abs().amax(1, keepdim=True) / (2 ** (bits - 1) - 1)
    return (weights / scale).round() * scale


def gptq(weights, hessian, bits: int):
    """Column by column, each rounded to its row's grid, its error passed on to the columns that follow."""
    import torch

    top = 2 ** (bits - 1) - 1
    scale = weights.abs().amax(1) / top
    damped = hessian + DAMPING * hessian.diagonal().mean() * torch.eye(len(hessian), dtype=hessian.dtype)
    upper = torch.linalg.cholesky(torch.linalg.inv(damped), upper=True)
    left, rounded = weights.clone(), torch.empty_like(weights)
    for j in range(weights.shape[1]):
        rounded[:, j] = (left[:, j] / scale).round().clamp(-top, top) * scale
        error = (left[:, j] - rounded[:, j]) / upper[j, j]
        left[:, j + 1 :] -= error[:, None] * upper[j, j + 1 :]
    return rounded


@gptq_rounding.figure
def draw(result, ax):
    from kernels import plot

    labels, x_label = {"nearest": "to nearest", "gptq": "GPTQ"}, "correlation of neighbouring inputs"
    plot.lines(ax, result["sweep"], unit="percent", labels=labels, x_label=x_label, y_label="output error", highlight="gptq")
