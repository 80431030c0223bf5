"""How often to write a checkpoint that takes a given time, when failures come at random, and the share of time that is lost.

    best interval    sqrt(2 * time to write * M)                        (Young 1974, CACM 17(9))
    lost             time to write / interval + interval / (2 M)        a failure costs half an interval on average

M: mean time between failures. The run is stopped while it writes, and restarting costs nothing; writing while training goes on leaves only the
second term.
"""

from typing import Annotated

from kernels import Bound, Series, kernel

Seconds = Annotated[float, Bound("s", low=1e-3, high=1e9)]


@kernel(kind="formula", outputs={"interval": "s", "lost": "", "lost_hourly": "", "sweep": Series("interval", "", x_unit="s")})
def checkpoint_interval(write: Seconds = 20.0, between_failures: Seconds = 49 * 3600.0):
    """Young's interval and the share of time lost with it; lost_hourly: with a checkpoint each hour. sweep: lost by interval."""
    best = (2 * write * between_failures) ** 0.5
    shown = [best * 2 ** (power / 4) for power in range(-16, 17)]
    return {
        "interval": best,
        "lost": lost(best, write, between_failures),
        "lost_hourly": lost(3600, write, between_failures),
        "sweep": {"interval": shown, "lost": [lost(interval, write, between_failures) for interval in shown]},
    }


def lost(interval: float, write: float, between: float) -> float:
    return write / interval + interval / (2 * between)


@checkpoint_interval.figure
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
