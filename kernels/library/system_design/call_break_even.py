"""Calls a day from which GPUs of one's own cost less than an API that is paid by the token.

    API     calls * (in * price_in + out * price_out)
    own     hosts * 24 * price of a host's hour + staff            hosts = as many as the calls need, and no fewer than `least`
    even    own / price of a call, while the least hosts suffice

A host serves `rate` calls a second when it is busy all the time, and is planned for a peak of `peak` times the mean at a load of `load`.
"""

import math
from typing import Annotated

from kernels import Bound, Free, Series, kernel

DAY = 86400.0
DECADES = tuple(10 ** (4 + k / 8) for k in range(25))


@kernel(
    kind="formula",
    outputs={
        "call": "USD",
        "api": "USD",
        "own": "USD",
        "hosts": "",
        "host_calls": "",
        "even": "",
        "even_hosts": "",
        "per_million": "USD",
        "used": "",
        "sweep": Series("calls", "USD"),
    },
)
def call_break_even(
    calls: Annotated[float, Bound(low=1, high=1e12)] = 1e6,
    tokens_in: Annotated[float, Bound("token", low=0, high=1e7)] = 1000.0,
    tokens_out: Annotated[float, Bound("token", low=1, high=1e6)] = 300.0,
    price_in: Annotated[float, Bound("USD", low=0, high=1e4)] = 2.5,
    price_out: Annotated[float, Bound("USD", low=0.001, high=1e4)] = 10.0,
    host_hour: Annotated[float, Bound("USD", low=0.01, high=1e5)] = 20.0,
    least: Annotated[int, Bound(low=1, high=10_000)] = 2,
    rate: Annotated[float, Bound("1/s", low=1e-4, high=1e5)] = 8.0,
    peak: Annotated[float, Bound(low=1.0, high=100.0)] = 3.0,
    load: Annotated[float, Bound(low=0.01, high=1.0)] = 0.7,
    staff: Annotated[float, Bound("USD", low=0, high=1e8), Free(0.0, 3000.0)] = 0.0,
):
    """Dollars a day of an API paid by the token and of hosts of one's own, by calls a day. Prices of tokens are for a million.

    host_calls: calls a day that one host takes as planned. even: calls a day at which both cost the same, 0 where that is never so; even_hosts: hosts
    then. per_million: the cost of a million output tokens on hosts of one's own, at these calls; used: the share of the hosts' time that is.
    staff: a day's cost of those who run them, which no host adds to; it is each service's own, so staff is
    free. sweep: both by calls.
    """
    call = (tokens_in * price_in + tokens_out * price_out) / 1e6
    each = rate * DAY * load / peak

    def hosts(n: float) -> int:
        return max(least, math.ceil(n / each - 1e-9))

    def own(n: float) -> float:
        return hosts(n) * 24 * host_hour + staff

    even, even_hosts = 0.0, 0
    for count in range(least, least + 10_000):  # the first number of hosts that pays for itself before it is full
        at = (count * 24 * host_hour + staff) / call
        if at <= count * each:
            even, even_hosts = max(at, (count - 1) * each if count > least else 0.0), count
            break
        if 24 * host_hour >= call * each and staff >= 0:
            break
    return {
        "call": call,
        "api": calls * call,
        "own": own(calls),
        "hosts": hosts(calls),
        "host_calls": each,
        "even": even,
        "even_hosts": even_hosts,
        "per_million": own(calls) / (calls * tokens_out) * 1e6,
        "used": calls / (hosts(calls) * rate * DAY),
        "sweep": {"calls": DECADES, "API": [n * call for n in DECADES], "own GPUs": [own(n) for n in DECADES]},
    }


@call_break_even.figure
def draw(result, ax):
    from kernels import plot

    plot.lines(ax, result["sweep"], xlog=True, ylog=True, x_label="calls a day", y_label="cost of a day", highlight="own GPUs")
    if 1e4 < result["even"] < 1e7:
        at = result["even"]
        plot.mark(ax, at, at * result["call"], f"even at {plot.show(at, '')}", plot.AMBER, "right below")
