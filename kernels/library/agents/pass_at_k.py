"""Of k tries at one task: the chance that any succeeds (pass@k), and that all do (pass^k), estimated from c of n.

    pass@k = 1 - C(n - c, k) / C(n, k)        Chen et al. 2021, arXiv 2107.03374, equation 1
    pass^k = C(c, k) / C(n, k)                Yao et al. 2024, tau-bench, arXiv 2406.12045

Both are unbiased: the mean over all sets of k that can be taken from the n tries. Putting c / n into 1 - (1 - p)^k and p^k is not.
"""

from math import comb
from typing import Annotated

from kernels import Bound, KernelError, Series, kernel


@kernel(
    kind="formula",
    outputs={
        "rate": "",
        "any": "",
        "all": "",
        "plugged_any": "",
        "plugged_all": "",
        "sweep": Series("k", ""),
    },
)
def pass_at_k(
    tries: Annotated[int, Bound(low=2, high=1000)] = 8,
    successes: Annotated[int, Bound(low=0, high=1000)] = 5,
    k: Annotated[int, Bound(low=1, high=1000)] = 4,
):
    """pass@k and pass^k from a number of tries at one task, unbiased, and what plugging the rate into the formula would give.

    any: at least one of k succeeds; all: each of them does. plugged_any, plugged_all: by the rate of successes. sweep: both, by k up to the tries.
    """
    if successes > tries:
        raise KernelError(f"pass_at_k: successes is {successes}, but must be at most tries, {tries}")
    if k > tries:
        raise KernelError(f"pass_at_k: k is {k}, but must be at most tries, {tries}: fewer tries cannot tell")
    rate = successes / tries
    ks = list(range(1, tries + 1)) if tries <= 64 else sorted({round(tries ** (i / 40)) for i in range(41)})

    def at_least_one(j: int) -> float:
        return 1 - comb(tries - successes, j) / comb(tries, j)

    def each(j: int) -> float:
        return comb(successes, j) / comb(tries, j)

    return {
        "rate": rate,
        "any": at_least_one(k),
        "all": each(k),
        "plugged_any": 1 - (1 - rate) ** k,
        "plugged_all": rate**k,
        "sweep": {"k": ks, "any": [at_least_one(j) for j in ks], "all": [each(j) for j in ks]},
    }


@pass_at_k.figure
def draw(result, ax):
    from kernels import plot

    labels = {"any": "pass@k: any", "all": "pass^k: all"}
    plot.height(ax, 190)
    plot.lines(ax, result["sweep"], unit="percent", labels=labels, x_label="k, tries at one task", y_label="chance")
