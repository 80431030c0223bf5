"""What n attacks of which none got through exclude: the exact upper bound of a rate after zero events.

    (1 - q)^n = 1 - confidence        q = 1 - (1 - confidence)^(1/n), about 3/n at 95 %

(Clopper and Pearson 1934, Biometrika 26(4); the rule of three: Hanley and Lippman-Hand 1983, JAMA 249(13).)
"""

import math
from typing import Annotated

from kernels import Bound, Series, kernel

TESTS = (10, 30, 100, 300, 1000, 3000, 10000)


@kernel(
    kind="formula", outputs={"upper": "", "rule_of_three": "", "breaches": "", "at_least_one": "", "tests_needed": "", "sweep": Series("tests", "")}
)
def no_breach_bound(
    tests: Annotated[int, Bound(low=1, high=10**9)] = 300,
    confidence: Annotated[float, Bound(low=0.5, high=0.9999)] = 0.95,
    attacks: Annotated[float, Bound(low=1, high=1e12)] = 1e4,
    target: Annotated[float, Bound(low=1e-9, high=0.5)] = 1e-4,
):
    """The highest rate of success that no success in `tests` attacks leaves possible, and what it comes to over `attacks` of the same kind.

    breaches: successes to be expected at that rate; at_least_one: the chance of any. tests_needed: attacks, none through, that show a rate below
    `target`. sweep: the bound against tests.
    """
    upper = bound(tests, confidence)
    return {
        "upper": upper,
        "rule_of_three": 3 / tests,
        "breaches": upper * attacks,
        "at_least_one": -math.expm1(attacks * math.log1p(-upper)),
        "tests_needed": math.ceil(math.log(1 - confidence) / math.log1p(-target)),
        "sweep": {"tests": TESTS, "upper": [bound(n, confidence) for n in TESTS]},
    }


def bound(tests: int, confidence: float) -> float:
    return -math.expm1(math.log(1 - confidence) / tests)


@no_breach_bound.figure
def draw(result, ax):
    from kernels import plot

    x_label = "attacks tried, none got through"
    plot.lines(ax, result["sweep"], xlog=True, ylog=True, labels={"upper": ""}, unit="percent", x_label=x_label, y_label="rate still possible")
    tests = result.parameters["tests"]
    plot.mark(ax, tests, result["upper"], f"{100 * result['upper']:.2g} % after {tests:,}", plot.INK, "right above")
