"""Softmax entropy, energy and distance as detectors of strange inputs, for a classifier that is the best possible on its own data.

Class k of K is normal around r e_k with unit covariance, the classes equally frequent; the exact posterior is softmax(r x). Strange
inputs are an unseen class (around r e_j, j > K), the middle of two classes, or a class moved outwards (around factor r e_k). Scores, high
if strange: entropy of the softmax; energy -log sum exp(r x) (Liu et al. 2020, arXiv 2010.03759); squared distance to the nearest class mean
(Lee et al. 2018, arXiv 1807.03888, here with unit covariance).
"""

import math
from typing import Annotated, Any

from kernels import Bound, Free, Series, kernel

SCORES = ("entropy", "energy", "distance")
FOUND = (*SCORES, "either")
KINDS = ("unseen", "between", "outward")
FACTORS = (1.0, 1.25, 1.5, 1.75, 2.0, 2.5, 3.0)


@kernel(
    kind="simulation",
    outputs={
        **{f"{score}_{kind}": "" for score in FOUND for kind in KINDS},
        **{f"confidence_{kind}": "" for kind in ("own", *KINDS)},
        "accuracy": "",
        "sweep": Series("factor", ""),
    },
    tolerance=1e-6,
)
def ood_scores(
    classes: Annotated[int, Bound(low=2, high=100)] = 10,
    unseen: Annotated[int, Bound(low=1, high=100)] = 10,
    radius: Annotated[float, Bound(low=0.5, high=20.0), Free(3.0, 7.0)] = 5.0,
    factor: Annotated[float, Bound(low=1.0, high=10.0)] = 2.0,
    false_alarms: Annotated[float, Bound(low=0.001, high=0.5)] = 0.05,
    n: Annotated[int, Bound(low=100, high=50_000)] = 10_000,
    seed: int = 0,
):
    """The share of strange inputs that each score finds, at a threshold that flags `false_alarms` of the model's own data.

    either: entropy or distance, each at a threshold of half the false alarms. unseen: number of classes never trained on. confidence: the mean of the
    largest probability. sweep: the share found among inputs of a class moved outwards, against the factor. radius: how far apart the classes lie,
    free between 3 and 7, where the best possible classifier is right on 90 to nearly 100 % of its own inputs.
    """
    import torch

    random = torch.Generator().manual_seed(seed)
    dimension = classes + unseen
    eye = radius * torch.eye(dimension, dtype=torch.float64)

    def around(means):
        return means + torch.randn(n, dimension, generator=random, dtype=torch.float64)

    known = torch.randint(classes, (n,), generator=random)
    other = (known + torch.randint(1, classes, (n,), generator=random)) % classes
    own = around(eye[known])
    strange = {
        "unseen": around(eye[classes + torch.randint(unseen, (n,), generator=random)]),
        "between": around((eye[known] + eye[other]) / 2),
        "outward": around(factor * eye[known]),
    }
    known_scores = strangeness(own, classes, radius)
    limits = {score: values.quantile(1 - false_alarms) for score, values in known_scores.items()}
    halves = {score: known_scores[score].quantile(1 - false_alarms / 2) for score in ("entropy", "distance")}
    outputs: dict[str, Any] = {"accuracy": (own[:, :classes].argmax(1) == known).double().mean(), "confidence_own": confidence(own, classes, radius)}
    for kind, inputs in strange.items():
        found = flagged(inputs, classes, radius, limits) | {"either": flagged_by_either(inputs, classes, radius, halves)}
        outputs |= {f"{score}_{kind}": share for score, share in found.items()}
        outputs[f"confidence_{kind}"] = confidence(inputs, classes, radius)
    moved = [flagged(around(f * eye[known]), classes, radius, limits) for f in FACTORS]
    return {**outputs, "sweep": {"factor": list(FACTORS), **{score: [m[score] for m in moved] for score in SCORES}}}


def strangeness(x, classes: int, radius: float) -> dict:
    """The three scores of each input; x is n x dimension."""
    import torch

    logits = radius * x[:, :classes]
    log_p = logits.log_softmax(1)
    to_means = x.square().sum(1, keepdim=True) - 2 * logits + radius**2  # |x - r e_k|^2
    return {"entropy": -(log_p.exp() * log_p).sum(1), "energy": -torch.logsumexp(logits, 1), "distance": to_means.min(1).values}


def flagged(x, classes: int, radius: float, limits: dict) -> dict:
    return {score: (values > limits[score]).double().mean() for score, values in strangeness(x, classes, radius).items()}


def flagged_by_either(x, classes: int, radius: float, halves: dict):
    scores = strangeness(x, classes, radius)
    return ((scores["entropy"] > halves["entropy"]) | (scores["distance"] > halves["distance"])).double().mean()


@ood_scores.invariant
def unmoved_inputs_raise_the_agreed_false_alarms(result):
    """Of new inputs from the known classes each score flags as many as agreed; further out distance flags more, entropy less: but for chance.

    Of n new inputs those beyond the m-th largest of n others are negative binomial: m on average, with a variance of 2 m and an exponential tail.
    """
    curve, agreed, n = result["sweep"], result.parameters["false_alarms"], result.parameters["n"]
    chance = (5 * math.sqrt(2 * (agreed * n + 1)) + 12) / n
    calm = all(abs(curve.values(score)[0] - agreed) < chance for score in SCORES)
    further, surer = (curve.values(score)[-1] - curve.values(score)[0] for score in ("distance", "entropy"))
    return calm and further > -chance and surer < chance


def confidence(x, classes: int, radius: float):
    return (radius * x[:, :classes]).softmax(1).max(1).values.mean()


@ood_scores.figure
def draw(result, ax):
    from kernels import plot

    plot.height(ax, 220)
    curve = result["sweep"]
    for score, color, shape in (("distance", plot.GREEN, "o-"), ("entropy", plot.RED, "s--")):
        ax.plot(curve.x, curve.values(score), shape, color=color, linewidth=2, markersize=4)
    plot.axes(ax, "how far out (1: the class's own place)", "", "percent", y_label="flagged as strange", xs=(1.0,))
    ax.set_ylim(0, 1.05)
    for score, color, up in (("distance", plot.GREEN, -6), ("entropy", plot.RED, 6)):
        end = (curve.x[-1], curve.values(score)[-1])
        ax.annotate(score, end, xytext=(0, up), textcoords="offset points", ha="right", va="top" if up < 0 else "bottom", color=color)
    far = {score: curve.values(score)[-1] for score in ("distance", "entropy")}
    return (
        f"Share flagged against how far a class is moved outwards: distance rises to {far['distance']:.0%} at {curve.x[-1]:g} times, "
        f"softmax entropy falls to {far['entropy']:.1%}."
    )
