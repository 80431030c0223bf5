"""How full replicas may be so that the loss of some leaves the others below a limit.

    load after = load * n / (n - lost)        usual load <= limit * (n - lost) / n

The load of the lost replicas is spread evenly over the others (N + k redundancy: Barroso, Hoelzle and Ranganathan 2018, The Datacenter as a
Computer). Half-finished requests that must be begun again come on top.
"""

from typing import Annotated

from kernels import Bound, KernelError, Series, kernel

SHOWN = (2, 3, 4, 6, 8, 12, 16, 24, 32)


@kernel(kind="formula", outputs={"usual": "", "after": "", "spare": "", "dearer": "", "sweep": Series("replicas", "")})
def replica_headroom(
    replicas: Annotated[int, Bound(low=2, high=100_000)] = 4,
    lost: Annotated[int, Bound(low=1, high=99_999)] = 1,
    limit: Annotated[float, Bound(low=0.01, high=1.0)] = 0.85,
    load: Annotated[float, Bound(low=0.0, high=1.0)] = 0.8,
):
    """The largest usual load of replicas that leaves the others within a limit when some are lost, and the load after a loss.

    usual: of each replica, over its capacity. after: of each of the others, from `load`; above 1 their queues have no end. spare: what usually idles.
    dearer: the cost of a token at the usual load, over that at the limit. sweep: usual load by replicas, one lost.
    """
    if lost >= replicas:
        raise KernelError(f"replica_headroom: lost is {lost}, but must be less than replicas, {replicas}")
    usual = limit * (replicas - lost) / replicas
    return {
        "usual": usual,
        "after": load * replicas / (replicas - lost),
        "spare": 1 - usual,
        "dearer": limit / usual,
        "sweep": {"replicas": SHOWN, "usual": [limit * (n - 1) / n for n in SHOWN]},
    }


@replica_headroom.figure
def draw(result, ax):
    from kernels import plot

    limit, usual = result.parameters["limit"], result["usual"]
    plot.lines(ax, result["sweep"], unit="percent", labels={"usual": ""}, x_label="replicas", y_label="load in usual times", highlight="usual")
    plot.hline(ax, limit, f"limit {100 * limit:.0f} %", plot.RED)
    plot.mark(
        ax, result.parameters["replicas"], usual, f"{100 * usual:.0f} % at {result.parameters['replicas']}", plot.AMBER, "right below", name="usual"
    )
    plot.height(ax, 180)
