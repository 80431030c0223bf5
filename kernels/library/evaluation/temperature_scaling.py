"""Temperature scaling: one number, fitted on held-out logits, mends the confidence of a model and changes none of its answers.

    p = softmax(z / T),   T = argmin of the validation NLL      (Guo et al. 2017, arXiv 1706.04599, equation 9)

Here the truth is known: labels are drawn from softmax(z), the model reports scale * z, so that T = scale mends it. With
b = 1 / T the NLL is convex in b, and its slope, mean(sum_j p_j z_j - z_label), crosses zero at the fitted temperature.
"""

from typing import Annotated

from kernels import Bound, Free, KernelError, Series, kernel
from kernels.library.evaluation.calibration import expected_calibration_error
from kernels.library.evaluation.ece_floor import predicted

BINS = 15
LARGEST = 5_000_000  # numbers in the logits, so that a run stays within seconds


@kernel(
    kind="simulation",
    outputs={
        "temperature": "",
        **{f"{score}_{when}": "" for score in ("ece", "nll", "brier", "accuracy", "confidence") for when in ("before", "after")},
        "answers_changed": "",
        "floor": "",
        "sweep": Series("temperature", ""),
    },
    tolerance=1e-6,
)
def temperature_scaling(
    classes: Annotated[int, Bound(low=2, high=1000)] = 10,
    scale: Annotated[float, Bound(low=0.1, high=10.0)] = 3.0,
    n: Annotated[int, Bound(low=100, high=100_000), Free(2000, 50_000)] = 20_000,
    sharpness: Annotated[float, Bound(low=0.1, high=10.0)] = 1.5,
    seed: int = 0,
):
    """Logits that are `scale` times too large, before and after temperature scaling: fitted temperature, ECE, NLL, accuracy.

    n examples, half to fit the temperature, half to judge it. sharpness: standard deviation of the true logits, which sets the accuracy. n: free,
    since what ECE is left after the fit is chance and falls with it; floor: the mean ECE of a perfectly calibrated model with the fitted confidences
    on as many examples (large-n formula). sweep: ECE and NLL of the judged half against temperature.
    """
    import torch

    if n * classes > LARGEST:
        raise KernelError(f"temperature_scaling: n * classes is {n * classes}, but must be at most {LARGEST}")
    random = torch.Generator().manual_seed(seed)
    truth = sharpness * torch.randn(n, classes, generator=random, dtype=torch.float64)
    labels = drawn(truth.softmax(1), random)
    logits = scale * truth
    half = n // 2
    temperature = fitted(logits[:half], labels[:half])
    logits, labels = logits[half:], labels[half:]
    before, after = scores(logits, labels, 1.0), scores(logits, labels, temperature)
    temperatures = sorted({1.0, *(scale * 2 ** (i / 4) for i in range(-10, 9))})
    swept = [scores(logits, labels, t) for t in temperatures]
    return {
        "temperature": temperature,
        **{f"{name}_before": value for name, value in before.items()},
        **{f"{name}_after": value for name, value in after.items()},
        "answers_changed": (logits.argmax(1) != (logits / temperature).argmax(1)).double().mean(),
        "floor": predicted((logits / temperature).softmax(1).amax(1), BINS, len(labels)),
        "sweep": {"temperature": temperatures, **{name: [s[name] for s in swept] for name in ("ece", "nll")}},
    }


@temperature_scaling.invariant
def a_temperature_changes_no_answer_and_raises_no_loss(result):
    """One temperature for all leaves every answer as it is, and does not raise the log loss of others where 20 of them are answered wrongly.

    Fitted to half of n, it costs the other half up to (z^2 / 2 + |z y|) 2 / n for two standard normal numbers; where no wrong answer was among
    those that it was fitted to, it is as low as can be, and the first wrong one costs any amount.
    """
    half = result.parameters["n"] - result.parameters["n"] // 2
    kept = result["answers_changed"] == 0 and result["accuracy_before"] == result["accuracy_after"]
    few = (1 - result["accuracy_before"]) * half < 20
    return kept and (few or result["nll_after"] < result["nll_before"] + 50 / half)


def drawn(probability, random):
    """One class a row, each with its probability: where the cumulated probabilities pass a uniform number."""
    import torch

    at = torch.rand(len(probability), 1, generator=random, dtype=torch.float64)
    return (probability.cumsum(1) < at).sum(1).clamp(max=probability.shape[1] - 1)


def fitted(logits, labels) -> float:
    """The temperature of least NLL, by bisection of the slope in 1 / T between 1/1000 and 1000."""
    chosen = logits.gather(1, labels[:, None]).mean()
    low, high = -3.0, 3.0  # of the decimal logarithm of 1 / T
    for _ in range(50):
        middle = (low + high) / 2
        slope = ((logits * 10**middle).softmax(1) * logits).sum(1).mean() - chosen
        low, high = (middle, high) if slope < 0 else (low, middle)
    return 10 ** -((low + high) / 2)


def scores(logits, labels, temperature: float) -> dict:
    """ECE of the most likely class, NLL, Brier score over all classes, accuracy and mean confidence at a temperature."""
    import torch

    probability = (logits / temperature).softmax(1)
    confidence, answer = probability.max(1)
    right = (answer == labels).double()
    hit = torch.nn.functional.one_hot(labels, logits.shape[1])
    return {
        "ece": expected_calibration_error(confidence, right, BINS),
        "nll": torch.nn.functional.cross_entropy(logits / temperature, labels),
        "brier": (probability - hit).square().sum(1).mean(),
        "accuracy": right.mean(),
        "confidence": confidence.mean(),
    }


@temperature_scaling.figure
def draw(result, ax):
    from kernels import plot
    from kernels.record import Curve

    swept, temperature = result["sweep"], result["temperature"]
    ece = Curve(swept.x_name, swept.x_unit, swept.unit, swept.x, {"ece": swept.lines["ece"]})
    plot.height(ax, 220)
    plot.lines(ax, ece, xlog=True, labels={"ece": ""}, x_label="temperature T", y_label="ECE")
    plot.mark(ax, 1.0, result["ece_before"], f"before: {result['ece_before']:.2g}", color=plot.RED, where="right above")
    after, said = result["ece_after"], f"T = {temperature:.2g}: {result['ece_after']:.1g}"
    plot.mark(ax, temperature, after, "", color=plot.GREEN)
    leader = {"arrowstyle": "-", "color": plot.GREEN, "linewidth": 0.8}  # the V leaves no room for words beside its tip
    ax.annotate(said, (temperature, after), xytext=(-4, 62), textcoords="offset points", ha="center", color=plot.GREEN, arrowprops=leader)
    return (
        f"ECE against temperature, a V: {plot.show(result['ece_before'], '')} at T = 1, {plot.show(result['ece_after'], '')} at the fitted "
        f"T = {temperature:.2f}. Accuracy is {result['accuracy_before']:.3f} before and {result['accuracy_after']:.3f} after."
    )
