"""One temperature for two populations: what it mends where it was fitted, and what it leaves where the model is over-confident by another factor.

The model reports logits z; labels follow softmax(z / scale), with a scale of its own in each population, which that population's best
temperature equals (Guo et al. 2017, arXiv 1706.04599, equation 9). Two shifts from a to b, which differ in what they leave alone:

    the labels' law   scale_b > scale_a: the same z, right less often, as a network under corruption (Ovadia et al. 2019, arXiv 1906.02530)
    the inputs        narrower < 1, scale_b = scale_a: other z (harder inputs), but p(label | z) as before, so that one temperature serves both
"""

from typing import Annotated, Any, Literal

from kernels import Bound, Free, kernel
from kernels.library.evaluation.temperature_scaling import drawn, fitted, scores

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
    """Each population's own temperature is its scale within a tenth and leaves little ECE, where examples are many and neither all sure nor all
    unsure; no temperature changes an answer."""
    given = result.parameters
    widths = {"a": given["spread"], "b": given["spread"] * given["narrower"]}
    usual = [p for p in "ab" if 0.5 <= widths[p] / given[f"scale_{p}"] <= 5 and given["n"] >= 10_000]
    own = all(abs(result[f"temperature_{p}"] / given[f"scale_{p}"] - 1) < 0.1 and result[f"ece_{p}_own"] < 0.03 for p in usual)
    return own and result["answers_changed"] == 0
