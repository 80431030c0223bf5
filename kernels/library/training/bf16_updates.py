"""Training state in bf16: weights that no update moves, a second moment that stops half-way, and two ways out.

A bf16 number has 8 significant bits: between 1/2 and 1 neighbours lie 2^-8 = 0.0039 apart, and what is less than half of
that is rounded away. Adam's second moment, v <- b v + (1 - b) g^2, changes by a share 1 - b of itself: at b = 0.999 less
than a rounding. Two ways out (Zamirai et al. 2020, Revisiting BFloat16 Training, arXiv 2010.06192):

    stochastic   round up with a probability equal to the fraction that would be cut: right on average
    Kahan        keep in a second bf16 number what rounding cut, and add it to the next update
"""

from typing import Annotated

from kernels import Bound, Series, kernel

WAYS = ("fp32", "bf16", "stochastic", "kahan")


@kernel(
    kind="simulation",
    outputs={
        **{f"weight_{way}": "" for way in WAYS},
        "lost_share": "",
        "v_bf16": "",
        "v_fp32": "",
        "v_bf16_after": "",
        "v_fp32_after": "",
        "step_factor": "",
        "sweep": Series("step", ""),
    },
    tolerance=1e-5,
)
def bf16_updates(
    weight: Annotated[float, Bound(low=1e-3, high=1e3)] = 1.0,
    update: Annotated[float, Bound(low=1e-8, high=1.0)] = 1e-3,
    steps: Annotated[int, Bound(low=10, high=5000)] = 1000,
    beta2: Annotated[float, Bound(low=0.5, high=0.9999)] = 0.999,
    seed: int = 0,
):
    """A weight after equal updates, in fp32, bf16, with stochastic rounding and Kahan compensation; Adam's second moment fed with g = 1.

    stochastic: the mean of 256 weights. lost_share: how much of the wanted movement bf16 misses. v: after 20 / (1 - beta2) steps, where
    its limit is 1; after: as many steps with g = 0 later. step_factor: by what Adam's steps grow for it, sqrt(v_fp32 / v_bf16).
    """
    import torch

    paths = {way: path(way, weight, update, steps, torch.Generator().manual_seed(seed)) for way in WAYS}
    long = round(20 / (1 - beta2))
    rise = {name: second_moment(0.0, 1.0, beta2, long, name) for name in WAYS[:2]}
    fall = {name: second_moment(rise[name], 0.0, beta2, long, name) for name in WAYS[:2]}
    shown = sorted({round(steps * share / 50) for share in range(51)})
    return {
        **{f"weight_{way}": paths[way][-1] for way in WAYS},
        "lost_share": 1 - (weight - paths["bf16"][-1]) / (steps * update),
        "v_bf16": rise["bf16"],
        "v_fp32": rise["fp32"],
        "v_bf16_after": fall["bf16"],
        "v_fp32_after": fall["fp32"],
        "step_factor": (rise["fp32"] / rise["bf16"]) ** 0.5,
        "sweep": {"step": shown, **{way: [paths[way][step] for step in shown] for way in WAYS}},
    }


def path(way: str, weight: float, update: float, steps: int, random) -> list[float]:
    """The weight before the first and after each step; for "stochastic" the mean of 256 independent ones."""
    import torch

    w = torch.full((256,) if way == "stochastic" else (1,), weight, dtype=torch.float32 if way == "fp32" else torch.bfloat16)
    carried, found = torch.zeros_like(w), [w.double().mean().item()]
    for _ in range(steps):
        if way == "stochastic":
            w = round_stochastically(w.float() - update, random)
        elif way == "kahan":
            wanted = carried - update
            moved = w + wanted
            carried, w = wanted - (moved - w), moved
        else:
            w = w - update
        found.append(w.double().mean().item())
    return found


def round_stochastically(x, random):
    """fp32 to bf16: a random number below the last kept bit is added to the bits, then the lower half is cut."""
    import torch

    noise = torch.randint(0, 2**16, x.shape, generator=random, dtype=torch.int32)
    return ((x.view(torch.int32) + noise) & -(2**16)).view(torch.float32).bfloat16()


def second_moment(start: float, square: float, beta2: float, steps: int, format: str) -> float:
    """v after so many steps, rounded after the product and after the sum, as torch's in-place operations do."""
    import torch

    v = torch.tensor(start, dtype=torch.float32 if format == "fp32" else torch.bfloat16)
    term = torch.tensor(square, dtype=v.dtype)
    for _ in range(steps):
        v.mul_(beta2).add_(term, alpha=1 - beta2)
    return v.item()


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
