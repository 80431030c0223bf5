"""A run of torch.optim.AdamW is stopped and resumed: with its whole state, with a fresh optimizer, and in between.

Noisy quadratic in d directions, curvatures h even on a log scale from `flattest` of `sharpness` up to it, in units where the learning rate
and the gradient's noise are 1: the gradient is h x + noise, the loss the sum of h x^2 / 2, which counts from its minimum. The preconditioned
iteration is stable up to h = 2 (1 + b1) / (1 - b1), 38 for b1 = 0.9 (Cohen et al. 2022, arXiv 2207.14484).

    restored     the whole state_dict
    fresh        moments and step count lost
    zeroed       moments lost, step count kept, so that nothing corrects the bias
    schedule     fresh, and the learning rate is back at `peak` times its late value
    warmed       fresh, with the learning rate rising from zero over `warmup` steps

The same noise follows in each case, so that what differs comes from the state.
"""

from typing import Annotated

from kernels import Bound, Free, Series, kernel

WAYS = ("restored", "fresh", "zeroed", "schedule", "warmed")


@kernel(
    kind="simulation",
    outputs={
        "running": "",
        **{f"first_{way}": "" for way in WAYS},
        **{f"loss_{way}": "" for way in WAYS},
        "first_ratio": "",
        "restored_difference": "",
        "recovery_fresh": "",
        "recovery_zeroed": "",
        "sweep": Series("step", ""),
    },
    tolerance=1e-4,
    timeout=120,
)
def adam_resume(
    beta1: Annotated[float, Bound(low=0.0, high=0.99)] = 0.9,
    beta2: Annotated[float, Bound(low=0.5, high=0.9999)] = 0.95,
    sharpness: Annotated[float, Bound(low=1e-3, high=30.0), Free(0.1, 10.0)] = 1.0,
    flattest: Annotated[float, Bound(low=1e-6, high=1.0), Free(0.001, 1.0)] = 0.01,
    peak: Annotated[float, Bound(low=1.0, high=100.0)] = 10.0,
    warmup: Annotated[int, Bound(low=1, high=300)] = 200,
    steps: Annotated[int, Bound(low=500, high=5000)] = 1000,
    d: Annotated[int, Bound(low=100, high=10000)] = 500,
    seed: int = 0,
):
    """Size of the first update (in learning rates) and the highest loss within 300 steps of a resume, relative to the uninterrupted run.

    running: root mean square of an update before the stop. loss_*: the highest ratio to the uninterrupted run's loss at the same step.
    restored_difference: largest distance of a weight from the uninterrupted run's. recovery_*: steps until the loss stays within 5 % of it.
    sharpness is free over two orders of magnitude, 0.1 to 10: from directions that noise rules to a quarter of what is stable;
    flattest, the least curvature over the largest, from a thousandth to one curvature for all.
    """
    import math

    import torch

    curvature = torch.logspace(math.log10(flattest), 0, d, dtype=torch.float64) * sharpness
    random = torch.Generator().manual_seed(seed)
    weight = torch.nn.Parameter(torch.randn(d, generator=random, dtype=torch.float64) / (2 * curvature) ** 0.5)
    optimizer = optimizer_of(weight, beta1, beta2)
    moved = [walk(weight, optimizer, curvature, random) for _ in range(steps)][-200:]
    start, state = weight.detach().clone(), optimizer.state_dict()
    saved = {key: value.clone() if torch.is_tensor(value) else value for key, value in state["state"][0].items()}

    losses: dict[str, list[float]] = {}
    first: dict[str, float] = {}
    ends = {}
    for way in ("uninterrupted", *WAYS):
        if way != "uninterrupted":
            weight = torch.nn.Parameter(start.clone())
            optimizer = optimizer_of(weight, beta1, beta2)
        if way in ("restored", "zeroed"):
            optimizer.load_state_dict({**state, "state": {0: {key: value.clone() for key, value in saved.items()}}})
        if way == "zeroed":
            optimizer.state[weight]["exp_avg"].zero_()
            optimizer.state[weight]["exp_avg_sq"].zero_()
        random = torch.Generator().manual_seed(seed + 1)
        losses[way] = []
        for step in range(300):
            rate = peak if way == "schedule" else min(1.0, (step + 1) / warmup) if way == "warmed" else 1.0
            optimizer.param_groups[0]["lr"] = rate
            size = walk(weight, optimizer, curvature, random)
            first.setdefault(way, size)
            losses[way].append((curvature * weight.detach() ** 2).sum().item() / 2)
        ends[way] = weight.detach().clone()

    relative = {way: [a / b for a, b in zip(losses[way], losses["uninterrupted"])] for way in WAYS}
    running = (sum(size**2 for size in moved) / len(moved)) ** 0.5
    return {
        "running": running,
        **{f"first_{way}": first[way] for way in WAYS},
        **{f"loss_{way}": max(relative[way]) for way in WAYS},
        "first_ratio": first["fresh"] / running,
        "restored_difference": (ends["restored"] - ends["uninterrupted"]).abs().max().item(),
        "recovery_fresh": recovery(relative["fresh"]),
        "recovery_zeroed": recovery(relative["zeroed"]),
        "sweep": {"step": list(range(1, 301, 3)), **{way: relative[way][::3] for way in ("restored", "fresh", "schedule")}},
    }


@adam_resume.invariant
def first_updates_are_those_of_the_closed_form(result) -> bool:
    """The whole state goes on bit for bit; fresh moments move every weight by the learning rate, and zeroed ones by (1 - b1) / sqrt(1 - b2)."""
    given = result.parameters
    b1, b2, count = given["beta1"], given["beta2"], given["steps"] + 1
    zeroed = (1 - b1) / (1 - b1**count) / ((1 - b2) / (1 - b2**count)) ** 0.5
    firsts = {"fresh": 1.0, "zeroed": zeroed, "schedule": given["peak"], "warmed": 1 / given["warmup"]}
    return result["restored_difference"] == 0 and all(abs(result[f"first_{way}"] / want - 1) < 1e-3 for way, want in firsts.items())


def optimizer_of(weight, beta1: float, beta2: float):
    import torch

    return torch.optim.AdamW([weight], lr=1.0, betas=(beta1, beta2), eps=1e-12, weight_decay=0.0, foreach=False)


def walk(weight, optimizer, curvature, random) -> float:
    """One step; the root mean square of the update."""
    import torch

    before = weight.detach().clone()
    weight.grad = curvature * before + torch.randn(before.shape, generator=random, dtype=before.dtype)
    optimizer.step()
    return (weight.detach() - before).square().mean().sqrt().item()


def recovery(relative: list[float]) -> int:
    """Steps until the ratio stays below 1.05; all of them where it never does."""
    return max((step + 1 for step, ratio in enumerate(relative) if ratio > 1.05), default=0)


@adam_resume.figure
def draw(result, ax):
    from dataclasses import replace

    from kernels import plot

    names = {"schedule": f"rate x{result.parameters['peak']:g}", "fresh": "fresh optimizer", "restored": "full state"}
    sweep = result["sweep"]
    shown = {way: sweep.lines[way] for way in names}
    plot.lines(
        ax,
        replace(sweep, lines=shown),
        ylog=True,
        labels={**names, "restored": ""},
        x_label="steps after resuming",
        y_label="loss above its minimum, full state = 1",
        highlight="fresh",
        zero=False,
    )
    ax.set_ylim(bottom=0.7)
