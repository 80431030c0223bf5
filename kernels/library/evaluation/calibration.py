"""Two models that are right equally often, one of them far too sure: what calibration errors and proper scores say of each.

Calibrated means: of the predictions made with confidence c, a share c is right. Here model A's share of right answers
follows its confidence at a distance (mean confidence - accuracy), and so does B's; only that distance differs.

    ECE   = sum over bins of (n_b / n) |accuracy_b - confidence_b|     MCE = the largest of those gaps
    Brier = mean (confidence - right)^2                                NLL = -mean log(probability given to what was the case)

Equal-width bins of the confidence, as in Guo et al. 2017 (arXiv 1706.04599, equations 3 and 5). A confidence is the
sigmoid of a normal log-odds; exactly round(n * accuracy) answers of each model are right.
"""

import math
from typing import Annotated, Any

from kernels import Bound, Free, Series, kernel

SCORES = ("ece", "mce", "brier", "nll", "mean_confidence", "accuracy", "gap")


@kernel(
    kind="simulation",
    outputs={
        **{f"{score}_{model}": "" for model in "ab" for score in SCORES},
        "ece_constant": "",
        "nll_constant_a": "",
        "nll_constant_b": "",
        "reliability": Series("bin", ""),
        "confidence": Series("bin", ""),
        "filled": Series("bin", ""),
    },
    tolerance=1e-6,
)
def calibration(
    n: Annotated[int, Bound(low=20, high=1_000_000), Free(2000, 50_000)] = 10_000,
    accuracy: Annotated[float, Bound(low=0.05, high=0.95)] = 0.88,
    confidence_a: Annotated[float, Bound(low=0.05, high=0.999)] = 0.89,
    confidence_b: Annotated[float, Bound(low=0.05, high=0.999)] = 0.99,
    spread: Annotated[float, Bound(low=0.0, high=4.0), Free(1.0, 2.5)] = 1.5,
    tracking: Annotated[float, Bound(low=-1.0, high=1.0)] = 1.0,
    bins: Annotated[int, Bound(low=1, high=1000)] = 15,
    seed: int = 0,
):
    """Two models of equal accuracy and different confidence: ECE, MCE, Brier, NLL, reliability, and what one constant confidence would show.

    spread: standard deviation of the confidences' log-odds, free between 1 and 2.5: nearly alike, or from a coin toss to certainty. n: the test set's
    size, free. tracking: how far the chance to be right follows the confidence, 1 point by point, 0 not at all (then |mean confidence - accuracy|
    hides most of the ECE). gap is that difference of means, a lower bound of the ECE. ece_constant: the ECE if every answer had the accuracy for its
    confidence; nll_constant: the NLL if each answer had the model's mean confidence. The MCE may be that of a bin with a single prediction.
    reliability (accuracy), confidence (mean) and filled (share of the predictions) are by bin, 0 where it is empty.
    """
    import torch

    random = torch.Generator().manual_seed(seed)
    outputs: dict[str, Any] = {}
    curves: dict[str, dict[str, list]] = {"reliability": {}, "confidence": {}, "filled": {}}
    for model, mean in (("a", confidence_a), ("b", confidence_b)):
        sure = confidences(n, mean, spread, random)
        right = answers(accuracy + tracking * (sure - mean), round(n * accuracy), random)
        table = bin_table(sure, right, bins)
        gaps = (table["accuracy"] - table["confidence"]).abs()
        outputs |= {
            f"ece_{model}": expected_calibration_error(sure, right, bins),
            f"mce_{model}": gaps.max(),
            f"brier_{model}": (sure - right).square().mean(),
            f"nll_{model}": -torch.where(right > 0, sure, 1 - sure).log().mean(),
            f"mean_confidence_{model}": sure.mean(),
            f"accuracy_{model}": right.mean(),
            f"gap_{model}": (sure.mean() - right.mean()).abs(),
            f"nll_constant_{model}": -accuracy * math.log(mean) - (1 - accuracy) * math.log(1 - mean),
        }
        for curve, column in (("reliability", "accuracy"), ("confidence", "confidence"), ("filled", "share")):
            curves[curve][model] = table[column].tolist()
        if model == "a":
            outputs["ece_constant"] = round(float(expected_calibration_error(torch.full_like(sure, round(n * accuracy) / n), right, bins)), 12)
    middles = [(b + 0.5) / bins for b in range(bins)]
    return {**outputs, **{name: {"bin": middles, **lines} for name, lines in curves.items()}}


