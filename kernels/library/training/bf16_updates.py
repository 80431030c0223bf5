"""A weight in bf16 that no update moves, and two ways out.

A bf16 number has 8 significant bits: between 1/2 and 1 neighbours lie 2^-8 = 0.0039 apart, and what is less than half of
that is rounded away. Two ways out (Zamirai et al. 2020, Revisiting BFloat16 Training, arXiv 2010.06192):

    stochastic   round up with a probability equal to the fraction that would be cut: right on average
    Kahan        keep in a second bf16 number what rounding cut, and add it to the next update
"""

from typing import Annotated

from kernels import Bound, Series, kernel

WAYS = ("fp32", "bf16", "stochastic", "kahan")


@kernel(
    kind="simulation",
    outputs={**{f"weight_{way}": "" for way in WAYS}, "lost_share": "", "spacing": "", "sweep": Series("step", "")},
    tolerance=1e-5,
)
def bf16_updates(
    weight: Annotated[float, Bound(low=1e-3, high=1e3)] = 1.0,
    update: Annotated[float, Bound(low=1e-8, high=1.0)] = 1e-3,
    steps: Annotated[int, Bound(low=10, high=5000)] = 1000,
    seed: int = 0,
):
    """A weight after equal updates, in fp32, bf16, with stochastic rounding and Kahan compensation.

    lost_share: how much of the wanted movement bf16 misses. spacing: of bf16 numbers just below the weight.
    """
    import torch

    paths = {way: path(way, weight, update, steps, torch.Generator().manual_seed(seed)) for way in WAYS}
    start = torch.tensor(weight, dtype=torch.bfloat16)
    shown = sorted({round(steps * share / 50) for share in range(51)})
    return {
        **{f"weight_{way}": paths[way][-1] for way in WAYS},
        "lost_share": 1 - (weight - paths["bf16"][-1]) / (steps * update),
        "spacing": (start - torch.nextafter(start, torch.zeros_like(start))).item(),
        "sweep": {"step": shown, **{way: [paths[way][step] for step in shown] for way in WAYS}},
    }


@bf16_updates.invariant
def what_is_less_than_half_a_spacing_is_lost(result) -> bool:
    """Updates below half the spacing leave a bf16 weight where it was; Kahan's ends where the updates lead, up to what its two numbers round off.

    The weight's own rounding is 2^-8 of it. What is carried to the next step is at most half the weight's spacing and an update, and 2^-8 of that
    is lost in each step; in the few in which the update is larger than the weight, up to twice an update's.
    """
    given, start = result.parameters, result["sweep"].values("bf16")[0]
    moved = given["steps"] * given["update"]
    ends = start - moved
    spacing = result["spacing"] if abs(ends) <= start else 2**-7 * abs(ends)
    lost = abs(ends) + moved + 6 * given["update"] + given["steps"] * spacing / 2
    stays = result["weight_bf16"] == start or given["update"] >= 0.499 * result["spacing"]
    return stays and abs(result["weight_kahan"] - ends) <= 2**-8 * lost


def path(way: str, weight: float, update: float, steps: int, random) -> list[float]:
    """The weight before the first and after each step."""
    import torch

    w = torch.full((1,), weight, dtype=torch.float32 if way == "fp32" else torch.bfloat16)
    carried, found = torch.zeros_like(w), [w.item()]
    for _ in range(steps):
        if way == "stochastic":
            w = round_stochastically(w.float() - update, random)
        elif way == "kahan":
            wanted = carried - update
            moved = w + wanted
            carried, w = wanted - (moved - w), moved
        else:
            w = w - update
        found.append(w.item())
    return found


def round_stochastically(x, random):
    """fp32 to bf16: a random number below the last kept bit is added to the bits, then the lower half is cut."""
    import torch

    noise = torch.randint(0, 2**16, x.shape, generator=random, dtype=torch.int32)
    return ((x.view(torch.int32) + noise) & -(2**16)).view(torch.float32).bfloat16()


@bf16_updates.figure
def draw(result, ax):
    from dataclasses import replace

    from kernels import plot

    shown = ("bf16", "fp32")  # the two ways out lie on fp32's line
    sweep = result["sweep"]
    plot.lines(ax, replace(sweep, lines={way: sweep.lines[way] for way in shown}), x_label="step", y_label="weight")
    said = ", ".join(f"{way} {plot.show(result[f'weight_{way}'], '')}" for way in shown)
    steps, update = result.parameters["steps"], plot.show(result.parameters["update"], "")
    return f"A weight of {plot.show(result.parameters['weight'], '')} after {steps:,} updates of -{update}: {said}."
