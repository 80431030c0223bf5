"""Answering only when sure: which share of the questions is answered (coverage), and which share of those wrongly (risk).

Two equally frequent classes give a signal that is normal with variance 1 around +d/2 or -d/2; the answer is its sign, the true log-odds
of being right |d x|. The model states scale times these. If an error costs 1 and an abstention c, answering pays where the
probability to be right exceeds 1 - c (Chow 1970, On Optimum Recognition Error and Reject Tradeoff).
"""

import math
from typing import Annotated

from kernels import Bound, KernelError, Series, kernel


@kernel(
    kind="formula",
    outputs={
        "threshold": "",
        "risk_all": "",
        **{f"{what}{how}": "" for what in ("coverage", "risk", "cost") for how in ("", "_calibrated")},
        "sweep": Series("coverage", ""),
    },
)
def selective_risk(
    separation: Annotated[float, Bound(low=0.1, high=10.0)] = 2.0,
    scale: Annotated[float, Bound(low=0.1, high=10.0)] = 1.0,
    abstention: Annotated[float, Bound(low=0.001, high=0.499)] = 0.1,
):
    """Coverage, risk and cost at the threshold 1 - abstention of the stated confidence, and of a calibrated model's.

    risk_all: the risk if everything is answered. sweep: risk against coverage, the same whatever the scale.
    """
    threshold = 1 - abstention
    log_odds = math.log(threshold / abstention)
    outputs: dict[str, float] = {}
    for how, factor in (("", scale), ("_calibrated", 1.0)):
        least = log_odds / factor / separation
        coverage, wrong = answered(least, separation)
        if not coverage:
            raise KernelError(f"selective_risk: only a signal beyond {least:.0f} standard deviations is answered, so that none is: raise abstention")
        outputs |= {f"coverage{how}": coverage, f"risk{how}": wrong / coverage, f"cost{how}": wrong + abstention * (1 - coverage)}
    curve = [answered(k / 10 * (1 + separation) / 2, separation) for k in range(16, -1, -1)]
    return {
        "threshold": threshold,
        "risk_all": normal(-separation / 2),
        **outputs,
        "sweep": {"coverage": [c for c, _ in curve], "risk": [w / c for c, w in curve]},
    }


def normal(x: float) -> float:
    """The normal distribution's share below x, far below too."""
    return math.erfc(-x / math.sqrt(2)) / 2


def answered(least: float, separation: float) -> tuple[float, float]:
    """The shares of questions answered, and answered wrongly, if |x| must exceed `least`."""
    wrong = normal(-separation / 2 - least)
    return normal(separation / 2 - least) + wrong, wrong


@selective_risk.figure
def draw(result, ax):
    from kernels import plot

    plot.height(ax, 220)
    curve = result["sweep"]
    ax.plot(curve.x, curve.values("risk"), color=plot.ACCENT, linewidth=2)
    plot.axes(ax, "share answered", "percent", "percent", y_label="of these, wrong", xs=curve.x)
    ax.set_ylim(0, None)
    plot.mark(ax, result["coverage_calibrated"], result["risk_calibrated"], "calibrated", color=plot.GREEN, where="left above")
    plot.mark(ax, result["coverage"], result["risk"], "over-confident", color=plot.RED, where="left above")
    return (
        f"Share of wrong answers against share answered, one rising curve. The calibrated model answers {result['coverage_calibrated']:.0%} with "
        f"{result['risk_calibrated']:.1%} wrong, the over-confident one, further up the same curve, {result['coverage']:.0%} with "
        f"{result['risk']:.1%} wrong."
    )