@calibration.invariant
def no_error_is_smaller_than_what_it_averages(result):
    """The gap of the means is at most the ECE, and that at most the largest bin's; a constant at the accuracy has neither."""
    models = all(result[f"gap_{m}"] <= result[f"ece_{m}"] + 1e-9 <= result[f"mce_{m}"] + 2e-9 for m in "ab")
    return models and result["ece_constant"] < 1e-9


def confidences(n: int, mean: float, spread: float, random):
    """n confidences in (0, 1): the sigmoid of a normal log-odds whose centre makes their mean exactly `mean`."""
    import torch

    noise = spread * torch.randn(n, generator=random, dtype=torch.float64)
    low, high = -30.0, 30.0
    for _ in range(52):
        centre = (low + high) / 2
        low, high = (centre, high) if torch.sigmoid(centre + noise).mean() < mean else (low, centre)
    return torch.sigmoid(high + noise)


def answers(chance, right: int, random):
    """1.0 where an answer is right: exactly `right` of them, answer i with a probability proportional to chance[i] (at most 1).

    Systematic sampling (Madow 1949): the cumulated chances, moved by one random number, pass a whole number at each right answer.
    """
    import torch

    chance = chance.clamp(1e-9, 1.0)
    for _ in range(20):
        chance = (chance * (right / chance.sum())).clamp(max=1.0)
    moved = torch.cumsum(chance, 0) + torch.rand((), generator=random, dtype=torch.float64)
    moved[-1] += right - chance.sum()  # the last digits that the sum lost
    return torch.diff(moved.floor(), prepend=torch.zeros(1, dtype=torch.float64))


def bin_of(confidence, bins: int):
    """The equal-width bin of each confidence; bins are open below and closed above."""
    return (confidence * bins).ceil().long().clamp(1, bins) - 1


def bin_table(confidence, right, bins: int):
    """Per bin of the confidence: its share of the predictions, their mean confidence and their accuracy (0 where empty)."""
    import torch

    index = bin_of(confidence, bins)
    count, sure, hits = (torch.bincount(index, weights, minlength=bins) for weights in (torch.ones_like(confidence), confidence, right))
    full = count.clamp(min=1)
    return {"share": count / len(confidence), "confidence": sure / full, "accuracy": hits / full}


def expected_calibration_error(confidence, right, bins: int):
    """The mean gap between accuracy and confidence over the bins, weighted by how many predictions each holds."""
    import torch

    return torch.bincount(bin_of(confidence, bins), right - confidence, minlength=bins).abs().sum() / len(confidence)


def ece_of_calibrated(confidence, bins: int, random):
    """The ECE of one test set whose answers are right with exactly the probability that each confidence states."""
    import torch

    right = torch.rand(len(confidence), generator=random, dtype=torch.float64) < confidence
    return expected_calibration_error(confidence, right.double(), bins)


@calibration.figure
def draw(result, ax):
    from kernels import plot

    plot.height(ax, 250)
    ax.plot([0, 1], [0, 1], color=plot.MUTED, linewidth=1.2, linestyle=(0, (3, 2)))
    ax.annotate("calibrated", (0.1, 0.1), xytext=(6, -2), textcoords="offset points", color=plot.MUTED, va="top")
    least = 20 / result.parameters["n"]  # fewer predictions in a bin show nothing but chance
    said = []
    alone = result.parameters["tracking"] == 0  # confidence then says nothing, and two such models would only cover each other
    for model, color, shape, where in (("a", plot.ACCENT, "o-", "left above"), ("b", plot.RED, "s--", "left below"))[: 1 if alone else 2]:
        points = zip(*(result[curve].values(model) for curve in ("confidence", "reliability", "filled")))
        sure, right = zip(*((c, a) for c, a, share in points if share >= least))
        ax.plot(sure, right, shape, color=color, markersize=5)
        ax.fill_between(sure, right, sure, color=color, alpha=0.14, linewidth=0)
        name = model.upper()
        middle = len(sure) // 2
        said_there = f"{'' if alone else f'{name}: '}ECE {result[f'ece_{model}']:.2f}"
        plot.mark(ax, sure[middle], right[middle], said_there, color, where, name)
        mean, accuracy, ece = (result[f"{score}_{model}"] for score in ("mean_confidence", "accuracy", "ece"))
        lies = "near" if ece < 0.05 else "below" if mean - accuracy > 0.9 * ece else "above" if accuracy - mean > 0.9 * ece else "across"
        said.append(f"{name} lies {lies} the diagonal: mean confidence {mean:.0%}, accuracy {accuracy:.0%}, ECE {ece:.3f}")
    plot.axes(ax, "stated confidence", "percent", "percent", y_label="answers right", xs=(1.0,))
    ax.set_ylim(0, 1)
    return f"Reliability diagram. {'; '.join(said)}."
