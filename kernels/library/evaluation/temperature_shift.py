"""One temperature for two populations: what it mends where it was fitted, and what it leaves where the model is over-confident by another factor.

The model reports logits z; labels follow softmax(z / scale), with a scale of its own in each population, which that population's best
temperature equals (Guo et al. 2017, arXiv 1706.04599, equation 9). Under shift the model stays as sure while it is right less
often (Ovadia et al. 2019, arXiv 1906.02530): the same z, a larger scale.
"""

from typing import Annotated, Any, Literal

from kernels import Bound, kernel
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
    spread: Annotated[float, Bound(low=0.1, high=20.0)] = 5.0,
    classes: Annotated[int, Bound(low=2, high=100)] = 10,
    n: Annotated[int, Bound(low=100, high=40_000)] = 20_000,
    seed: int = 0,
):
    """Temperature fitted on population a, or on both pooled: ECE, accuracy and confidence of each before and after.

    n examples a population, half to fit and half to judge. spread: standard deviation of the reported logits. own: with the
    temperature fitted on that population itself. both: the ECE of the two populations as one.
    """
    import torch

    random = torch.Generator().manual_seed(seed)
    half = n // 2
    logits, labels = {}, {}
    for p, scale in (("a", scale_a), ("b", scale_b)):
        logits[p] = spread * torch.randn(n, classes, generator=random, dtype=torch.float64)
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
