"""One temperature for two populations: what it mends where it was fitted, and what it leaves where the model is over-confident by another factor.

The model reports logits z; labels follow softmax(z / scale), with a scale of its own in each population, which that population's best
temperature equals (Guo et al. 2017, arXiv 1706.04599, equation 9). Two shifts from a to b, which differ in what they leave alone:

    the labels' law   scale_b > scale_a: the same z, right less often, as a network under corruption (Ovadia et al. 2019, arXiv 1906.02530)
    the inputs        narrower < 1, scale_b = scale_a: other z (harder inputs), but p(label | z) as before, so that one temperature serves both
"""

import math
from typing import Annotated, Any, Literal

from kernels import Bound, Free, kernel
from kernels.library.evaluation.temperature_scaling import BINS, drawn, fitted, scores

WHEN = ("before", "after", "own")


@kernel(
    kind="simulation",
    outputs={
        "temperature": "",
        **{f"temperature_{p}": "" for p in "ab"},
        **{f"{what}_{p}": "" for what in ("accuracy", "confidence_before", "confidence_after") for p in "ab"},
        **{f"ece_{p}_{when}": "" for p in "ab" for when in WHEN},
        "ece_both_before": "",
        "ece_both_after": "",
        "answers_changed": "",
    },
    tolerance=1e-6,
)
def temperature_shift(
    scale_a: Annotated[float, Bound(low=0.1, high=20.0)] = 2.0,
    scale_b: Annotated[float, Bound(low=0.1, high=20.0)] = 5.0,
    fit: Literal["a", "both"] = "a",
    narrower: Annotated[float, Bound(low=0.01, high=100.0)] = 1.0,
    spread: Annotated[float, Bound(low=0.1, high=20.0), Free(3.0, 8.0)] = 5.0,
    classes: Annotated[int, Bound(low=2, high=100), Free(5, 50)] = 10,
    n: Annotated[int, Bound(low=100, high=40_000)] = 20_000,
    seed: int = 0,
):
    """Temperature fitted on population a, or on both pooled: ECE, accuracy and confidence of each before and after.

    n examples a population, half to fit and half to judge. spread: standard deviation of the reported logits of a, times `narrower` in b. own: with
    the temperature fitted on that population itself. both: the ECE of the two populations as one. spread and classes are a toy's: unsure to sure
    models of few to many classes.
    """
    import torch

    random = torch.Generator().manual_seed(seed)
    half = n // 2
    logits, labels = {}, {}
    for p, scale, width in (("a", scale_a, spread), ("b", scale_b, spread * narrower)):
        logits[p] = width * torch.randn(n, classes, generator=random, dtype=torch.float64)
        labels[p] = drawn((logits[p] / scale).softmax(1), random)
    own = {p: fitted(logits[p][:half], labels[p][:half]) for p in "ab"}
    pooled = (torch.cat([values[p][:half] for p in "ab"]) for values in (logits, labels))
    temperature = own["a"] if fit == "a" else fitted(*pooled)
    outputs: dict[str, Any] = {"temperature": temperature, **{f"temperature_{p}": t for p, t in own.items()}}
    for p in "ab":
        judged = logits[p][half:], labels[p][half:]
        for when, t in zip(WHEN, (1.0, temperature, own[p])):
            found = scores(*judged, t)
            outputs[f"ece_{p}_{when}"] = found["ece"]
            if when != "own":
                outputs[f"confidence_{when}_{p}"] = found["confidence"]
        outputs[f"accuracy_{p}"] = found["accuracy"]
    both, answers = (torch.cat([values[p][half:] for p in "ab"]) for values in (logits, labels))
    return {
        **outputs,
        "ece_both_before": scores(both, answers, 1.0)["ece"],
        "ece_both_after": scores(both, answers, temperature)["ece"],
        "answers_changed": (both.argmax(1) != (both / temperature).argmax(1)).double().mean(),
    }


@temperature_shift.invariant
def own_temperatures_are_the_scales_and_no_answer_changes(result):
    """Each population's own temperature is its scale within five standard errors, and leaves the ECE of chance; no temperature changes an answer.

    The standard error of log T is 1 / sqrt(I n / 2), I the mean variance of the true logits z / scale by their own softmax, least for two classes;
    where it exceeds a tenth, so that a fit may find no temperature at all, nothing is asked. Bins of m answers in all have an ECE of sqrt(2 / pi)
    sqrt(bins / 4 m) at most, with a standard deviation of 0.3 / sqrt(m); half of log T's error comes on top.
    """
    given = result.parameters
    half = given["n"] // 2

    def calibrated(p: str, width: float) -> bool:
        sharpness = width / given[f"scale_{p}"]
        error = 1 / math.sqrt(half * min(sharpness**2 / 4, 0.15, 0.8 / sharpness))
        off = abs(math.log(result[f"temperature_{p}"] / given[f"scale_{p}"]))
        floor = math.sqrt(2 / math.pi * BINS / 4 / half) + 4 * 0.3 / math.sqrt(half)
        return error > 0.1 or (off < 5 * error and result[f"ece_{p}_own"] < floor + off / 2)

    own = calibrated("a", given["spread"]) and calibrated("b", given["spread"] * given["narrower"])
    return own and result["answers_changed"] == 0
