"""The calibration error that a perfectly calibrated model shows on a finite test set: chance alone fills the bins' gaps.

In a bin with n_b predictions the accuracy strays from the confidence by about sqrt(v_b / n_b), v_b the mean of c (1 - c),
and a gap counts whatever its sign, so for large n (the mean of a half-normal deviate is sqrt(2 / pi) of its scale)

    E[ECE] = sum over bins of (n_b / n) sqrt(2 v_b / (pi n_b)),   falling as 1 / sqrt(n), never 0.

Confidences as in the kernel calibration; the bias is studied by Roelofs et al. 2022 (arXiv 2012.08668).
"""

import math
from typing import Annotated

from kernels import Bound, Free, Series, kernel
from kernels.library.evaluation.calibration import bin_table, confidences, ece_of_calibrated

SIZES = (50, 100, 200, 500, 1000, 2000, 5000, 10_000, 20_000)


@kernel(kind="simulation", outputs={"ece": "", "ece_95": "", "predicted": "", "sweep": Series("examples", "")}, tolerance=1e-6)
def ece_floor(
    n: Annotated[int, Bound(low=10, high=100_000)] = 1000,
    confidence: Annotated[float, Bound(low=0.05, high=0.999)] = 0.84,
    spread: Annotated[float, Bound(low=0.0, high=4.0), Free(0.3, 1.5)] = 1.0,
    bins: Annotated[int, Bound(low=1, high=1000)] = 15,
    repeats: Annotated[int, Bound(low=20, high=1000)] = 200,
    seed: int = 0,
):
    """The mean ECE of a perfectly calibrated model against the number of test examples, and the value that one test set in twenty exceeds.

    Each draw is a mean over `repeats` test sets, since that mean is what is asked for. spread: standard deviation of the confidences' log-odds, free
    from confidences that are nearly equal to such as reach from a coin toss to certainty. predicted: the large-n formula's value. sweep: simulated
    and predicted mean.
    """
    import torch

    random = torch.Generator().manual_seed(seed)
    population = confidences(100_000, confidence, spread, random)

    def test_sets(size: int):
        samples = (population[torch.randint(len(population), (size,), generator=random)] for _ in range(repeats))
        return torch.stack([ece_of_calibrated(sample, bins, random) for sample in samples])

    sizes = sorted({*SIZES, n})
    found = {size: test_sets(size) for size in dict.fromkeys([*SIZES, n])}
    expected = [predicted(population, bins, size) for size in sizes]
    return {
        "ece": found[n].mean(),
        "ece_95": found[n].quantile(0.95),
        "predicted": expected[sizes.index(n)],
        "sweep": {"examples": sizes, "simulated": [found[size].mean() for size in sizes], "predicted": expected},
    }


@ece_floor.invariant
def the_simulated_mean_follows_the_large_sample_formula(result):
    """At every number of examples the simulated mean is the formula's, but for an eighth of an answer a bin and what chance moves the repeats' mean.

    For a sum S of centred answers of variance s^2, in a bin with a random number of them, E|S| is within 0.11 of sqrt(2 / pi) s. One test set's n ECE
    has at most the variance of the sum of all answers, n E[c (1 - c)], and E[c (1 - c)] is at most that of the mean confidence.
    """
    curve, given = result["sweep"], result.parameters
    answers = given["confidence"] * (1 - given["confidence"])
    return all(
        abs(simulated - expected) < given["bins"] / n / 8 + 4 * math.sqrt(answers / n / given["repeats"])
        for n, simulated, expected in zip(curve.x, curve.values("simulated"), curve.values("predicted"))
    )


@ece_floor.invariant
def ten_times_the_examples_leave_less_than_half(result):
    """Where the formula has a whole answer in the mean bin's gap at 1,000 examples, and repeats are 200: ten times the examples, under half."""
    curve, given = result["sweep"], result.parameters
    simulated, expected = (dict(zip(curve.x, curve.values(line))) for line in ("simulated", "predicted"))
    usual = given["repeats"] >= 200 and expected[1000] >= given["bins"] / 1000
    return not usual or simulated[10_000] < simulated[1000] / 2


def predicted(population, bins: int, n: int) -> float:
    """The large-n mean for test sets of n from a population of confidences."""
    table = bin_table(population, population * (1 - population), bins)  # its "accuracy" is then the mean of c (1 - c)
    return (table["share"] * table["accuracy"]).sqrt().sum().item() * math.sqrt(2 / (math.pi * n))


@ece_floor.figure
def draw(result, ax):
    from kernels import plot

    curve, n = result["sweep"], result.parameters["n"]
    labels = {"simulated": "", "predicted": ""}  # one on the other
    plot.lines(ax, curve, xlog=True, ylog=True, labels=labels, highlight="simulated", x_label="test examples", y_label="ECE")
    plot.mark(ax, n, result["ece"], f"{result['ece']:.2g} at {n:,}")
    values = curve.values("simulated")
    return (
        f"ECE of a perfectly calibrated model against the number of test examples: {plot.show(values[0], '')} at {curve.x[0]:,}, "
        f"{plot.show(result['ece'], '')} at {n:,}, {plot.show(values[-1], '')} at {curve.x[-1]:,}. "
        "It falls as one over the root of n and never reaches 0."
    )
