"""What exact search over vectors costs at best on a GPU: one matrix product, whose bytes many queries share.

    time >= max(bytes of the vectors / bandwidth, 2 vectors dimension queries / peak, launching)

One query reads every value for two FLOP; many at once use it that many times, until arithmetic takes longer (Johnson, Douze and Jegou 2017, arXiv
1702.08734, section 5). Scores, and the choice of the best of them, come on top. Peaks and bandwidths are the data sheets' (machines/_devices.py).
"""

from typing import Annotated, Literal

from kernels import Bound, KernelError, Lower, Series, kernel
from kernels.library.machines._devices import DEVICES, Gpu
from kernels.library.machines._measured import points
from kernels.library.machines._reach import between, reach

BYTES = {"fp32": 4, "tf32": 4, "bf16": 2, "fp16": 2}
SHOWN = tuple(2**k for k in range(11))  # queries


@kernel(
    kind="prediction",
    outputs={
        "vectors_bytes": "B",
        "reading": Lower("s"),
        "arithmetic": Lower("s"),
        "time": Lower("s"),
        "expected": "s",
        "over_one": "",
        "queries_even": "",
        "sweep": Series("queries", "s"),
    },
)
def exact_search(
    vectors: Annotated[int, Bound(low=1)] = 1_000_000,
    dimension: Annotated[int, Bound(low=1)] = 768,
    queries: Annotated[int, Bound(low=1)] = 1,
    dtype: Literal["fp32", "tf32", "bf16", "fp16"] = "fp32",
    gpu: Gpu = "h100",
    launching: Annotated[float, Bound("s", low=0, high=0.05)] = 0.0,
):
    """The least time of an exact search for `queries` at once: reading all vectors once, or their products, whichever takes longer.

    dtype: of the products; tf32 reads fp32 vectors and multiplies them on the tensor cores. over_one: the time over that of one query.
    launching: seconds of its launches. expected: of the products alone, at the share of bandwidth and of the peak in 16 bits that published kernels
    reach. queries_even: so many queries take as long in arithmetic as reading does. sweep: the time over the number of queries, by dtype.
    """
    device = DEVICES[gpu]
    if dtype not in device.peak:
        raise KernelError(f"exact_search: {device.name} has no rate for {dtype}; it has one for {', '.join(device.peak)}")
    reading, each = parts(vectors, dimension, dtype, device)
    stream, product = reach("stream", gpu, "memory"), reach("product", gpu, "arithmetic")
    ends = (stream.high, product.high), (stream.low, product.low)
    return {
        "vectors_bytes": vectors * dimension * BYTES[dtype],
        "reading": reading,
        "arithmetic": queries * each,
        "time": max(reading, queries * each, launching),
        "expected": between(*(max(reading / stream, queries * each / product, launching) for stream, product in ends)),
        "over_one": max(reading, queries * each) / max(reading, each),
        "queries_even": reading / each,
        "sweep": {
            "queries": list(SHOWN),
            **{
                name: [max(read, count * one) for count in SHOWN]
                for name in ("fp32", "tf32")
                if name in device.peak
                for read, one in [parts(vectors, dimension, name, device)]
            },
        },
    }


def parts(vectors: int, dimension: int, dtype: str, device) -> tuple[float, float]:
    """Seconds to read all vectors, and of the products with one query."""
    return vectors * dimension * BYTES[dtype] / device.bandwidth, 2 * vectors * dimension / device.peak[dtype]


@exact_search.figure
def draw(result, ax, measured=None):
    from kernels import plot

    plot.lines(ax, result["sweep"], xlog=True, labels={"fp32": "fp32", "tf32": "TF32"}, x_label="queries at once", y_label="least time of a search")
    if measured:
        points(ax, [(1, measured["time_1"]), (64, measured["time_64"])], "s")
