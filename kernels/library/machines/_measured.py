"""Measured points on a predicted line: what the figure of a prediction draws where its measurement has a record."""

from collections.abc import Iterable


def points(ax, given: Iterable[tuple[float, float | None]], unit: str, text: str = "measured") -> str:
    """Dots at (x, y), the last one with its name and its value. Points without a y are left out. Returns what an alt text adds of them."""
    from kernels import plot

    found = [(x, y) for x, y in given if y is not None]
    if not found:
        return ""
    ax.plot(*zip(*found, strict=True), "o", color=plot.GREEN, markersize=6, markeredgecolor=plot.GROUND, markeredgewidth=1.0, zorder=6)
    low, high = ax.get_ylim()
    ax.set_ylim(min(low, 0.95 * min(y for _, y in found)), max(high, 1.05 * max(y for _, y in found)))
    x, y = found[-1]
    plot.mark(ax, x, y, f"{text} {plot.show(y, unit)}", plot.GREEN)
    return f" Dots, {text}: " + ", ".join(plot.show(y, unit) for _, y in found) + "."
