"""Amdahl's law read backwards: from the speed-up seen, the share of the time that got faster.

    overall = 1 / (1 - share + share / faster)        share = (1 - 1 / overall) / (1 - 1 / faster)

Amdahl 1967, Validity of the single processor approach to achieving large scale computing capabilities (AFIPS 30).
"""

from typing import Annotated

from kernels import Bound, KernelError, Series, kernel

SHARES = (0.2, 0.5, 0.8, 1.0)


@kernel(kind="formula", outputs={"share": "", "rest": "", "limit": "", "sweep": Series("faster", "")})
def partial_speedup(faster: Annotated[float, Bound(low=1.0)], overall: Annotated[float, Bound(low=1.0)]):
    """The share of the time that a part took, if making it `faster` times as fast made the whole `overall` times as fast.

    rest: the share that did not speed up.
    limit: the speed-up of the whole if that part took no time at all. sweep: the whole's speed-up against the part's, for this
    share and for larger ones.
    """
    if not overall < faster:
        raise KernelError(f"partial_speedup: overall is {overall:g}, but must be less than faster, {faster:g}: a whole gains less than its part")
    share = (1 - 1 / overall) / (1 - 1 / faster)
    rest = (faster - overall) / (faster - 1) / overall  # 1 - share, without its cancellation
    factors = [1 + k / 2 for k in range(19)]
    shares = {f"{round(100 * s)} %": s for s in sorted({share, *(s for s in SHARES if s > share + 0.05)})}
    return {
        "share": share,
        "rest": rest,
        "limit": 1 / rest,
        "sweep": {"faster": factors, **{name: [1 / (1 - s + s / f) for f in factors] for name, s in shares.items()}},
    }


@partial_speedup.figure
def draw(result, ax):
    from dataclasses import replace

    from kernels import plot

    name = f"{round(100 * result['share'])} %"
    faster, overall = result.parameters["faster"], result.parameters["overall"]
    curve = result["sweep"]
    some = replace(curve, lines={line: points for line, points in curve.lines.items() if line != "100 %"})  # it would dwarf the others
    labels = {line: f"{line} of\nthe time" if line == name else line for line in some.lines}
    plot.lines(ax, some, labels=labels, x_label="how much faster one part gets", y_label="speed-up of the whole", highlight=name, zero=False)
    plot.mark(ax, faster, overall, f"{faster:g} times gives {overall:g}", plot.ACCENT, "below")
    ax.set_ylim(0.5, None)
