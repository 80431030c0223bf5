"""A queue that grows because more comes in than is served, and what it takes to be rid of it.

    backlog(t) = (arrivals - served) t                        until help comes after `delay`
    then it falls by (served' - arrivals) a second, and is gone after backlog / (served' - arrivals)
    wait of the last in the queue = backlog / served'

A fluid: means alone, first come first served, nobody gives up (Kleinrock 1976, Queueing Systems II, chapter 2). Real queues are longer near
capacity.
"""

from typing import Annotated

from kernels import Bound, KernelError, Series, kernel


@kernel(
    kind="formula",
    outputs={
        "arrivals": "1/s",
        "served": "1/s",
        "turned_away": "",
        "backlog": "",
        "wait": "s",
        "drain": "s",
        "over": "s",
        "hosts": "",
        "doubled_delay": "s",
        "sweep": Series("seconds", ""),
    },
)
def surge_backlog(
    usual: Annotated[float, Bound("1/s", low=1e-6, high=1e9)] = 20.0,
    factor: Annotated[float, Bound(low=1.0, high=1e4)] = 10.0,
    load: Annotated[float, Bound(low=0.01, high=0.999)] = 0.5,
    delay: Annotated[float, Bound("s", low=1.0, high=1e6)] = 300.0,
    margin: Annotated[float, Bound(low=0.001, high=100.0)] = 0.25,
    hosts: Annotated[float, Bound(low=1, high=1e6)] = 10.0,
):
    """The backlog of a surge to `factor` times the usual rate, where the hosts were busy for `load` of their time, until more of them help.

    delay: until the new hosts serve. margin: how much more than the arrivals is served then. turned_away: the share that has to be, were nobody to
    wait. wait: of the last one to come before help. drain: from help to an empty queue; over: from the surge's begin. hosts: needed then.
    doubled_delay: drain, were the help twice as late. sweep: backlog by time.
    """
    arrivals, served = usual * factor, usual / load
    if arrivals <= served:
        raise KernelError(f"surge_backlog: {factor:g} times the usual is no more than is served at a load of {load:g} (choose a larger factor)")
    grown = (arrivals - served) * delay
    later = arrivals * (1 + margin)
    drain = grown / (later - arrivals)
    ends = [(0.0, 0.0), (delay, grown), (delay + drain, 0.0)]
    return {
        "arrivals": arrivals,
        "served": served,
        "turned_away": 1 - served / arrivals,
        "backlog": grown,
        "wait": grown / later,
        "drain": drain,
        "over": delay + drain,
        "hosts": hosts * later / served,
        "doubled_delay": 2 * drain,
        "sweep": {"seconds": [t for t, _ in ends], "waiting": [n for _, n in ends]},
    }


@surge_backlog.figure
def draw(result, ax):
    from kernels import plot

    plot.lines(ax, result["sweep"], labels={"waiting": ""}, x_label="time since the surge began (s)", y_label="requests that wait")
    plot.mark(ax, result.parameters["delay"], result["backlog"], "new hosts serve", plot.AMBER, "right above")
