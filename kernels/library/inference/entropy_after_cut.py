"""The entropy of what is sampled from, against temperature: uncut, and behind top-k, top-p or min-p.

    H = -sum p ln p over the kept tokens, renormalised;   H <= ln(tokens kept)

Temperature first, on a Zipf vocabulary, p_r proportional to r^(-s/T). A fixed number of tokens bounds the entropy by ln k at any temperature; top-p
bounds it by nothing but the vocabulary, since the nucleus grows with the heat.
"""

import math
from typing import Annotated

from kernels import Bound, Series, kernel
from kernels.library.inference._zipf import Zipf

TEMPERATURES = tuple(t / 20 for t in range(6, 41))


@kernel(
    kind="formula",
    outputs={
        **dict.fromkeys(("uncut", "by_k", "by_p", "by_min", "k_bound", "choices_uncut", "choices_p", "choices_min"), ""),
        "sweep": Series("temperature", ""),
    },
)
def entropy_after_cut(
    temperature: Annotated[float, Bound(low=0.05, high=20)] = 1.0,
    exponent: Annotated[float, Bound(low=0.5, high=5.0)] = 1.5,
    vocab: Annotated[int, Bound(low=100, high=1_000_000)] = 50_000,
    top_k: Annotated[int, Bound(low=1, high=100)] = 50,
    top_p: Annotated[float, Bound(low=0.01, high=1.0)] = 0.9,
    min_p: Annotated[float, Bound(low=0.0, high=1.0)] = 0.1,
):
    """Entropy in nats at a temperature, uncut and behind each of three filters alone; the temperature comes first.

    choices: e to the entropy, as many equally likely tokens are as uncertain. k_bound: ln k. sweep: the entropies over the temperature.
    """
    now = entropies(temperature, exponent, vocab, top_k, top_p, min_p)
    swept = [entropies(t, exponent, vocab, top_k, top_p, min_p) for t in TEMPERATURES]
    return {
        **dict(zip(("uncut", "by_k", "by_p", "by_min"), now)),
        "k_bound": math.log(top_k),
        "choices_uncut": math.exp(now[0]),
        "choices_p": math.exp(now[2]),
        "choices_min": math.exp(now[3]),
        "sweep": {"temperature": TEMPERATURES, **{name: [s[k] for s in swept] for k, name in enumerate(("uncut", "top-k", "top-p", "min-p"))}},
    }


def entropies(temperature: float, exponent: float, vocab: int, top_k: int, top_p: float, min_p: float) -> list[float]:
    z = Zipf(vocab, exponent / temperature)
    return [z.entropy(ranks) for ranks in (vocab, top_k, z.nucleus(top_p), z.above(min_p))]


@entropy_after_cut.figure
def draw(result, ax):
    from kernels import plot

    plot.height(ax, 230)
    p, swept = result.parameters, result["sweep"]
    names = {"top-k": f"top-k {p['top_k']}", "top-p": f"top-p {p['top_p']:g}", "min-p": f"min-p {p['min_p']:g}"}
    plot.lines(ax, swept, labels=names, x_label="temperature", y_label="entropy, nats")
    ends = ", ".join(f"{name} {swept.values(name)[0]:.2f} to {swept.values(name)[-1]:.2f}" for name in swept.lines)
    return f"Entropy in nats against temperature, from {TEMPERATURES[0]:g} to {TEMPERATURES[-1]:g}, Zipf exponent {p['exponent']:g}: {ends}."
