"""What a few long requests do to the wait of all, before a server that takes one at a time.

    wait = rate * E[S^2] / (2 (1 - rate * E[S]))        E[S^k] = (1 - share) * short^k + share * long^k

(Pollaczek and Khinchine: Kleinrock 1975, Queueing Systems I, section 5.6; mg1_wait has it with the coefficient of variation.) Requests come as a
Poisson process, are served in their order, and have one of two service times.
"""

from typing import Annotated

from kernels import Bound, KernelError, Series, kernel

Seconds = Annotated[float, Bound("s", low=1e-6, high=1e4)]
SHARES = tuple(k / 400 for k in range(21))


@kernel(
    kind="formula",
    outputs={"utilisation": "", "wait": "s", "wait_alone": "s", "times": "", "of_wait": "", "of_work": "", "sweep": Series("share", "s")},
)
def mixed_wait(
    rate: Annotated[float, Bound("1/s", low=1e-6, high=1e6)] = 10.0,
    short: Seconds = 0.02,
    long: Seconds = 1.0,
    share: Annotated[float, Bound(low=0.0, high=1.0)] = 0.02,
):
    """The mean wait of every request where a share of them is long, beside that of the short ones alone.

    wait_alone: were the long ones sent elsewhere, the rate of the others as it is. times: wait over that. of_wait: what the second moment has of the
    long ones; of_work: the utilisation. sweep: the wait by share, as far as the server is not overloaded.
    """

    def wait(lam: float, part: float) -> float | None:
        u = lam * ((1 - part) * short + part * long)
        return lam * ((1 - part) * short**2 + part * long**2) / (2 * (1 - u)) if u < 1 else None

    u = rate * ((1 - share) * short + share * long)
    now, alone = wait(rate, share), wait(rate * (1 - share), 0.0)
    if now is None or alone is None:
        raise KernelError(f"mixed_wait: {u:.3g} of the server's time are asked for, so the queue never ends (utilisation must be below 1)")
    return {
        "utilisation": u,
        "wait": now,
        "wait_alone": alone,
        "times": now / alone if alone else 1.0,
        "of_wait": share * long**2 / ((1 - share) * short**2 + share * long**2),
        "of_work": share * long / ((1 - share) * short + share * long),
        "sweep": {"share": SHARES, "wait": [wait(rate, part) for part in SHARES]},
    }


@mixed_wait.figure
def draw(result, ax):
    from kernels import plot

    plot.lines(ax, result["sweep"], labels={"wait": ""}, x_label="share of requests that are long", y_label="mean wait of all", highlight="wait")
    plot.mark(ax, result.parameters["share"], result["wait"], plot.show(result["wait"], "s"), plot.AMBER, "left above", name="wait")
