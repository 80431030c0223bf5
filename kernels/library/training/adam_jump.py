"""Adam's step, in learning rates, when gradients that were noise around zero all at once have one sign and are `jump` times as large.

Before, m = 0 and v = 1 (in units of the old gradients' square); after k gradients of size R

    m_k = (1 - b1^k) R,   v_k = b2^k + (1 - b2^k) R^2,   step = m_k / sqrt(v_k)

For large R and small k this is (1 - b1^k) / sqrt(1 - b2^k): v lags, m does not, and a slow b2 lets steps through that are far larger than 1.
Bias correction is over by then and epsilon is left out.
"""

import math
from typing import Annotated

from kernels import Bound, Series, kernel


@kernel(
    kind="formula",
    outputs={"first": "", "peak": "", "peak_step": "", "memory": "", "first_at_most": "", "sweep": Series("step", "")},
)
def adam_jump(
    jump: Annotated[float, Bound(low=0.01, high=1e6)] = 100.0,
    beta1: Annotated[float, Bound(low=0.0, high=0.999)] = 0.9,
    beta2: Annotated[float, Bound(low=0.5, high=0.99999)] = 0.999,
    other: Annotated[float, Bound(low=0.5, high=0.99999)] = 0.95,
):
    """The first step after the jump and the largest of the next 1,000, in learning rates.

    memory: the steps that v remembers, 1 / (1 - beta2). first_at_most: the first step's limit for a huge jump. sweep: against beta2 = other.
    """
    found = [step(k, jump, beta1, beta2) for k in range(1, 1001)]
    peak = max(found)
    shown = range(1, 61)
    return {
        "first": found[0],
        "peak": peak,
        "peak_step": found.index(peak) + 1,
        "memory": 1 / (1 - beta2),
        "first_at_most": (1 - beta1) / math.sqrt(1 - beta2),
        "sweep": {
            "step": list(shown),
            "given": [step(k, jump, beta1, beta2) for k in shown],
            "other": [step(k, jump, beta1, other) for k in shown],
        },
    }


def step(k: int, jump: float, beta1: float, beta2: float) -> float:
    return (1 - beta1**k) * jump / math.sqrt(beta2**k + (1 - beta2**k) * jump**2)


@adam_jump.figure
def draw(result, ax):
    from kernels import plot

    names = {"given": f"β₂ = {result.parameters['beta2']:g}", "other": f"β₂ = {result.parameters['other']:g}"}
    plot.lines(ax, result["sweep"], labels=names, highlight="given", x_label="step after the jump", y_label="Adam's step / learning rate")
    ax.set_ylim(0, 1.3 * result["peak"])  # room for the mark's text under the axis label
    plot.mark(ax, result["peak_step"], result["peak"], plot.show(result["peak"], ""), where="right above")
