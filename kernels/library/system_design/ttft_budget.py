"""The time to the first visible token as a sum of parts, each between two ends.

    sum of the low ends .. sum of the high ends        means add up whether parts depend on each other or not; percentiles do not

Where each part lies within its ends nine times in ten, independently and about normally, so does the sum within

    middle ± sqrt(sum of half widths squared)
"""

import math
from typing import Annotated

from kernels import Bound, KernelError, kernel


@kernel(
    kind="formula",
    outputs={"low": "s", "middle": "s", "high": "s", "spread": "s", "p95": "s", "model_share": "", "outside": "s"},
)
def ttft_budget(
    network: Annotated[float, Bound("s", low=0.0, high=10.0)] = 0.05,
    gateway: Annotated[float, Bound("s", low=0.0, high=10.0)] = 0.01,
    retrieval_low: Annotated[float, Bound("s", low=0.0, high=10.0)] = 0.1,
    retrieval_high: Annotated[float, Bound("s", low=0.0, high=10.0)] = 0.15,
    model_low: Annotated[float, Bound("s", low=0.0, high=100.0)] = 0.3,
    model_high: Annotated[float, Bound("s", low=0.0, high=100.0)] = 0.5,
):
    """What passes until the first token is seen: network, gateway, retrieval, and the model's own time to its first token.

    p95: were the ends of each part its 5th and 95th percentile, all parts independent and normal. model_share: of the middle. outside: the middle
    without the model.
    """
    if retrieval_low > retrieval_high or model_low > model_high:
        raise KernelError("ttft_budget: a low end lies above its high end (they have to be swapped)")
    low, high = network + gateway + retrieval_low + model_low, network + gateway + retrieval_high + model_high
    middle, model = (low + high) / 2, (model_low + model_high) / 2
    spread = math.hypot((retrieval_high - retrieval_low) / 2, (model_high - model_low) / 2)
    return {
        "low": low,
        "middle": middle,
        "high": high,
        "spread": spread,
        "p95": middle + spread,
        "model_share": model / middle if middle else 0.0,
        "outside": middle - model,
    }


@ttft_budget.figure
def draw(result, ax):
    from kernels import plot

    p = result.parameters
    parts = {"network": p["network"], "gateway": p["gateway"]}
    parts |= {"retrieval": (p["retrieval_low"] + p["retrieval_high"]) / 2, "model's first token": (p["model_low"] + p["model_high"]) / 2}
    plot.stacked_bars(ax, {"": parts}, "s")
