"""How often a price should change: what of a live price's gain remains if it is set anew each T, and how often it moves under a shopper's hand.

The best price follows a level that wanders back to its mean (Uhlenbeck and Ornstein 1930, Phys. Rev. 36; correlation exp(-t/m), m its memory). Profit
is a parabola about the best price, so a fixed price loses the level's variance and one that was set at age t, by the best forecast then, what is left
of it, 1 - exp(-2 t / m). Set each T, from data L old,

    kept = exp(-2 L / m) * (m / 2 T) * (1 - exp(-2 T / m))                  of what a price without any delay gains over a fixed one

What is known in advance (weekday, season) is in neither: a table can hold it. In a visit of length v, begun at any moment, N = floor(v / T) updates
happen, and one more with the chance v / T - floor(v / T); each changes each price of the basket with chance q:

    some price differs = 1 - E[(1 - q)^(N items)]
"""

import math
from typing import Annotated

from kernels import Bound, Series, kernel

Seconds = Annotated[float, Bound("s", low=1e-3, high=1e9)]
SHOWN = tuple(10.0 ** (k / 8) for k in range(-16, 50))
DAY = 86400.0


@kernel(
    kind="formula",
    outputs={"kept": "", "lost": "", "updates": "", "exposed": "", "one_item": "", "cadence": "", "sweep": Series("interval", "", x_unit="s")},
)
def price_cadence(
    interval: Seconds = DAY,
    visit: Seconds = 1800.0,
    memory: Seconds = 7 * DAY,
    lag: Annotated[float, Bound("s", low=0.0, high=1e9)] = 0.0,
    changes: Annotated[float, Bound(low=0.0, high=1.0)] = 0.2,
    items: Annotated[int, Bound(low=1, high=10_000)] = 10,
):
    """The share of a live price's gain that a price set each interval keeps, and the chance that a basket's prices move during a visit.

    memory: of the unpredictable part of demand. lag: age of the data when a price is set. changes: the share of prices that an update changes.
    updates: during a visit, on average. exposed: some price of the basket moves; one_item: one given price. cadence: intervals of 10 ms in one.
    sweep: kept and exposed by interval.
    """

    def kept(every: float) -> float:
        x = 2 * every / memory
        return math.exp(-2 * lag / memory) * (-math.expm1(-x) / x)

    def moved(every: float, n: int) -> float:
        whole = math.floor(visit / every)
        more, stays = visit / every - whole, (1 - changes) ** n
        return 1 - stays**whole * (1 - more + more * stays)

    return {
        "kept": kept(interval),
        "lost": 1 - kept(interval),
        "updates": visit / interval,
        "exposed": moved(interval, items),
        "one_item": moved(interval, 1),
        "cadence": interval / 0.01,
        "sweep": {"interval": SHOWN, "gain kept": [kept(t) for t in SHOWN], "prices move": [moved(t, items) for t in SHOWN]},
    }


@price_cadence.figure
def draw(result, ax):
    from kernels import plot

    labels = {"gain kept": "gain\nkept", "prices move": "moves"}
    plot.lines(ax, result["sweep"], xlog=True, unit="percent", labels=labels, x_label="between two updates", y_label="share", highlight="gain kept")
    ticks = {0.01: "10 ms", 1: "1 s", 60: "1 min", 3600: "1 h", DAY: "1 day"}
    ax.set_xticks(list(ticks), list(ticks.values()))
