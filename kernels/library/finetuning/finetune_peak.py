"""The memory of fine-tuning a whole Llama-like model, in full or with LoRA, traced at full size: what the peak of an iteration holds.

The model is bf16 (models/_decoder.py). In full it is trained by AdamW with an fp32 master copy and fp32 moments; with LoRA it is frozen, and fp32
adapters on every matrix of the blocks are trained by torch's AdamW (both optimizers and the adapters are those that optimizer_step_peak measures).
The loss is computed in fp32, as Hugging Face does: of the logits the log-softmax stays after the forward pass, and its gradient and theirs join it, 4
bytes for each token and word of the vocabulary three times over.
"""

from typing import TYPE_CHECKING, Annotated, Any, Literal

from kernels import Bound, kernel
from kernels.library.models import _decoder
from kernels.library.models._models import SHAPES
from kernels.library.training import optimizer_step_peak

if TYPE_CHECKING:
    DecoderModel = str
else:
    DecoderModel = Literal[_decoder.DECODERS]

KINDS = ("weights", "gradients", "master", "moments", "activations", "logits", "temporaries")
PHASES = ("forward", "backward", "stepped")


@kernel(
    kind="trace",
    outputs={
        **dict.fromkeys(("parameters", "trained"), ""),
        **dict.fromkeys(("weights", "gradients", "master", "moments", "held", "activations", "logits", "logits_most", "peak"), "B"),
        **{f"peak_{kind}": "B" for kind in KINDS},
        **{f"{phase}_peak": "B" for phase in PHASES},
    },
    timeout=600,
)
def finetune_peak(
    model: DecoderModel = "llama-3-8b",
    way: Literal["full", "lora"] = "full",
    tokens: Annotated[int, Bound("token", low=16, high=2**20)] = 2048,
    batch: Annotated[int, Bound(low=1, high=1024)] = 1,
    checkpointed: bool = False,
):
    """What an iteration of fine-tuning a Llama-like model holds, kind by kind, traced: in full with AdamW and a master copy, or LoRA of rank 16.

    weights, gradients, master, moments: as they stand after a step, held their sum. activations, logits: after the forward pass; logits_most: the
    most that logits, their log-softmax and gradients take together. peak: of the second iteration, when the moments are there, and of its phases;
    peak_*: what the peak holds. checkpointed: every layer.
    """
    steps, size, trained = traced(model, way, tokens, batch, checkpointed)
    within = {phase: steps.within(phase, 1) for phase in PHASES}
    peak = max(within.values(), key=lambda held: sum(held.values()))
    after, forward = steps.held["stepped", 1], steps.held["forward", 1]
    state = {kind: after.get(kind, 0) for kind in ("weights", "gradients", "master", "moments")}
    second = steps.trace.history()[steps.until["cleared", 0] :]
    return {
        "parameters": size,
        "trained": trained,
        **state,
        "held": sum(state.values()),
        "activations": forward["activations"],
        "logits": forward["logits"],
        "logits_most": max(now["logits"] for now in second),
        "peak": sum(peak.values()),
        **{f"peak_{kind}": peak.get(kind, 0) for kind in KINDS},
        **{f"{phase}_peak": sum(held.values()) for phase, held in within.items()},
    }


@finetune_peak.invariant
def the_kinds_fill_the_peak(result) -> bool:
    """The kinds add up to the peak, which no phase exceeds, and what stays after a step is below it."""
    return (
        result["peak"] == sum(result[f"peak_{kind}"] for kind in KINDS)
        and all(result[f"{phase}_peak"] <= result["peak"] for phase in PHASES)
        and result["held"] <= result["peak"]
    )


def traced(model: str, way: str, tokens: int, batch: int, checkpointed: bool) -> tuple[Any, int, int]:
    """Two iterations, the model's own parameters, and those that are trained."""
    import torch

    from kernels import tracing

    shape = SHAPES[model]
    module = _decoder.decoder(shape, device="meta")
    size = sum(parameter.numel() for parameter in module.parameters())
    if way == "lora":
        module.requires_grad_(False)
        adapted = optimizer_step_peak.adapted()
        for layer in module.layers:
            for name in _decoder.MATRICES:
                setattr(layer, name, adapted(getattr(layer, name), optimizer_step_peak.RANK))
    optimizer = optimizer_step_peak.optimizer_of("lora" if way == "lora" else "mixed", module)
    text = torch.zeros(batch, tokens, dtype=torch.int64, device="meta")

    def state() -> dict[str, Any]:
        if way == "lora":
            return {"moments": [tensor for state in optimizer.state.values() for tensor in state.values()]}
        return {"master": optimizer.master, "moments": [moment.value for pair in optimizer.moments for moment in pair]}

    def kind_of(tensor: Any) -> str | None:
        return "logits" if tensor.shape[-1:] == (shape.vocab,) else None

    steps = tracing.training_steps(module, lambda: module(text, checkpointed), optimizer, state, kind_of)
    return steps, size, sum(parameter.numel() for parameter in module.parameters() if parameter.requires_grad)


@finetune_peak.figure
def draw(result, ax):
    from kernels import plot

    fills = dict(zip(KINDS, (plot.STONE, plot.SKY, plot.SAND, plot.AMBER, plot.MINT, plot.ACCENT, plot.ROSE)))
    rows = {"at the peak": {kind: result[f"peak_{kind}"] for kind in KINDS if result[f"peak_{kind}"]}}
    plot.stacked_bars(ax, rows, "B", fills=fills)
