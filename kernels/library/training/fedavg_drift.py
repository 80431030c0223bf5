"""Where federated averaging converges to: clients with different curvatures and optima, several local steps between averages.

Client k holds c_k (x - o_k)^2 / 2. One local step multiplies its distance to o_k by 1 - lr c_k, so E of them leave a_k = (1 - lr c_k)^E,
and the average settles where it reproduces itself:

    x = sum w_k (1 - a_k) o_k / sum w_k (1 - a_k)        optimum of all the data = sum w_k c_k o_k / sum w_k c_k

E = 1 gives the optimum, a large E the plain average of the clients' optima. SCAFFOLD (Karimireddy et al. 2019, arXiv 1910.06378) adds to
each local gradient the difference between the average gradient and the client's own at the round's start; it is played out here.
"""

import math
from typing import Annotated

from kernels import Bound, KernelError, Series, kernel


@kernel(
    kind="formula",
    outputs={
        "fixed_point": "",
        "optimum": "",
        "mean_optimum": "",
        "distance": "",
        "way_lost": "",
        "excess": "",
        "scaffold": "",
        "scaffold_distance": "",
        "sweep": Series("local_steps", ""),
    },
)
def fedavg_drift(
    curvature_a: Annotated[float, Bound(low=1e-3, high=1e3)] = 1.0,
    curvature_b: Annotated[float, Bound(low=1e-3, high=1e3)] = 10.0,
    optimum_a: float = 1.0,
    optimum_b: float = -1.0,
    share_a: Annotated[float, Bound(low=0.01, high=0.99)] = 0.5,
    lr: Annotated[float, Bound(low=1e-6, high=10.0)] = 0.05,
    local_steps: Annotated[int, Bound(low=1, high=10000)] = 10,
):
    """FedAvg's fixed point for two clients with quadratic losses, the optimum of all the data, and the average of the clients' optima.

    share_a: client a's share of the examples. way_lost: how far from the optimum to that average it ends, 0 to 1. excess: loss there above the
    optimum's, over that at the average. scaffold: where SCAFFOLD is after 1,000 rounds.
    """
    if lr * max(curvature_a, curvature_b) >= 2:
        raise KernelError("fedavg_drift: a local step diverges: lr times the larger curvature has to be below 2")
    clients = ((share_a, curvature_a, optimum_a), (1 - share_a, curvature_b, optimum_b))
    best = sum(w * c * o for w, c, o in clients) / sum(w * c for w, c, _ in clients)
    plain = sum(w * o for w, _, o in clients)
    found = fixed_point(clients, lr, local_steps)
    controlled = scaffold(clients, lr, local_steps)
    if not math.isfinite(controlled):
        raise KernelError("fedavg_drift: SCAFFOLD diverges: take fewer local steps, a lower lr, or curvatures that differ less")
    counts = sorted({1, 2, 3, 5, 7, 10, 14, 20, 30, 50, 70, 100, local_steps})
    apart = plain - best
    return {
        "fixed_point": found,
        "optimum": best,
        "mean_optimum": plain,
        "distance": abs(found - best),
        "way_lost": (found - best) / apart if apart else 0.0,
        "excess": ((found - best) / apart) ** 2 if apart else 0.0,
        "scaffold": controlled,
        "scaffold_distance": abs(controlled - best),
        "sweep": {"local_steps": counts, "FedAvg": [fixed_point(clients, lr, count) for count in counts]},
    }


def fixed_point(clients, lr: float, steps: int) -> float:
    pulls = [(w * (1 - (1 - lr * c) ** steps), o) for w, c, o in clients]
    return sum(pull * o for pull, o in pulls) / sum(pull for pull, _ in pulls)


def scaffold(clients, lr: float, steps: int, rounds: int = 1000) -> float:
    x = 0.0
    for _ in range(rounds):
        gradients = [c * (x - o) for _, c, o in clients]
        mean = sum(w * g for (w, _, _), g in zip(clients, gradients))
        # the correction is constant in a round, so that E steps on the shifted quadratic have a closed form too
        ends = []
        for (_, c, o), own in zip(clients, gradients):
            shifted = o - (mean - own) / c
            ends.append(shifted + (1 - lr * c) ** steps * (x - shifted))
        x = sum(w * end for (w, _, _), end in zip(clients, ends))
    return x


@fedavg_drift.figure
def draw(result, ax):
    from kernels import plot

    plot.lines(
        ax,
        result["sweep"],
        xlog=True,
        labels={"FedAvg": ""},
        x_label="local steps between averages",
        y_label="converges to",
        highlight="FedAvg",
        zero=False,
    )
    plot.hline(ax, result["optimum"], "optimum of all the data")
    plot.hline(ax, result["mean_optimum"], "mean of the clients' optima")
    low, high = ax.get_ylim()
    ax.set_ylim(low, high + (high - low) / 8)  # for the text of a level at the top
    shown = plot.show(result["fixed_point"], "").replace("-", "\N{MINUS SIGN}")
    plot.mark(ax, result.parameters["local_steps"], result["fixed_point"], shown, where="right below")
