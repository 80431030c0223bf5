"""What several samples that agree prove, where their errors are independent and where they are alike.

    independent   P(j of n wrong) = C(n, j) p^j (1 - p)^(n - j)
    alike         beta-binomial: the same with p drawn for each question from Beta(A, B), A = p (1/rho - 1), B = (1 - p) (1/rho - 1)

rho: the correlation between two samples' errors on one question (Skellam 1948, J. R. Stat. Soc. B 10(2)). A yes-or-no question: all that is wrong
agrees. Self-consistency (Wang et al. 2022, arXiv 2203.11171) takes the majority.
"""

import math
from typing import Annotated

from kernels import Bound, KernelError, Series, kernel

SAMPLES = (1, 3, 5, 7, 9, 11, 15, 21, 31, 41)


@kernel(
    kind="formula",
    outputs={
        **dict.fromkeys(
            (
                "majority_wrong",
                "majority_wrong_independent",
                "all_wrong",
                "all_wrong_independent",
                "unanimous",
                "wrong_if_unanimous",
                "wrong_if_unanimous_independent",
                "effective",
                "caught",
            ),
            "",
        ),
        "sweep": Series("samples", ""),
    },
)
def agreeing_samples(
    samples: Annotated[int, Bound(low=1, high=201)] = 5,
    wrong: Annotated[float, Bound(low=0.001, high=0.999)] = 0.2,
    correlation: Annotated[float, Bound(low=0.0, high=0.999)] = 0.5,
):
    """Errors of the majority and of unanimous samples, with correlated errors and with independent ones. samples is odd.

    unanimous: the share of questions on which all samples agree. wrong_if_unanimous: of those, how many are wrong. effective: n / (1 + (n - 1) rho),
    the independent samples whose mean varies as much. caught: the share of wrong first answers on which some other sample disagrees.
    """
    if samples % 2 == 0:
        raise KernelError(f"agreeing_samples: samples is {samples}, but must be odd, or a majority may tie")
    alike, free = counts(samples, wrong, correlation), counts(samples, wrong, 0.0)
    return {
        "majority_wrong": majority(alike),
        "majority_wrong_independent": majority(free),
        "all_wrong": alike[-1],
        "all_wrong_independent": free[-1],
        "unanimous": alike[0] + alike[-1],
        "wrong_if_unanimous": alike[-1] / (alike[0] + alike[-1]),
        "wrong_if_unanimous_independent": 1 / (1 + math.exp(min(700.0, samples * math.log((1 - wrong) / wrong)))),
        "effective": samples / (1 + (samples - 1) * correlation),
        "caught": 1 - alike[-1] / wrong,
        "sweep": {
            "samples": list(SAMPLES),
            "independent": [majority(counts(n, wrong, 0.0)) for n in SAMPLES],
            "alike": [majority(counts(n, wrong, correlation)) for n in SAMPLES],
        },
    }


def counts(n: int, p: float, rho: float) -> list[float]:
    """The probability of 0, 1, .. n wrong ones."""

    def rising(share: float, many: int) -> float:
        return math.fsum(math.log(share * (1 - rho) + i * rho) for i in range(many))

    whole = math.fsum(math.log(1 - rho + i * rho) for i in range(n))
    return [math.exp(math.log(math.comb(n, j)) + rising(p, j) + rising(1 - p, n - j) - whole) for j in range(n + 1)]


def majority(chances: list[float]) -> float:
    return math.fsum(chances[len(chances) // 2 :])


@agreeing_samples.figure
def draw(result, ax):
    from kernels import plot

    plot.height(ax, 220)
    labels = {"independent": "independent", "alike": f"correlated {result.parameters['correlation']:g}"}
    plot.lines(ax, result["sweep"], unit="percent", labels=labels, x_label="samples", y_label="majority is wrong", highlight="alike")
    plot.mark(ax, 1, result.parameters["wrong"], "one sample", plot.INK, "right above")
    ax.set_ylim(0, result.parameters["wrong"] * 1.25)
