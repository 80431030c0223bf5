"""How likely each event of a stream of n is to be in a sample of k at its end, by what the sampler does with a new event.

reservoir        item i > k draws j in 1..i and overwrites slot j if j <= k: enters with k/i, survives item m with 1 - 1/m,
                 all later ones with i/n
                 (Vitter 1985, Random Sampling with a Reservoir, ACM TOMS 11(1), algorithm R)
replace-always   item i > k overwrites a random slot, so an item survives each later one with 1 - 1/k
first-k          the sample is never touched again
latest-k         a sliding window
"""

import itertools
import math
from typing import Annotated, Literal

from kernels import Bound, KernelError, Series, kernel

Policy = Literal["reservoir", "replace-always", "first-k", "latest-k"]
BINS = 50


@kernel(
    kind="formula",
    outputs={**dict.fromkeys(("uniform", "first", "first_half", "second_half", "first_k", "last_k"), ""), "inclusion": Series("position", "")},
)
def reservoir_inclusion(
    k: Annotated[int, Bound(low=1, high=1000)] = 10,
    n: Annotated[int, Bound(low=2, high=20_000)] = 1000,
    policy: Policy = "reservoir",
):
    """The chance of an event to be in the sample at the end of the stream: of the first one, and on average over halves and ends.

    uniform: k / n, what each event should have. inclusion: means over up to 50 stretches of the stream (position: the stretch's middle), a line
    for the asked policy and for reservoir and replace-always, without what is below a thousandth of uniform.
    """
    if k >= n:
        raise KernelError(f"reservoir_inclusion: k is {k}, but must be less than n, {n}")
    kept = {name: chances(name, k, n) for name in dict.fromkeys((policy, "reservoir", "replace-always"))}
    asked = kept[policy]
    edges = [round(n * i / min(n, BINS)) for i in range(min(n, BINS) + 1)]
    stretches = list(itertools.pairwise(edges))
    lines = {name: [mean(found[low:high]) for low, high in stretches] for name, found in kept.items()}
    return {
        "uniform": k / n,
        "first": asked[0],
        "first_half": mean(asked[: n // 2]),
        "second_half": mean(asked[n // 2 :]),
        "first_k": mean(asked[:k]),
        "last_k": mean(asked[-k:]),
        "inclusion": {
            "position": [(low + 1 + high) / 2 for low, high in stretches],
            **{name: [value if value > k / n / 1000 else None for value in line] for name, line in lines.items()},
        },
    }


def mean(values) -> float:
    return math.fsum(values) / len(values)


def chances(policy: str, k: int, n: int) -> list[float]:
    """By position: the chance to enter, times that of surviving all later events."""
    if policy in ("first-k", "latest-k"):
        ones = [1.0] * k
        return ones + [0.0] * (n - k) if policy == "first-k" else [0.0] * (n - k) + ones
    if policy == "reservoir":
        return [k / n] * n
    survival = [(1 - 1 / k) ** later for later in range(n - k + 1)]
    return [survival[-1]] * k + survival[-2::-1]


@reservoir_inclusion.figure
def draw(result, ax):
    from kernels import plot

    curve, uniform = result["inclusion"], result["uniform"]
    policy = result.parameters["policy"]
    labels = {policy: ""} if policy.endswith("-k") else {}  # one stretch only, which is marked
    plot.lines(ax, curve, ylog=True, unit="percent", labels=labels, x_label="position in the stream", y_label="chance to be kept", highlight=policy)
    if labels:
        top = max(range(len(curve.x)), key=lambda i: curve.values(policy)[i] or 0)
        plot.mark(ax, curve.x[top], curve.values(policy)[top], policy, color=plot.ACCENT)
    plot.hline(ax, uniform, f"uniform: {plot.show(uniform, 'percent')}")
    ends = ", ".join(f"{name} {plot.show(curve.values(name)[-1] or 0, 'percent')}" for name in curve.lines)
    return f"How likely each position of the stream is to be kept. Uniform is {plot.show(uniform, 'percent')}. At the end of the stream: {ends}."
