"""Retries that fail together: a step that is hard once is hard again.

One attempt fails with q = 1 - p; after a failure the next one fails with `again`, which is q only if attempts are independent. For one retry a step
fails with q * again, whatever lies behind it. For more, each step's chance to fail is drawn from a Beta distribution with mean q and correlation
rho = (again - q) / (1 - q), so that (Skellam 1948, J. R. Stat. Soc. B 10(2), the beta-binomial)

    P(A attempts all fail) = product over j < A of (beta + j) / (alpha + beta + j)        beta = q (1/rho - 1),  alpha = p (1/rho - 1)
"""

from typing import Annotated

from kernels import Bound, KernelError, Series, kernel

AGAIN = tuple(k / 50 for k in range(51))


@kernel(
    kind="formula",
    outputs={
        "step_failure": "",
        "independent_failure": "",
        "success": "",
        "independent": "",
        "without": "",
        "correlation": "",
        "sweep": Series("again", ""),
    },
)
def correlated_retries(
    p: Annotated[float, Bound(low=0.01, high=0.999)] = 0.95,
    again: Annotated[float, Bound(low=0.001, high=1.0)] = 0.5,
    retries: Annotated[int, Bound(low=0, high=100)] = 1,
    steps: Annotated[int, Bound(low=1, high=1000)] = 10,
):
    """A task's success where every failure is noticed and tried again, by how likely a retry is to fail as well.

    again: the chance that a retry fails too. step_failure: of one step, after its retries. independent_failure: q^(retries + 1). success,
    independent: of the whole task, without: without retries. correlation: of two attempts at one step. sweep: success by again, with one retry.
    """
    q = 1 - p
    if again < q * (1 - 1e-9):
        raise KernelError(
            f"correlated_retries: after a failure the retry fails with {again:g}, less than a first attempt's {q:g}; give at least that"
        )
    rho = max(0.0, (again - q) / p)
    failure = 1.0
    for j in range(retries + 1):  # (beta + j) / (alpha + beta + j), both sides times rho / (1 - rho) to stand rho = 0
        failure *= (q * (1 - rho) + j * rho) / (1 - rho + j * rho) if rho < 1 or j else q
    return {
        "step_failure": failure,
        "independent_failure": q ** (retries + 1),
        "success": (1 - failure) ** steps,
        "independent": (1 - q ** (retries + 1)) ** steps,
        "without": p**steps,
        "correlation": rho,
        "sweep": {"again": AGAIN, "one retry": [(1 - q * x) ** steps if x >= q else None for x in AGAIN]},
    }


@correlated_retries.figure
def draw(result, ax):
    from kernels import plot

    plot.height(ax, 190)
    plot.lines(ax, result["sweep"], unit="percent", labels={"one retry": ""}, x_label="chance that a retry fails too", y_label="tasks that succeed")
    ax.set_ylim(0, 1.18)
    plot.hline(ax, result["without"], f"no retry: {result['without']:.0%}")
    q = 1 - result.parameters["p"]
    steps = result.parameters["steps"]
    plot.mark(ax, q, (1 - q * q) ** steps, f"independent: {(1 - q * q) ** steps:.0%}", where="right above")
    if result.parameters["retries"] == 1 and result["correlation"] > 0:
        plot.mark(ax, result.parameters["again"], result["success"], f"{result['success']:.0%}", plot.AMBER, "right above", name="with correlation")
