"""The table at the end of a session of measurements: what came out, what the data sheet let expect, and what to doubt.

In: what became of the runs. Out: text, a line for each measurement that was executed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from kernels.lab import REHEARSAL
from kernels.recording import Done
from kernels.results import Number, Result

HEAD = ("kernel", "headline", "predicted", "ratio", "of ceiling", "doubt")
WIDE = 0.05  # a spread between processes, as a share of the median, that leaves only one digit or two
TOLD = 2  # doubts of single times
POSSIBLE = 1.05  # of a ceiling or of a data sheet: more is a fault of the measurement, or of the ceiling


def table(done: Iterable[Done]) -> str:
    """Kernel with its case, headline, prediction, their ratio, share of the ceiling, doubts; empty where nothing was measured."""
    rows = [_row(one, one.result) for one in done if one.result is not None and one.run.kernel.kind == "measurement"]
    if not rows:
        return ""
    widths = [max(map(len, column)) for column in zip(HEAD, *rows)]
    lines = ("  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip() for row in (HEAD, *rows))
    return "\n".join(lines) + "\n"


def _row(done: Done, result: Result) -> tuple[str, ...]:
    from kernels.plot import show

    kernel = done.run.kernel
    headline = result.outputs.get(kernel.demand.headline)
    share = result.outputs.get(kernel.demand.share)
    predicted = kernel.expected(result)
    if not isinstance(headline, Number):
        return str(done.run), "", "", "", "", "; ".join(doubts(result))
    ratio = headline.value / predicted if predicted else None
    return (
        str(done.run),
        f"{kernel.demand.headline} {show(headline.value, headline.unit)}",
        show(predicted, headline.unit) if predicted else "",
        f"{ratio:.2f}" if ratio else "",
        f"{share.value:.0%}" if isinstance(share, Number) else "",
        "; ".join(doubts(result, ratio if headline.unit else None, headline, share if isinstance(share, Number) else None)),
    )


def doubts(result: Result, ratio: float | None = None, headline: Number | None = None, share: Number | None = None) -> Iterator[str]:
    """Why a physicist would look at a measurement twice; ratio: of the headline to its prediction, which is a bound. Of a rehearsal none is told."""
    if result.made.get("device_class") == REHEARSAL:
        return
    if share and share.value > POSSIBLE:
        yield "above its ceiling"
    if ratio and headline and (ratio < 1 / POSSIBLE if headline.unit == "s" else ratio > POSSIBLE):
        yield "better than the data sheet allows"
    if headline and headline.low is not None and headline.high is not None and headline.high - headline.low > WIDE * abs(headline.value):
        yield f"{(headline.high - headline.low) / abs(headline.value):.0%} between processes"
    told = list(dict.fromkeys(doubt for timing in result.timings for doubt in timing.get("doubts", ())))
    yield from told[:TOLD]
    if len(told) > TOLD:
        yield f"and {len(told) - TOLD} more in its record"
