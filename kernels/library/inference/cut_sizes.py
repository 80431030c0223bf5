"""How many tokens top-k, top-p and min-p keep, from a flat next-token distribution to a peaked one.

Zipf's law, p_r proportional to r^-s: s says how peaked it is. Top-k keeps k; top-p the fewest ranks n with sum_(r <= n) r^-s >= p sum r^-s; min-p
those with r^-s >= min_p, that is r <= min_p^(-1/s), whatever the tail holds.
"""

from typing import Annotated

from kernels import Bound, Series, kernel
from kernels.library.inference._zipf import Zipf

EXPONENTS = tuple(k / 20 for k in range(16, 61))


@kernel(kind="formula", outputs={**dict.fromkeys(("top", "by_k", "by_p", "by_min", "k_mass", "min_mass"), ""), "sweep": Series("exponent", "token")})
def cut_sizes(
    exponent: Annotated[float, Bound(low=0.5, high=5.0)] = 1.1,
    vocab: Annotated[int, Bound(low=100, high=1_000_000)] = 50_000,
    top_k: Annotated[int, Bound(low=1, high=100)] = 50,
    top_p: Annotated[float, Bound(low=0.01, high=1.0)] = 0.9,
    min_p: Annotated[float, Bound(low=0.0, high=1.0)] = 0.1,
):
    """Tokens that each of three filters keeps at temperature 1, by the exponent of a Zipf vocabulary.

    k_mass, min_mass: the probability that top-k and min-p keep. top: the best token's. sweep: tokens kept over the exponent.
    """
    one = Zipf(vocab, exponent)
    every = [Zipf(vocab, s) for s in EXPONENTS]
    return {
        "top": one.share(1),
        "by_k": top_k,
        "by_p": one.nucleus(top_p),
        "by_min": one.above(min_p),
        "k_mass": one.share(top_k),
        "min_mass": one.share(one.above(min_p)),
        "sweep": {
            "exponent": EXPONENTS,
            "top-p": [z.nucleus(top_p) for z in every],
            "top-k": [top_k] * len(every),
            "min-p": [z.above(min_p) for z in every],
        },
    }


@cut_sizes.figure
def draw(result, ax):
    from kernels import plot

    plot.height(ax, 230)
    p, swept = result.parameters, result["sweep"]
    names = {"top-p": f"top-p {p['top_p']:g}", "top-k": f"top-k {p['top_k']}", "min-p": f"min-p {p['min_p']:g}"}
    plot.lines(ax, swept, ylog=True, labels=names, x_label="Zipf exponent (unsure to sure)", y_label="tokens kept")
    return (
        f"Tokens kept over the exponent of a Zipf vocabulary of {p['vocab']:,}: top-p {p['top_p']:g} from {swept.values('top-p')[0]:,.0f} to "
        f"{swept.values('top-p')[-1]:.0f}, top-k {p['top_k']} throughout, min-p {p['min_p']:g} "
        f"from {swept.values('min-p')[0]:.0f} to {swept.values('min-p')[-1]:.0f}."
    )
