"""Where a RAG system's answers are lost: retrieval, the answer from the right context, and the answer without it.

    accuracy = r a + (1 - r) b                            (law of total probability)

r: the share of questions whose context holds the answer; a: the share answered rightly with it; b: without it, from memory or by
luck. The product r a is the accuracy only where b = 0. With gold context for every question the accuracy is a: the oracle-context test.
"""

from typing import Annotated

from kernels import Bound, Free, Series, kernel

Share = Annotated[float, Bound(low=0.0, high=1.0)]


@kernel(
    kind="formula",
    outputs={
        **dict.fromkeys(("accuracy", "product", "oracle", "retrieval_gain", "generation_gain", "per_recall", "per_generation"), ""),
        **dict.fromkeys(("missed_wrong", "read_wrong", "missed_right", "read_right", "recall_needed"), ""),
        "sweep": Series("recall", ""),
    },
)
def rag_accuracy(
    recall: Share = 0.8,
    with_context: Share = 0.9,
    without_context: Annotated[float, Bound(low=0.0, high=1.0), Free(0.0, 0.6)] = 0.3,
    target: Share = 0.85,
):
    """End-to-end accuracy from recall and the two conditional accuracies, its parts, and what each repair could add.

    without_context: what the model knows anyway, nothing of private documents and much of public ones, so it is free between 0 and 0.6.
    product: recall times with_context. oracle: accuracy with gold context. retrieval_gain: what perfect recall would add; generation_gain: what
    answering every question with the right context would. per_recall, per_generation: what one point of each adds, in points. missed_*, read_*:
    shares of all questions without and with the answer in their context. recall_needed: for the target, more than 1 where none reaches it, 0 where
    none is needed.
    """
    accuracy = total(recall, with_context, without_context)
    slope = with_context - without_context
    reached = 0.0 if without_context >= target else 10.0
    needed = min(10.0, max(0.0, (target - without_context) / slope)) if slope > 0 else reached
    grid = [k / 20 for k in range(21)]
    return {
        "accuracy": accuracy,
        "product": recall * with_context,
        "oracle": with_context,
        "retrieval_gain": with_context - accuracy,
        "generation_gain": recall * (1 - with_context),
        "per_recall": slope,
        "per_generation": recall,
        "missed_wrong": (1 - recall) * (1 - without_context),
        "read_wrong": recall * (1 - with_context),
        "missed_right": (1 - recall) * without_context,
        "read_right": recall * with_context,
        "recall_needed": needed,
        "sweep": {
            "recall": grid,
            "accuracy": [total(r, with_context, without_context) for r in grid],
            "product": [r * with_context for r in grid],
        },
    }


def total(recall: float, with_context: float, without_context: float) -> float:
    return recall * with_context + (1 - recall) * without_context


@rag_accuracy.figure
def draw(result, ax):
    from kernels import plot

    plot.height(ax, 220)
    labels = {"accuracy": "", "product": ""}
    plot.lines(
        ax,
        result["sweep"],
        unit="percent",
        labels=labels,
        x_label="recall: the context holds the answer",
        y_label="right answers",
        highlight="accuracy",
    )
    ax.set_ylim(0, 1.05)
    recall = result.parameters["recall"]
    plot.mark(ax, 0.0, result.parameters["without_context"], "without context", plot.ACCENT, "right above")
    plot.mark(ax, 1.0, result["oracle"], "gold context", plot.ACCENT, "left above")
    plot.mark(ax, recall, result["accuracy"], "now", plot.ACCENT, "left above")
    if recall > 0.2:
        ax.text(recall / 2, recall / 2 * result["oracle"] - 0.03, "the product", color=plot.MUTED, fontsize=plot.SMALL, ha="left", va="top")
    return (
        f"Accuracy against recall, from {result.parameters['without_context']:.0%} without context to {result['oracle']:.0%} with gold context, "
        f"{result['accuracy']:.0%} at the present recall of {recall:.0%}. Below it the product of both rates, from 0."
    )
