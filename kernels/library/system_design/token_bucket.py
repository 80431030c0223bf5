"""What a rate limit lets through: a token bucket, a counter over fixed windows, and many users under one limit for all.

    bucket     at most size + refill * T requests in any T seconds        (Turner 1986, New directions in communications: the leaky bucket)
    windows    at most 2 * limit in a time a little longer than nothing, across the border of two windows
    users      limit for all / limit of each fill it

A bucket of `size` tokens refills at a steady rate; each request takes one.
"""

from typing import Annotated

from kernels import Bound, Series, kernel


@kernel(
    kind="formula",
    outputs={
        "refill": "1/s",
        "any_window": "",
        "over_limit": "",
        "across_border": "",
        "burst": "",
        "refilled": "s",
        "users_fill": "",
        "one_user": "",
        "fair": "1/s",
        "tokens": "token/s",
        "sweep": Series("seconds", ""),
    },
)
def token_bucket(
    limit: Annotated[float, Bound(low=0.01, high=1e9)] = 100.0,
    window: Annotated[float, Bound("s", low=0.001, high=1e6)] = 60.0,
    size: Annotated[float, Bound(low=1.0, high=1e9)] = 100.0,
    overall: Annotated[float, Bound(low=0.01, high=1e12)] = 10_000.0,
    users: Annotated[float, Bound(low=1, high=1e10)] = 10_000.0,
    per_request: Annotated[float, Bound("token", low=1, high=1e7)] = 300.0,
):
    """Requests that a bucket lets through, whose tokens refill at `limit` a window, and how many users fill a limit for all of them.

    any_window: at most, in any time as long as the window; over_limit: that over the limit. across_border: of a counter over fixed windows, in as
    short a time as one likes. refilled: time to refill from empty. users_fill: users at their own limit who take up all of `overall`; one_user: the
    share of it that one takes; fair: what each of the users may ask of it. tokens: model tokens a second at the overall limit. sweep: let through at
    most by the time since a full bucket.
    """
    refill = limit / window
    times = [window * k / 30 for k in range(61)]
    return {
        "refill": refill,
        "any_window": size + refill * window,
        "over_limit": (size + refill * window) / limit,
        "across_border": 2 * limit,
        "burst": size,
        "refilled": size / refill,
        "users_fill": overall / limit,
        "one_user": min(1.0, limit / overall),
        "fair": overall / window / users,
        "tokens": overall / window * per_request,
        "sweep": {"seconds": times, "let through": [size + refill * t for t in times]},
    }


@token_bucket.figure
def draw(result, ax):
    from kernels import plot

    window, limit = result.parameters["window"], result.parameters["limit"]
    plot.lines(ax, result["sweep"], labels={"let through": ""}, x_label="seconds since the first of a burst", y_label="requests let through")
    plot.hline(ax, limit, f"limit: {limit:g} in {window:g} s")
    plot.mark(ax, window, result["any_window"], f"{result['any_window']:g} in {window:g} s", plot.AMBER, "left above")
