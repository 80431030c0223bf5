"""How many labelled questions tell two systems apart, if both answer the same ones, and if each answers its own.

    paired      n = (z sqrt(D) + z_power sqrt(D - g^2))^2 / g^2                  McNemar's test, Connor 1987, Biometrics 43(1)
    unpaired    n = (z sqrt(2 m (1 - m)) + z_power sqrt(p (1 - p) + q (1 - q)))^2 / g^2    each; Fleiss, Levin and Paik 2003, chapter 4

g = q - p is the gain in accuracy, m its middle, D the share of questions on which exactly one of the two is right. D is at least g, and
p (1 - q) + q (1 - p) where the systems err independently of one another.
"""

import math
from statistics import NormalDist
from typing import Annotated

from kernels import Bound, KernelError, Series, kernel


@kernel(
    kind="formula",
    outputs={
        **dict.fromkeys(("paired", "unpaired", "saving", "independent"), ""),
        "sweep": Series("disagreement", ""),
    },
)
def paired_eval_size(
    accuracy: Annotated[float, Bound(low=0.01, high=0.99)] = 0.8,
    gain: Annotated[float, Bound(low=0.001, high=0.5)] = 0.03,
    disagreement: Annotated[float, Bound(low=0.001, high=1.0)] = 0.1,
    confidence: Annotated[float, Bound(low=0.5, high=0.9999)] = 0.95,
    power: Annotated[float, Bound(low=0.5, high=0.9999)] = 0.8,
):
    """Questions that find a gain over `accuracy` with the wanted power, two-sided, on the same questions and on different ones (each system).

    saving: unpaired over paired. independent: the disagreement of systems whose errors are independent. sweep: paired questions against disagreement.
    """
    better = accuracy + gain
    if better > 1:
        raise KernelError(f"paired_eval_size: accuracy and gain are {better:g} together, but must be at most 1")
    most = min(better + accuracy, 2 - better - accuracy)
    if not gain <= disagreement <= most + 1e-12:
        raise KernelError(f"paired_eval_size: disagreement is {disagreement:g}, but must be from gain, {gain:g}, to {most:g}")
    z, z_power = NormalDist().inv_cdf((1 + confidence) / 2), NormalDist().inv_cdf(power)
    middle = (accuracy + better) / 2
    spread = z * math.sqrt(2 * middle * (1 - middle)) + z_power * math.sqrt(accuracy * (1 - accuracy) + better * (1 - better))
    paired, unpaired = math.ceil(pairs(gain, disagreement, z, z_power)), math.ceil(spread**2 / gain**2)
    grid = [gain + (most - gain) * k / 20 for k in range(21)]
    return {
        "paired": paired,
        "unpaired": unpaired,
        "saving": unpaired / paired,
        "independent": accuracy * (1 - better) + better * (1 - accuracy),
        "sweep": {"disagreement": grid, "paired": [pairs(gain, d, z, z_power) for d in grid]},
    }


def pairs(gain: float, disagreement: float, z: float, z_power: float) -> float:
    return (z * math.sqrt(disagreement) + z_power * math.sqrt(max(0.0, disagreement - gain**2))) ** 2 / gain**2


@paired_eval_size.figure
def draw(result, ax):
    from kernels import plot

    plot.lines(ax, result["sweep"], labels={"paired": ""}, x_label="share on which the systems disagree", y_label="shared questions", unit="")
    plot.mark(ax, result.parameters["disagreement"], result["paired"], f"{result['paired']:,.0f}", plot.ACCENT, "right below")
    plot.mark(ax, result["independent"], pairs_at(result), "independent errors", plot.AMBER, "left above")
    return (
        f"Shared questions needed against the share on which two systems disagree, a rising line: {result['paired']:,.0f} at "
        f"{result.parameters['disagreement']:.0%}, {pairs_at(result):,.0f} where errors are independent, at {result['independent']:.0%}."
    )


def pairs_at(result) -> float:
    z, z_power = NormalDist().inv_cdf((1 + result.parameters["confidence"]) / 2), NormalDist().inv_cdf(result.parameters["power"])
    return pairs(result.parameters["gain"], result["independent"], z, z_power)
