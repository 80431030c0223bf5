"""How a longer context takes attention from the one position that matters, if its lead in score stays the same.

    weight = e^g / (e^g + n)            n other positions of equal score, g: the lead            (softmax; one head)

Half of the weight needs g = ln n, so a lead that keeps pace with the logarithm of the context does not dilute.
"""

import math
from typing import Annotated

from kernels import Bound, Free, Series, kernel

LENGTHS = (10, 30, 100, 300, 1000, 3000, 10_000, 30_000, 100_000, 300_000, 1_000_000)
LEADS = (3, 5, 8)


@kernel(kind="formula", outputs={"weight": "", "lead_for_half": "", "others_at_half": "", "sweep": Series("others", "")})
def distractor_weight(
    lead: Annotated[float, Bound(low=-50.0, high=50.0), Free(3.0, 15.0)] = 5.0,
    others: Annotated[int, Bound(low=1, high=10**12)] = 1000,
):
    """The softmax weight of one position that leads all others by `lead`; the lead at which it is one half, and the others that it takes.

    lead: what a head learns, so free. sweep: the weight against the number of others, for leads of 3, 5 and 8.
    """
    return {
        "weight": weight(lead, others),
        "lead_for_half": math.log(others),
        "others_at_half": math.exp(lead),
        "sweep": {"others": list(LENGTHS), **{f"lead {g}": [weight(g, n) for n in LENGTHS] for g in LEADS}},
    }


def weight(lead: float, others: int) -> float:
    return 1 / (1 + others * math.exp(-lead))


@distractor_weight.figure
def draw(result, ax):
    from kernels import plot

    plot.height(ax, 220)
    curve = result["sweep"]
    labels = dict.fromkeys(curve.lines, "")
    plot.lines(ax, curve, xlog=True, unit="percent", labels=labels, x_label="other positions", y_label="weight on the one that matters")
    ax.set_ylim(0, 1)
    for number, g in enumerate(LEADS):
        share = 0.12 if g == LEADS[0] else 0.52
        ax.text(math.exp(g) * (1 / share - 1) * 1.3, share, f"lead {g}", color=plot.STROKES[number], fontsize=plot.SMALL, ha="left", va="bottom")
    return "Softmax weight of one position against the number of others, logarithmic: three falling S-curves, for leads of 3, 5 and 8."
