"""What a load of queries asks of memory: bytes a second, exact or through an index.

    bytes a second = queries a second x vectors compared x bytes a vector

Exact search reads all vectors for each query, or once for a batch of them. An index reads few, each at a random place: whole cache lines of 64 bytes,
one miss after another.
"""

from typing import Annotated

from kernels import Bound, Lower, Series, kernel


@kernel(
    kind="formula",
    outputs={
        "exact": "B/s",
        "batched": "B/s",
        "index": "B/s",
        "machines_exact": Lower(""),
        "machines_batched": Lower(""),
        "machines_index": Lower(""),
        "lines": "1/s",
        "sweep": Series("queries a second", "B/s"),
    },
)
def search_load(
    vectors: Annotated[int, Bound(low=1)] = 10_000_000,
    vector_bytes: Annotated[int, Bound("B", low=1, high=65536)] = 3072,
    compared: Annotated[float, Bound(low=1.0, high=1e12)] = 2000.0,
    rate: Annotated[float, Bound("1/s", low=1e-3, high=1e7)] = 1000.0,
    batch: Annotated[int, Bound(low=1, high=100_000)] = 64,
    bandwidth: Annotated[float, Bound("B/s", low=1e6, high=1e15)] = 200e9,
):
    """Bytes a second that `rate` queries a second read, exactly one by one, exactly in batches, and through an index that compares few.

    machines: bytes a second over the bandwidth of one, so the least number that memory allows; arithmetic and waiting come on top. lines: cache
    lines a second that the index fetches.
    """
    exact, index = rate * vectors * vector_bytes, rate * compared * vector_bytes
    shown = [1, 10, 100, 1000, 10_000]
    return {
        "exact": exact,
        "batched": exact / batch,
        "index": index,
        "machines_exact": exact / bandwidth,
        "machines_batched": exact / batch / bandwidth,
        "machines_index": index / bandwidth,
        "lines": rate * compared * -(-vector_bytes // 64),
        "sweep": {
            "queries a second": shown,
            "exact": [each * vectors * vector_bytes for each in shown],
            "index": [each * compared * vector_bytes for each in shown],
        },
    }


@search_load.figure
def draw(result, ax):
    from kernels import plot

    plot.lines(ax, result["sweep"], xlog=True, ylog=True, x_label="queries a second", y_label="read from memory", highlight="index")
    plot.hline(ax, result.parameters["bandwidth"], "one machine's memory")
