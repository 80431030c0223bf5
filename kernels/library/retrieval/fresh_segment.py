"""Writes beside an index that is built in batches: new vectors wait in a buffer, which each query scans.

    waiting: w T at the most, w T / 2 on average        w vectors a second, merged into the index every T seconds

A query compares the buffer's vectors besides those of the index; deleted vectors stay in the graph until then, are compared and thrown away, so that
for k results k / (1 - dead) candidates are needed. What merging costs is not in it.
"""

from typing import Annotated

from kernels import Bound, Series, kernel


@kernel(
    kind="formula",
    outputs={
        "waiting": "",
        "waiting_most": "",
        "buffer_share": "",
        "even_interval": "s",
        "bytes_a_query": "B",
        "dead": "",
        "candidates": "",
        "sweep": Series("seconds between merges", ""),
    },
)
def fresh_segment(
    vectors: Annotated[int, Bound(low=1000)] = 10_000_000,
    writes: Annotated[float, Bound("1/s", low=1e-6, high=1e6)] = 50.0,
    interval: Annotated[float, Bound("s", low=0.1, high=1e7)] = 600.0,
    compared: Annotated[float, Bound(low=1.0, high=1e7)] = 2000.0,
    vector_bytes: Annotated[int, Bound("B", low=1, high=65536)] = 3072,
    deletes: Annotated[float, Bound("1/s", low=0.0, high=1e6)] = 0.0,
    rebuild: Annotated[float, Bound("s", low=0.1, high=1e8)] = 86400.0,
    k: Annotated[int, Bound(low=1, high=1000)] = 10,
):
    """Vectors that wait for the next merge, what a query compares of them, and how many of the graph's are dead before a rebuild.

    compared: what a query compares in the index. buffer_share: of all that a query compares on average, the buffer's part. even_interval: time
    between merges at which buffer and index cost the same on average. bytes_a_query: read for both. dead: the share of the graph's vectors that is
    deleted at the end of `rebuild` seconds, each deletion going with an insertion; candidates: needed then for k live ones, on average.
    """
    waiting = writes * interval / 2
    dead = min(deletes * rebuild / (vectors + deletes * rebuild), 1.0)
    shown = [1, 10, 60, 600, 3600]
    return {
        "waiting": waiting,
        "waiting_most": 2 * waiting,
        "buffer_share": waiting / (waiting + compared),
        "even_interval": 2 * compared / writes,
        "bytes_a_query": (waiting + compared) * vector_bytes,
        "dead": dead,
        "candidates": k / (1 - dead),
        "sweep": {
            "seconds between merges": shown,
            "buffer": [writes * each / 2 for each in shown],
            "index": [compared for _ in shown],
        },
    }


@fresh_segment.figure
def draw(result, ax):
    from kernels import plot

    plot.lines(ax, result["sweep"], xlog=True, ylog=True, x_label="seconds between merges", y_label="vectors compared by a query", highlight="buffer")
