"""The share of slots that a static batch uses, where answers are geometric (or exponential) in length.

A batch of n is over with its longest answer. The longest of n independent exponential lengths is on average H_n = 1 + 1/2 + .. + 1/n times their
mean, so that of n slots over the whole batch

    in use = 1 / H_n                     steps = H_n * mean

(order statistics of the exponential: Renyi 1953, Acta Mathematica Hungarica 4; Feller, An Introduction to Probability Theory II, section I.6).
Geometric lengths in tokens come to the same as soon as their mean is many tokens.
"""

from typing import Annotated

from kernels import Bound, Series, kernel

SIZES = tuple(2**k for k in range(9))


@kernel(
    kind="formula",
    outputs={"used": "", "idle": "", "longest": "token", "over_mean": "", "sweep": Series("batch", "")},
)
def static_batch_slots(
    batch: Annotated[int, Bound(low=1, high=100_000)] = 64,
    mean: Annotated[float, Bound("token", low=1, high=1e6)] = 338.0,
):
    """The slots of a static batch that are in use, averaged over its steps, where lengths are exponential.

    longest: the batch's longest answer, on average; over_mean: over the mean.
    sweep: the share in use against the batch.
    """

    def harmonic(n: int) -> float:
        return sum(1 / k for k in range(1, n + 1))

    h = harmonic(batch)
    return {
        "used": 1 / h,
        "idle": 1 - 1 / h,
        "longest": h * mean,
        "over_mean": h,
        "sweep": {"batch": SIZES, "in use": [1 / harmonic(n) for n in SIZES]},
    }


@static_batch_slots.figure
def draw(result, ax):
    from kernels import plot

    plot.lines(ax, result["sweep"], xlog=True, labels={"in use": ""}, x_label="requests in a static batch", y_label="share of slots in use")
    if 1 < result.parameters["batch"] <= 256:
        plot.mark(
            ax, result.parameters["batch"], result["used"], f"{100 * result['used']:.0f} % at {result.parameters['batch']}", plot.AMBER, "right above"
        )
