"""What a branch costs a warp whose lanes decide by themselves: how often it diverges, and how much longer it takes.

Lanes of a warp share one instruction stream (CUDA C++ Programming Guide, SIMT architecture), so a warp runs every path that
at least one of its lanes takes. Of w lanes that take the `if` with probability p each, independently:

    P(diverges)    = 1 - p^w - (1 - p)^w
    E[time]        = (1 - (1 - p)^w) cost_if + (1 - p^w) cost_else
    slowdown       = E[time] / (p cost_if + (1 - p) cost_else)        against sorted data, whose warps do not diverge
"""

from typing import Annotated

from kernels import Bound, Series, kernel

PROBABILITIES = tuple(10 ** (-4 + k / 8) for k in range(29)) + (0.4, 0.5)  # 1e-4 to 0.32, then to a half


@kernel(kind="formula", outputs={"diverges": "", "slowdown": "", "busy_lanes": "", "sweep": Series("probability", "")})
def warp_divergence_cost(
    probability: Annotated[float, Bound(low=0, high=1)] = 0.5,
    warp: Annotated[int, Bound(low=1, high=1024)] = 32,
    cost_if: Annotated[float, Bound(low=0)] = 1.0,
    cost_else: Annotated[float, Bound(low=1e-9)] = 1.0,
):
    """Share of warps that diverge at an if/else, the slowdown against sorted data, and the share of lane slots that do work.

    costs: of either path, in any unit; a path of no cost is an `if` without `else`. busy_lanes: one over the slowdown.
    """
    if probability == 1 and cost_if == 0:
        cost_if = cost_else  # nothing runs at all: no slowdown
    slowdown = expected(probability, warp, cost_if, cost_else)
    return {
        "diverges": diverges(probability, warp),
        "slowdown": slowdown,
        "busy_lanes": 1 / slowdown,
        "sweep": {
            "probability": list(PROBABILITIES),
            "slowdown": [expected(p, warp, cost_if, cost_else) for p in PROBABILITIES],
            "diverging": [diverges(p, warp) for p in PROBABILITIES],
        },
    }


def diverges(probability: float, warp: int) -> float:
    """The share of warps in which some lanes take the branch and some do not."""
    return 1 - probability**warp - (1 - probability) ** warp


def expected(probability: float, warp: int, cost_if: float, cost_else: float) -> float:
    """A warp's expected time over what its lanes' own paths average."""
    time = (1 - (1 - probability) ** warp) * cost_if + (1 - probability**warp) * cost_else
    return time / (probability * cost_if + (1 - probability) * cost_else)


@warp_divergence_cost.figure
def draw(result, ax):
    from dataclasses import replace

    from kernels import plot

    sweep = result["sweep"]
    alone = replace(sweep, lines={"slowdown": sweep.lines["slowdown"]})
    plot.lines(
        ax,
        alone,
        xlog=True,
        labels={"slowdown": ""},
        x_label="share of lanes that take the if",
        y_label="time over sorted data",
        highlight="slowdown",
    )
    probability, slowdown = result.parameters["probability"], result["slowdown"]
    if sweep.x[0] <= probability <= sweep.x[-1]:
        plot.mark(ax, probability, slowdown, f"{plot.show(probability, 'percent')} of lanes:\n{plot.show(slowdown, '')} times", where="left below")
    plot.height(ax, 190)
