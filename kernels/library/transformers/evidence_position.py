"""Accuracy by where the one document with the answer stands among twenty, as published.

Liu et al. 2023, Lost in the Middle, arXiv 2307.03172, table 6 (multi-document question answering, NaturalQuestions-Open; the document
first, fifth, tenth, fifteenth and last), and table 1 (without documents, and with the right one alone).
"""

from typing import Literal

from kernels import Series, kernel

PLACES = (1, 5, 10, 15, 20)
PUBLISHED = {
    "gpt-3.5-turbo": (0.758, 0.572, 0.538, 0.554, 0.632),
    "claude-1.3": (0.599, 0.559, 0.568, 0.572, 0.601),
}
ALONE = {"gpt-3.5-turbo": (0.561, 0.883), "claude-1.3": (0.483, 0.761)}


@kernel(
    kind="formula",
    outputs={
        "first": "",
        "fifth": "",
        "middle": "",
        "fifteenth": "",
        "last": "",
        "drop": "",
        "closed": "",
        "oracle": "",
        "sweep": Series("place", ""),
    },
)
def evidence_position(model: Literal["gpt-3.5-turbo", "claude-1.3"] = "gpt-3.5-turbo"):
    """The published accuracies; middle: tenth of twenty. closed: without any document, oracle: with the right one alone."""
    first, fifth, middle, fifteenth, last = PUBLISHED[model]
    closed, oracle = ALONE[model]
    return {
        "first": first,
        "fifth": fifth,
        "middle": middle,
        "fifteenth": fifteenth,
        "last": last,
        "drop": first - middle,
        "closed": closed,
        "oracle": oracle,
        "sweep": {"place": PLACES, "accuracy": PUBLISHED[model]},
    }


@evidence_position.figure
def draw(result, ax):
    from kernels import plot

    plot.lines(ax, result["sweep"], labels={"accuracy": ""}, unit="percent", x_label="place of the document, of 20", y_label="accuracy", zero=False)
    ax.set_ylim(0.48, 0.8)
    ax.set_xticks(PLACES)
    plot.hline(ax, result["closed"], "no document")
