"""A limit on an agent's calls: which runs that would have succeeded it cuts off, and what a stuck run may cost.

A task needs n good calls; a call is good with p, and a bad one is noticed and done again. The calls that it takes are negative binomial,

    P(N = k) = C(k - 1, n - 1) p^n (1 - p)^(k - n)        mean n / p        P(N <= L) = P(Binomial(L, p) >= n)

(Feller, An Introduction to Probability Theory I, section VI.8). A stuck run never ends by itself, and so takes L calls.
"""

from typing import Annotated

from kernels import Bound, Series, kernel

MOST = 200_000


@kernel(
    kind="formula",
    outputs={
        "mean": "",
        "limit_for_share": "",
        "completed": "",
        "cut_off": "",
        "calls": "",
        "stuck_share_of_calls": "",
        "sweep": Series("limit", ""),
    },
)
def step_budget(
    needed: Annotated[int, Bound(low=1, high=200)] = 10,
    p: Annotated[float, Bound(low=0.05, high=1.0)] = 0.8,
    limit: Annotated[int, Bound(low=1, high=10_000)] = 18,
    share: Annotated[float, Bound(low=0.5, high=0.9999)] = 0.99,
    stuck: Annotated[float, Bound(low=0.0, high=1.0)] = 0.05,
):
    """The limit on calls that lets a share of the sound runs end, and the calls that a run takes on average under a given one.

    needed: good calls of the task. limit_for_share: the least limit under which `share` of the runs end by themselves. completed, cut_off: under
    `limit`, of runs that are not stuck. calls: of all runs under `limit`, of which a share `stuck` never ends by itself. stuck_share_of_calls:
    spent on those. sweep: completed by limit.
    """
    chances, cumulative = [0.0] * needed, 0.0  # chances[k] = P(N = k)
    chance = p**needed
    wanted = 0
    k = needed
    while True:
        chances.append(chance)
        cumulative += chance
        if not wanted and cumulative >= share - 1e-12:
            wanted = k
        if wanted and k >= limit and k >= 2 * needed or k > MOST:
            break
        chance *= k / (k - needed + 1) * (1 - p)
        k += 1
    done = sum(chances[: limit + 1])
    mean_capped = sum(n * c for n, c in enumerate(chances[: limit + 1])) + limit * max(0.0, 1 - done)
    calls = (1 - stuck) * mean_capped + stuck * limit
    limits = list(range(needed, max(2 * needed, needed + 2) + 1))
    return {
        "mean": needed / p,
        "limit_for_share": wanted,
        "completed": min(1.0, done),
        "cut_off": max(0.0, 1 - done),
        "calls": calls,
        "stuck_share_of_calls": stuck * limit / calls,
        "sweep": {"limit": limits, "ended": [min(1.0, sum(chances[: n + 1])) for n in limits]},
    }


@step_budget.figure
def draw(result, ax):
    from kernels import plot

    plot.height(ax, 190)
    plot.lines(ax, result["sweep"], unit="percent", labels={"ended": ""}, x_label="limit on calls", y_label="sound runs that end within it")
    curve = result["sweep"]
    plot.vline(ax, result["mean"], f"mean {plot.show(result['mean'], '')}")
    least = int(result["limit_for_share"])
    if least in curve.x:
        plot.mark(
            ax,
            least,
            curve.values("ended")[curve.x.index(least)],
            f"{result.parameters['share']:.0%}: {least}",
            plot.AMBER,
            "below",
            name="the limit",
        )
