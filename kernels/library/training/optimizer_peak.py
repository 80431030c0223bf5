"""Whole AdamW iterations of a small GPT, traced: what is held after each phase, when the peak comes, and what fills it.

The model and the optimizers of optimizer_step_peak, which measures the same phases, on meta tensors. torch.optim.AdamW goes over its tensors one by
one ("loop"), all at once ("foreach", torch's default on a GPU), or in one kernel ("fused"). Besides what stays, foreach needs the square roots of all
second moments together, the loop those of two or three tensors, and the fused kernel nothing.
"""

from typing import Annotated, Any, Literal

from kernels import Bound, KernelError, kernel
from kernels.library.models import _transformer
from kernels.library.training import optimizer_step_peak

KINDS = ("weights", "gradients", "master", "moments", "activations", "temporaries")
PHASES = ("loaded", "forward", "backward", "stepped")
Recipe = Literal["fp32", "bf16", "mixed", "mixed_8bit", "lora"]
Way = Literal["loop", "foreach", "fused"]


@kernel(
    kind="trace",
    outputs={
        "parameters": "",
        **{f"{kind}": "B" for kind in KINDS if kind != "temporaries"},
        **dict.fromkeys((*PHASES, "peak", "backward_peak", "step_peak", "temporary"), "B"),
        **{f"peak_{kind}": "B" for kind in KINDS},
        **dict.fromkeys(("per_parameter", "peak_per_parameter", "temporary_per_parameter", "peak_in_step"), ""),
    },
)
def optimizer_peak(
    recipe: Recipe = "fp32",
    way: Way = "loop",
    gradients_kept: bool = False,
    width: Annotated[int, Bound(low=64)] = 1024,
    layers: Annotated[int, Bound(low=1, high=96)] = 24,
    tokens: Annotated[int, Bound("token", low=1)] = 512,
    vocabulary: Annotated[int, Bound(low=16)] = 32768,
):
    """What two AdamW iterations of a GPT hold, phase by phase and kind by kind, traced: recipes of optimizer_step_peak (torch has no autocast on
    meta).

    loaded to stepped: after the phases of the first iteration; weights, gradients, master, moments: as they stand after it; activations: forward -
    loaded. backward_peak, step_peak: of the second iteration's forward and backward, and of its step; temporary: step_peak beyond what was there
    before. peak: of all; peak_*: what it holds; peak_in_step: 1 where it is in a step. gradients_kept: overwritten with zeros after a step, not
    dropped.
    """
    if width % _transformer.HEAD:
        raise KernelError(f"optimizer_peak: width is {width}, but must be a multiple of {_transformer.HEAD}, the head size")
    if way != "loop" and recipe.startswith("mixed"):
        raise KernelError(
            f"optimizer_peak: the {recipe} recipe has an optimizer of its own, which goes over its tensors one by one (way must be loop)"
        )
    steps = traced(recipe, way, gradients_kept, (width, layers, vocabulary), tokens)
    history, held = steps.trace.history(), steps.held
    total = {phase: sum(held[phase, 0].values()) for phase in PHASES}
    whole = {phase: sum(steps.within(phase, 1).values()) for phase in ("forward", "backward", "stepped")}
    peak = steps.trace.peak()
    first = next(at for at, now in enumerate(history) if now == peak)
    size, temporary = _transformer.parameters(width, layers, vocabulary), whole["stepped"] - sum(held["backward", 1].values())
    return {
        "parameters": size,
        **{kind: held["stepped", 0].get(kind, 0) for kind in ("weights", "gradients", "master", "moments")},
        "activations": total["forward"] - total["loaded"],
        **total,
        "peak": sum(peak.values()),
        "backward_peak": max(whole["forward"], whole["backward"]),
        "step_peak": whole["stepped"],
        "temporary": temporary,
        **{f"peak_{kind}": peak.get(kind, 0) for kind in KINDS},
        "per_parameter": total["stepped"] / size,
        "peak_per_parameter": sum(peak.values()) / size,
        "temporary_per_parameter": temporary / size,
        "peak_in_step": int(any(steps.until["backward", i] < first <= steps.until["stepped", i] for i in (0, 1))),
    }


@optimizer_peak.invariant
def what_is_held_adds_up(result) -> bool:
    """After the first step there are weights, gradients, master copy and moments alone; the kinds fill the peak, and no phase exceeds it."""
    left = result["stepped"] - sum(result[kind] for kind in ("weights", "gradients", "master", "moments"))
    filled = sum(result[f"peak_{kind}"] for kind in KINDS) == result["peak"]
    return (
        0 <= left <= 0.01 * result["stepped"] and filled and all(result[part] <= result["peak"] for part in (*PHASES, "step_peak", "backward_peak"))
    )


def traced(recipe: str, way: str, gradients_kept: bool, shape: tuple[int, int, int], tokens: int) -> Any:
    """Two iterations of optimizer_step_peak's model and optimizer."""
    import torch

    from kernels import tracing

    model = optimizer_step_peak.prepared(recipe, shape, "meta")
    optimizer = optimizer_step_peak.optimizer_of(recipe, model)
    for group in getattr(optimizer, "param_groups", ()):
        group |= {"foreach": way == "foreach", "fused": way == "fused"}
    text = torch.zeros(1, tokens, dtype=torch.int64)

    def state() -> dict[str, Any]:
        if recipe.startswith("mixed"):
            moments = [
                tensor for pair in optimizer.moments for moment in pair for tensor in vars(moment).values() if isinstance(tensor, torch.Tensor)
            ]
            return {"master": optimizer.master, "moments": moments}
        return {"moments": [tensor for state in optimizer.state.values() for tensor in state.values()]}

    def loss() -> Any:
        there = text.to("meta")
        return torch.nn.functional.cross_entropy(model(there).flatten(0, 1), there.flatten())

    return tracing.training_steps(model, loss, optimizer, state, zeros=gradients_kept)


@optimizer_peak.figure
def draw(result, ax):
    from kernels import plot

    fills = dict(zip(KINDS, (plot.STONE, plot.SKY, plot.SAND, plot.ACCENT, plot.MINT, plot.ROSE)))
    there = {
        "after loading": ("weights", "master"),
        "after the forward pass": ("weights", "master", "activations"),
        "after the backward pass": ("weights", "master", "gradients"),
        "after the first step": ("weights", "master", "gradients", "moments"),
    }
    rows = {phase: {kind: result[kind] for kind in kinds if result[kind]} for phase, kinds in there.items()}
    rows["at the peak"] = {kind: result[f"peak_{kind}"] for kind in ("weights", "master", "gradients", "moments", "activations", "temporaries")}
    plot.stacked_bars(ax, rows, "B", fills=fills)
