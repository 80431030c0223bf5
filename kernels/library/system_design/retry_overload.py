"""What retries make of an overload: more load, and not one request more that succeeds.

    offered = wanted (1 + f + .. + f^r)          f = 1 - capacity / offered: the share of attempts that fail
    so that  f^(r + 1) = 1 - capacity / wanted   and   offered = capacity / (1 - f)

Servers refuse what is beyond their capacity at no cost, clients try again up to r times whatever the reason, at once or later: the steady state
(a fixed point, solved in closed form). Where refusing costs work, or attempts end in a timeout after the work was done, less than the capacity
succeeds.
"""

from typing import Annotated

from kernels import Bound, Series, kernel

OVERLOADS = tuple(1 + k / 20 for k in range(21))


@kernel(
    kind="formula",
    outputs={"fails": "", "offered": "", "amplified": "", "gives_up": "", "succeeds": "", "sweep": Series("wanted", "")},
)
def retry_overload(
    wanted: Annotated[float, Bound(low=0.01, high=1000.0)] = 1.2,
    retries: Annotated[int, Bound(low=0, high=100)] = 3,
):
    """The load that servers see where clients want more than the capacity, which is 1, and try again.

    fails: the share of attempts; gives_up: of requests, after all retries. offered: attempts over the capacity; amplified: over what was wanted.
    succeeds: requests over the capacity. sweep: offered by wanted, without retries and with one and as many as given.
    """

    def load(w: float, r: int) -> tuple[float, float]:
        if w <= 1:
            return 0.0, w
        f = (1 - 1 / w) ** (1 / (r + 1))
        return f, 1 / (1 - f)

    fails, offered = load(wanted, retries)
    names = {f"{r} retries" if r > 1 else ("1 retry" if r else "none"): r for r in sorted({0, 1, retries})}
    return {
        "fails": fails,
        "offered": offered,
        "amplified": offered / wanted,
        "gives_up": fails ** (retries + 1) if wanted > 1 else 0.0,
        "succeeds": min(1.0, wanted),
        "sweep": {"wanted": OVERLOADS, **{name: [load(w, r)[1] for w in OVERLOADS] for name, r in names.items()}},
    }


@retry_overload.figure
def draw(result, ax):
    from kernels import plot

    wanted, offered = result.parameters["wanted"], result["offered"]
    plot.lines(ax, result["sweep"], x_label="requests wanted over capacity", y_label="attempts over capacity")
    if 1 < wanted <= 2:
        plot.mark(ax, wanted, offered, f"{offered:.2g} at {wanted:g}", plot.AMBER, "right above")
