"""Faithfulness crossed with context relevance: four cells, four suspects, and the share of the traffic in each.

    share(cell) = P(context relevant or not) * P(answer faithful or not, given the context)

Faithfulness is whether the context supports what the answer says, context relevance whether the context bears on the question (Es et
al. 2023, Ragas, arXiv 2309.15217). Neither says that the answer is true.
"""

from typing import Annotated

from kernels import Bound, kernel

Share = Annotated[float, Bound(low=0.0, high=1.0)]
CELLS = (
    ("relevant_faithful", "both stages work"),
    ("relevant_unfaithful", "generator"),
    ("irrelevant_faithful", "retriever"),
    ("irrelevant_unfaithful", "retriever first"),
)


@kernel(kind="formula", outputs={**{name: "" for name, _ in CELLS}, "faithful": "", "retrieval_first": ""})
def rag_fault_grid(relevant: Share = 0.8, faithful_if_relevant: Share = 0.95, faithful_if_irrelevant: Share = 0.7):
    """The shares of the four cells; of the answers that are faithful; and of the failures, those whose first repair is retrieval.

    retrieval_first is 0 where nothing fails.
    """
    cells = {
        "relevant_faithful": relevant * faithful_if_relevant,
        "relevant_unfaithful": relevant * (1 - faithful_if_relevant),
        "irrelevant_faithful": (1 - relevant) * faithful_if_irrelevant,
        "irrelevant_unfaithful": (1 - relevant) * (1 - faithful_if_irrelevant),
    }
    failed = cells["relevant_unfaithful"] + 1 - relevant
    return {
        **cells,
        "faithful": cells["relevant_faithful"] + cells["irrelevant_faithful"],
        "retrieval_first": (1 - relevant) / failed if failed else 0.0,
    }


@rag_fault_grid.figure
def draw(result, ax):
    from matplotlib.patches import Rectangle

    from kernels import plot

    left, wide, high, top = 84, 119, 62, 22
    for column, head in enumerate(("faithful", "unfaithful")):
        ax.text(left + column * (wide + 4) + wide / 2, 14, head, color=plot.MUTED, fontsize=plot.TEXT, ha="center")
    for row, head in enumerate(("relevant\ncontext", "irrelevant\ncontext")):
        ax.text(left - 8, top + row * (high + 4) + high / 2, head, color=plot.MUTED, fontsize=plot.TEXT, ha="right", va="center")
    fills = (plot.MINT, plot.SAND, plot.SKY, plot.ROSE)
    for place, (name, says) in enumerate(CELLS):
        x, y = left + place % 2 * (wide + 4), top + place // 2 * (high + 4)
        ax.add_patch(Rectangle((x, y), wide, high, facecolor=fills[place]))
        ax.text(x + wide / 2, y + 26, says, color=plot.INK, fontsize=plot.TEXT, ha="center")
        ax.text(x + wide / 2, y + 46, plot.show(result[name], "percent"), color=plot.INK, fontsize=plot.TEXT, ha="center")
    ax.set_xlim(0, plot.WIDTH - 4)
    ax.set_ylim(top + 2 * high + 6, 0)
    ax.axis("off")
    plot.height(ax, top + 2 * high + 10)
    told = ", ".join(f"{name.replace('_', ' and ')}: {says}, {result[name]:.0%}" for name, says in CELLS)
    return f"A grid of four cells, context against answer. {told}."
