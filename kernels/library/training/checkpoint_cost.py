"""A full checkpoint's size and time to write, how often to write it, and the GPU time that failures and writing cost.

    size             weights + master copy + moments, with bf16 weights and the rest in fp32: 2 + 4 + 8 = 14 bytes a parameter
    failures         one in M = hours of one GPU between failures / GPUs
    best interval    sqrt(2 * time to write * M)                        (Young 1974, CACM 17(9))
    lost             time to write / interval + interval / (2 M)        a failure costs half an interval on average

The run is stopped while it writes, and restarting costs nothing; writing while training goes on leaves only the second term.
"""

from typing import Annotated

from kernels import Bound, Series, kernel


@kernel(
    kind="formula",
    outputs={
        "weights": "B",
        "master": "B",
        "moments": "B",
        "total": "B",
        "per_gpu": "B",
        "write": "s",
        "between_failures": "s",
        "interval": "s",
        "lost": "",
        "lost_hourly": "",
        "write_hourly": "",
        "gpu_hours": "",
        "sweep": Series("interval", "", x_unit="s"),
    },
)
def checkpoint_cost(
    parameters: Annotated[int, Bound(low=1)] = 70_000_000_000,
    gpus: Annotated[int, Bound(low=1)] = 1024,
    bandwidth: Annotated[float, Bound("B/s", low=1)] = 50e9,
    gpu_failure: Annotated[float, Bound("s", low=1)] = 54 * 86400 * 16384 / 419,
    days: Annotated[float, Bound(low=0)] = 5.0,
):
    """Bytes of a checkpoint and of one GPU's part of it, seconds to write, Young's interval, the share of time lost, GPU hours of `days`.

    bandwidth: of the storage, all GPUs together. gpu_failure: seconds of one GPU between failures; the default is Llama 3's run of
    16,384 GPUs (419 unexpected interruptions in 54 days, arXiv 2407.21783, section 3.3.4). lost_hourly: lost with a checkpoint each
    hour, write_hourly: lost to writing it.
    """
    parts = {"weights": 2 * parameters, "master": 4 * parameters, "moments": 8 * parameters}
    total = sum(parts.values())
    write, between = total / bandwidth, gpu_failure / gpus
    best = (2 * write * between) ** 0.5
    shown = [best * 2 ** (power / 4) for power in range(-16, 17)]
    return {
        **parts,
        "total": total,
        "per_gpu": total / gpus,
        "write": write,
        "between_failures": between,
        "interval": best,
        "lost": lost(best, write, between),
        "lost_hourly": lost(3600, write, between),
        "write_hourly": write / 3600,
        "gpu_hours": days * 24 * gpus,
        "sweep": {"interval": shown, "lost": [lost(interval, write, between) for interval in shown]},
    }


def lost(interval: float, write: float, between: float) -> float:
    return write / interval + interval / (2 * between)


@checkpoint_cost.figure
def draw(result, ax):
    from kernels import plot

    plot.lines(
        ax, result["sweep"], xlog=True, unit="percent", labels={"lost": ""}, x_label="between checkpoints", y_label="time lost", highlight="lost"
    )
    plot.mark(ax, result["interval"], result["lost"], f"{result['interval'] / 60:.0f} min: {plot.show(result['lost'], 'percent')}", where="above")
    ticks = {60: "1 min", 300: "5 min", 1200: "20 min", 3600: "1 h", 18000: "5 h", 86400: "1 day"}
    low, high = result["sweep"].x[0], result["sweep"].x[-1]
    shown = [seconds for seconds in ticks if low <= seconds <= high]
    if len(shown) > 1:
        ax.set_xticks(shown, [ticks[seconds] for seconds in shown])
    plot.height(ax, 180)
