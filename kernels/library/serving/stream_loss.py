"""Tokens held up by a lost packet, where streams share one TCP connection and where each has its own.

TCP hands bytes on in order (RFC 9293, section 3.4): behind a lost packet all later ones of the connection wait until it was sent again, a time R
after it. With k streams of r tokens a second, a packet a token, n = k r R packets of the connection fall into that time; a token is on time if
neither its own packet nor one of the n before it was lost:

    held up, one connection = 1 - (1 - p)^(1 + n)        a connection each = 1 - (1 - p)^(1 + n / k)

HTTP/2 multiplexes over one TCP connection and has this head-of-line blocking; QUIC orders each stream for itself (RFC 9000, section 2). Losses are
independent, n is the mean, and the packet that is sent again arrives.
"""

from typing import Annotated

from kernels import Bound, Series, kernel

SHOWN = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000)


@kernel(
    kind="formula",
    outputs={"behind": "", "shared": "", "own": "", "times": "", "sweep": Series("streams", "")},
)
def stream_loss(
    streams: Annotated[int, Bound(low=1, high=100_000)] = 100,
    rate: Annotated[float, Bound("token/s", low=0.1, high=1e5)] = 50.0,
    loss: Annotated[float, Bound(low=0.0, high=0.5)] = 0.001,
    repair: Annotated[float, Bound("s", low=1e-4, high=10.0)] = 0.05,
):
    """The share of tokens that wait for a packet to be sent again, streams on one TCP connection and each on its own.

    repair: seconds from a loss to its repair, a round trip or more. behind: packets of the shared connection in that time. times: shared over own.
    sweep: both shares by the number of streams.
    """

    def held(k: float) -> float:
        return 1 - (1 - loss) ** (1 + k * rate * repair)

    return {
        "behind": streams * rate * repair,
        "shared": held(streams),
        "own": held(1),
        "times": held(streams) / held(1) if loss else 1.0,
        "sweep": {"streams": SHOWN, "one connection": [held(k) for k in SHOWN], "one each": [held(1) for _ in SHOWN]},
    }


@stream_loss.figure
def draw(result, ax):
    from kernels import plot

    plot.lines(
        ax,
        result["sweep"],
        xlog=True,
        ylog=True,
        unit="percent",
        labels={"one connection": "shared", "one each": "one\neach"},
        x_label="streams",
        y_label="tokens held up",
        highlight="one connection",
    )
