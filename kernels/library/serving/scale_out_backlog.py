"""The queue that grows while one more replica starts, and how long the replicas then take to work it off.

    ready = weights / link + start        backlog = (rate - replicas * each) * ready        drained after backlog / ((replicas + added) * each - rate)

Arrivals and service as flows (fluid approximation, Newell 1982, Applications of Queueing Theory, chapter 2): what randomness adds comes on top. From
time 0 requests come at the new rate; the queue was empty.
"""

from typing import Annotated

from kernels import Bound, KernelError, Series, kernel

Rate = Annotated[float, Bound("1/s", low=1e-3, high=1e6)]


@kernel(
    kind="formula",
    outputs={
        "turned_away": "",
        "loading": "s",
        "ready": "s",
        "backlog": "",
        "wait": "s",
        "drain": "s",
        "over": "s",
        "sweep": Series("time", "", x_unit="s"),
    },
)
def scale_out_backlog(
    rate: Rate = 16.0,
    each: Rate = 5.0,
    replicas: Annotated[int, Bound(low=1, high=10_000)] = 2,
    added: Annotated[int, Bound(low=1, high=10_000)] = 2,
    weights: Annotated[float, Bound("B", low=1e6, high=1e14)] = 141e9,
    link: Annotated[float, Bound("B/s", low=1e6, high=1e13)] = 25e9 / 8,
    start: Annotated[float, Bound("s", low=0.0, high=1e5)] = 75.0,
):
    """The backlog when replicas that were asked for at the first overload come up, and the time until it is gone.

    rate: requests a second from time 0 on. each: requests a second that one replica serves. weights, link: what a new replica loads, and how fast;
    start: all else, from the alarm to the engine being warm. wait: of whoever comes when the queue is longest, served by the old and new replicas.
    over: from time 0 to the empty queue. turned_away: the share that must be until then, were nobody to wait. sweep: requests in the queue by time.
    """
    before, after = replicas * each, (replicas + added) * each
    if rate <= before:
        raise KernelError(f"scale_out_backlog: rate is {rate:g}, but must be above what the replicas serve, {before:g}, or there is no queue")
    if after <= rate:
        raise KernelError(f"scale_out_backlog: {after:g} a second do not work off {rate:g} (choose a larger `added`)")
    loading = weights / link
    ready = loading + start
    backlog = (rate - before) * ready
    drain = backlog / (after - rate)
    over = ready + drain
    shown = sorted({*(over * k / 40 for k in range(49)), ready, over})

    def queued(t: float) -> float:
        return max(0.0, (rate - before) * t if t <= ready else backlog - (after - rate) * (t - ready))

    return {
        "turned_away": 1 - before / rate,
        "loading": loading,
        "ready": ready,
        "backlog": backlog,
        "wait": backlog / after,
        "drain": drain,
        "over": over,
        "sweep": {"time": shown, "queue": [queued(t) for t in shown]},
    }


@scale_out_backlog.figure
def draw(result, ax):
    from kernels import plot

    plot.lines(ax, result["sweep"], labels={"queue": ""}, x_label="since the load rose", y_label="requests in the queue", highlight="queue")
    plot.mark(ax, result["ready"], result["backlog"], "new replicas are up", plot.AMBER, "right above")
    plot.mark(ax, result["over"], 0.0, "gone", plot.INK, "left above")
