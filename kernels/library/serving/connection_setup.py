"""Round trips before an answer: setting a connection up, and requests that share one or wait for one.

    first answer    (TCP 1 + TLS + request 1) * RTT + service         TLS 1.3: 1, TLS 1.2: 2, none: 0; QUIC sets both up in 1
    reused          RTT + service
    n at once       one HTTP/1.1 connection: n (RTT + service); c of them: ceil(n / c) (RTT + service); HTTP/2: RTT + service

(TCP: RFC 9293, section 3.5; TLS 1.2: RFC 5246, section 7.3; TLS 1.3: RFC 8446, section 2; QUIC: RFC 9001, section 4; HTTP/2 streams: RFC 9113,
section 5.) The server works on all requests at once, each for `service`; nothing is lost, no name is looked up, no HTTP/1.1 pipelining, and
messages are small enough for the first window.
"""

import math
from typing import Annotated, Literal

from kernels import Bound, kernel

SETUP = {"plain": 1, "tls1.3": 2, "tls1.2": 3, "quic": 1}


@kernel(
    kind="formula",
    outputs={"setup": "s", "first": "s", "reused": "s", "times": "", "one_by_one": "s", "pooled": "s", "multiplexed": "s", "round_trips": ""},
)
def connection_setup(
    rtt: Annotated[float, Bound("s", low=1e-6, high=10.0)] = 0.05,
    service: Annotated[float, Bound("s", low=0.0, high=1e4)] = 0.03,
    security: Literal["plain", "tls1.3", "tls1.2", "quic"] = "tls1.3",
    requests: Annotated[int, Bound(low=1, high=100_000)] = 12,
    connections: Annotated[int, Bound(low=1, high=100_000)] = 6,
):
    """Time of the first request on a new connection and of one on a kept one, and of many sent at once.

    times: first over reused. one_by_one, pooled: the last answer of so many requests on one HTTP/1.1 connection, and on `connections`; multiplexed:
    on one connection of HTTP/2, all already open. round_trips: before the first answer.
    """
    trips = SETUP[security] + 1
    reused = rtt + service
    return {
        "setup": SETUP[security] * rtt,
        "first": trips * rtt + service,
        "reused": reused,
        "times": (trips * rtt + service) / reused,
        "one_by_one": requests * reused,
        "pooled": math.ceil(requests / connections) * reused,
        "multiplexed": reused,
        "round_trips": trips,
    }


@connection_setup.figure
def draw(result, ax):
    from kernels import plot

    p = result.parameters
    plot.bars(
        ax,
        {"HTTP/1.1, one": result["one_by_one"], f"HTTP/1.1, {p['connections']}": result["pooled"], "HTTP/2, one": result["multiplexed"]},
        "s",
        highlight="HTTP/2, one",
    )
