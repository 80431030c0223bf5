"""Temperature on a vocabulary with a long tail: what the top token, one middling token and the tail get.

    p_i(T) = exp(z_i / T) / sum_j exp(z_j / T) = p_i^(1/T) / sum_j p_j^(1/T)

Ranks never change; the ratio of two tokens is p_i/p_j to the power 1/T. The vocabulary is Zipf's: at T = 1 the token of rank r has p
proportional to r^-s, so at T it is proportional to r^(-s/T). A token gains from a little heat where its logit lies below the mean of
the logits under p: the rest of the vocabulary decides, not its own probability alone.
"""

import math
from typing import Annotated

from kernels import Bound, KernelError, Series, kernel

EXACT = 250  # ranks that are added one by one; beyond, the sum is an integral by the midpoint rule, right to a part in a million
TAIL = 100  # ranks beyond this one are the tail
TEMPERATURES = tuple(t / 20 for t in range(2, 51))


@kernel(
    kind="formula",
    outputs={
        "top": "",
        "top_at_1": "",
        "tracked": "",
        "tracked_at_1": "",
        "tail": "",
        "tail_at_1": "",
        "entropy": "",
        "entropy_at_1": "",
        "peak_temperature": "",
        "peak": "",
        "pair": "",
        "pair_temperature": "",
        "sweep": Series("temperature", ""),
    },
)
def temperature_softmax(
    temperature: Annotated[float, Bound(low=0.01, high=100)] = 1.5,
    vocab: Annotated[int, Bound(low=1000, high=1_000_000)] = 50_000,
    exponent: Annotated[float, Bound(low=0.5, high=5.0)] = 1.2,
    rank: Annotated[int, Bound(low=1, high=TAIL)] = 7,
    probability: Annotated[float, Bound(low=1e-9, high=0.499)] = 0.02,
    wanted: Annotated[float, Bound(low=1e-9, high=0.499)] = 0.1,
    rivals: Annotated[int, Bound(low=0, high=1000)] = 0,
):
    """Probabilities of a Zipf vocabulary at a temperature and at 1: rank 1, the token of a rank, and all ranks beyond 100.

    entropy in nats. peak_temperature: of 0.1, 0.15, .. 2.5, where the tracked token is likeliest, with the probability `peak`. pair: what a token of
    `probability` gets where there are but `rivals` equal ones and one more token; pair_temperature: the temperature at which that is `wanted`.
    """
    if rank > vocab:
        raise KernelError(f"temperature_softmax: rank is {rank}, but must be at most vocab, {vocab}")
    now, one = at(temperature, vocab, exponent, rank), at(1.0, vocab, exponent, rank)
    swept = {t: at(t, vocab, exponent, rank) for t in TEMPERATURES}
    peak = max(swept, key=lambda t: swept[t]["tracked"])
    if (rivals + 1) * probability >= 1 or (rivals + 2) * wanted >= 1:
        raise KernelError(
            f"temperature_softmax: {rivals + 1} equal tokens of {probability:g} that are to rise to {wanted:g} leave too little for the last one: "
            "rivals, probability or wanted has to be lower"
        )
    odds = math.log((1 - (rivals + 1) * probability) / probability)  # of the one large token to one of the small ones
    return {
        **now,
        **{f"{name}_at_1": value for name, value in one.items()},
        "peak_temperature": peak,
        "peak": swept[peak]["tracked"],
        "pair": pair(odds / temperature, rivals),
        "pair_temperature": odds / math.log1p((1 - (rivals + 2) * wanted) / wanted),
        "sweep": {"temperature": TEMPERATURES, **{name: [s[name] for s in swept.values()] for name in ("top", "tracked", "tail")}},
    }


def pair(odds: float, rivals: int) -> float:
    """1 / (rivals + 1 + exp(odds)), where the exponential is too large for a float too."""
    return math.exp(-odds) / ((rivals + 1) * math.exp(-odds) + 1) if odds > 0 else 1 / (rivals + 1 + math.exp(odds))


def at(temperature: float, vocab: int, exponent: float, rank: int) -> dict[str, float]:
    power = exponent / temperature
    every = powers(1, vocab, power)
    # entropy = ln Z + power * mean(ln r), the mean being a sum's derivative in the power
    step = 1e-5
    mean_log = (math.log(powers(1, vocab, power - step)) - math.log(powers(1, vocab, power + step))) / (2 * step)
    return {
        "top": 1 / every,
        "tracked": rank**-power / every,
        "tail": powers(TAIL + 1, vocab, power) / every,
        "entropy": max(0.0, math.log(every) + power * mean_log),
    }


def powers(first: int, last: int, power: float) -> float:
    """The sum of r^-power over the ranks from first to last."""
    near = math.fsum(r**-power for r in range(first, min(last, EXACT) + 1))
    if last <= EXACT:
        return near
    low, high = max(first, EXACT + 1) - 0.5, last + 0.5
    if abs(power - 1) < 1e-9:
        return near + math.log(high / low)
    return near + (high ** (1 - power) - low ** (1 - power)) / (1 - power)


@temperature_softmax.figure
def draw(result, ax):
    from kernels import plot

    plot.height(ax, 220)
    rank, peak = result.parameters["rank"], result["peak"]
    names = {"top": "", "tracked": "", "tail": f"ranks\nover {TAIL}"}
    plot.lines(ax, result["sweep"], unit="percent", labels=names, x_label="temperature", y_label="probability")
    plot.mark(ax, 1.0, result["top_at_1"], f"top token: {plot.show(result['top_at_1'], 'percent')}", plot.ACCENT, "right above", "top token")
    plot.mark(ax, result["peak_temperature"], peak, f"rank {rank}:\nat most {plot.show(peak, 'percent')}", plot.AMBER, "left above", f"rank {rank}")
    return (
        f"Probability against temperature: the top token falls from 100 % to {plot.show(result['top_at_1'], 'percent')} at 1, the ranks over {TAIL} "
        f"rise past it, and rank {rank} never gets more than {plot.show(peak, 'percent')}, at a temperature of {result['peak_temperature']:g}."
    )
