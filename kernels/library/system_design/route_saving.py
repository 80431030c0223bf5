"""What sending easy queries to a cheaper model saves.

    cost    q t (1 + e / r) r + (1 - q)        before    q t + (1 - q)

q is the share of queries that are routed away, t the tokens of such a query against another one's, r the cheap model's price over the dear one's,
and e the share of routed queries that the dear model has to answer after all, both being paid (as in a cascade: Chen, Zaharia and Zou 2023,
FrugalGPT, arXiv 2305.05176).
"""

from typing import Annotated

from kernels import Bound, Free, Series, kernel

RATIOS = tuple(k / 20 for k in range(21))


@kernel(kind="formula", outputs={"cost_share": "", "saving": "", "ceiling": "", "sweep": Series("ratio", "")})
def route_saving(
    routed: Annotated[float, Bound(low=0.0, high=1.0)] = 0.7,
    ratio: Annotated[float, Bound(low=0.0, high=1.0)] = 0.06,
    length: Annotated[float, Bound(low=0.01, high=100.0), Free(0.5, 1.0)] = 1.0,
    escalated: Annotated[float, Bound(low=0.0, high=1.0)] = 0.0,
):
    """The share of the bill that routing saves, by the share of queries, the ratio of prices, their lengths and what is done twice.

    How long the routed queries are beside the others only the service's logs tell, so length is free. cost_share: of the bill before, what the
    routed queries made; ceiling: the saving were the cheap model free and right. sweep: saving by ratio.
    """
    before = routed * length + (1 - routed)

    def saving(r: float) -> float:
        return routed * length * (1 - r - escalated) / before

    return {
        "cost_share": routed * length / before,
        "saving": saving(ratio),
        "ceiling": routed * length / before,
        "sweep": {"ratio": RATIOS, "saving": [saving(r) for r in RATIOS]},
    }


@route_saving.figure
def draw(result, ax):
    from kernels import plot

    ratio, saving = result.parameters["ratio"], result["saving"]
    plot.lines(ax, result["sweep"], labels={"saving": ""}, unit="percent", x_label="small model's price over the large one's", y_label="saved")
    plot.mark(ax, ratio, saving, f"{100 * saving:.0f} % at {ratio:g}", plot.ACCENT, "right above")
