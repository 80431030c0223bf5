"""Samples per second from storage: each sample a file of its own, or packed into shards that are read in long runs.

    one request     latency + bytes / stream bandwidth of one request
    files           min(requests in flight / time of one, operations/s, bandwidth / bytes)
    shards          the same with the bytes of a run in place of a sample's, times the samples in it

Little's law: what is in flight is the rate times the time of one.
"""

from typing import Annotated

from kernels import Bound, Series, kernel


@kernel(
    kind="formula",
    outputs={
        "files": "1/s",
        "shards": "1/s",
        "speedup": "",
        "files_used": "",
        "in_flight_needed": "",
        "full_rate": "1/s",
        "sweep": Series("in_flight", "1/s"),
    },
)
def small_reads(
    sample: Annotated[float, Bound("B", low=1)] = 110e3,
    run: Annotated[float, Bound("B", low=1)] = 8e6,
    in_flight: Annotated[int, Bound(low=1, high=2**20)] = 16,
    latency: Annotated[float, Bound("s", low=1e-7)] = 10e-3,
    stream: Annotated[float, Bound("B/s", low=1)] = 200e6,
    bandwidth: Annotated[float, Bound("B/s", low=1)] = 3e9,
    operations: Annotated[float, Bound("1/s", low=1)] = 1e5,
):
    """Samples per second as files and as shards, and the share of the bandwidth that files use.

    run: bytes of one read from a shard. stream: bytes per second of one request. in_flight_needed: requests that would fill the bandwidth with files,
    at full_rate files a second.
    """
    counts = [2**power for power in range(11)]
    one = latency + sample / stream

    def rate(size: float, count: int) -> float:
        return min(count / (latency + size / stream), operations, bandwidth / size) * size / sample

    return {
        "files": rate(sample, in_flight),
        "shards": rate(run, in_flight),
        "speedup": rate(run, in_flight) / rate(sample, in_flight),
        "files_used": rate(sample, in_flight) * sample / bandwidth,
        "full_rate": bandwidth / sample,
        "in_flight_needed": bandwidth / sample * one,
        "sweep": {"in_flight": counts, "files": [rate(sample, c) for c in counts], "shards": [rate(run, c) for c in counts]},
    }


@small_reads.figure
def draw(result, ax):
    from dataclasses import replace

    from kernels import plot

    sweep, here = result["sweep"], result.parameters["in_flight"]
    shown = [place for place, count in enumerate(sweep.x) if count <= 8 * here] or [0]  # further on both end at the storage's limit
    points = {line: tuple(values[place] for place in shown) for line, values in sweep.lines.items()}
    sweep = replace(sweep, x=tuple(sweep.x[place] for place in shown), lines=points)
    plot.lines(ax, sweep, xlog=True, unit="", x_label="reads in flight", y_label="samples/s", highlight="shards")
    if here <= sweep.x[-1]:
        plot.mark(ax, here, result["shards"], plot.show(result["shards"], ""), where="right below")
        plot.mark(ax, here, result["files"], plot.show(result["files"], ""), where="above")
