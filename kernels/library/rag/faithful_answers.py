"""From claims to answers: the share of answers in which every claim is supported.

    independent    f^n
    alike          product over i < n of (A + i) / (A + B + i),  A = f (1/rho - 1),  B = (1 - f) (1/rho - 1)        (beta-binomial)

f: the share of supported claims, n: claims an answer, rho: the correlation between two claims of one answer, 0 where they are
independent, 1 where an answer is supported whole or not at all (Skellam 1948, J. R. Stat. Soc. B 10(2)).
"""

from typing import Annotated

from kernels import Bound, Series, kernel

CLAIMS = (1, 2, 3, 4, 5, 6, 8, 10, 12, 15, 20)


@kernel(kind="formula", outputs={**dict.fromkeys(("whole", "independent", "flawed", "claims_needed"), ""), "sweep": Series("claims", "")})
def faithful_answers(
    faithfulness: Annotated[float, Bound(low=0.001, high=1.0)] = 0.9,
    claims: Annotated[int, Bound(low=1, high=1000)] = 5,
    correlation: Annotated[float, Bound(low=0.0, high=1.0)] = 0.0,
):
    """The share of answers whose claims are all supported, with that correlation and without; flawed: the others, with it.

    claims_needed: the faithfulness of claims at which answers of that many independent claims are whole as often as claims are now.
    """
    return {
        "whole": whole(faithfulness, claims, correlation),
        "independent": faithfulness**claims,
        "flawed": 1 - whole(faithfulness, claims, correlation),
        "claims_needed": faithfulness ** (1 / claims),
        "sweep": {
            "claims": list(CLAIMS),
            "independent": [faithfulness**n for n in CLAIMS],
            "alike": [whole(faithfulness, n, correlation) for n in CLAIMS],
        },
    }


def whole(f: float, n: int, rho: float) -> float:
    if rho >= 1:
        return f
    share = 1.0
    for i in range(n):
        share *= (f * (1 - rho) + i * rho) / (1 - rho + i * rho)
    return share


@faithful_answers.figure
def draw(result, ax):
    from kernels import plot

    rho = result.parameters["correlation"]
    labels = {"independent": "independent", "alike": f"correlated {rho:g}" if rho else ""}
    plot.lines(
        ax, result["sweep"], unit="percent", labels=labels, x_label="claims in an answer", y_label="answers without a flaw", highlight="independent"
    )
    ax.set_ylim(0, 1)
    plot.mark(ax, result.parameters["claims"], result["independent"], plot.show(result["independent"], "percent"), plot.ACCENT, "left below")
    at = f"{result['independent']:.0%} at {result.parameters['claims']}"
    return f"Share of answers without an unsupported claim against their number of claims: {at}, if claims are independent."
