"""The arithmetic of a training step per token: all weights trained, and LoRA on the same frozen model.

A matrix W of n weights costs 2 n FLOP per token in y = W x, 2 n in the gradient that passes back through it, dx = W' dy, and
2 n in its own gradient, dW = dy x' (Kaplan et al. 2020, arXiv 2001.08361, section 2.1: 6 n in all). LoRA (Hu et al.
2021, arXiv 2106.09685) freezes W and so leaves out dW alone: the gradient of every adapter still passes back through
all the frozen matrices above it, 4 n, and the adapters' own few weights cost 6 each.

The embedding is a table look-up and costs nothing; the output head is a product and is frozen too. The lowest block's dx,
which nobody needs, is counted, as is usual.
"""

from typing import Annotated

from kernels import Bound, kernel
from kernels.library.finetuning.lora_memory import Targets, adapted
from kernels.library.models._models import SHAPES, Model
from kernels.library.models._passes import multiplied

PARTS = ("forward", "activation_gradients", "weight_gradients")


@kernel(
    kind="formula",
    outputs={
        "full": "FLOP/token",
        "lora": "FLOP/token",
        "lora_share": "",
        **{f"{way}_{part}": "FLOP/token" for way in ("full", "lora") for part in PARTS},
    },
)
def finetune_flops(
    model: Model,
    rank: Annotated[int, Bound(low=1)] = 16,
    targets: Targets = "all-linear",
    sequence: Annotated[int, Bound("token", low=0)] = 0,
    recompute: bool = False,
):
    """FLOP per token of full fine-tuning and of LoRA, by forward, activation gradients and weight gradients.

    lora_share: LoRA's over full fine-tuning's. sequence: adds causal attention over that many tokens, which has no weights
    and is the same for both. recompute: activation checkpointing, which runs the forward pass twice.
    """
    shape = SHAPES[model]
    weights = multiplied(shape)
    visits = {name: shape.active_experts if shape.copies(name) > 1 else 1 for name in adapted(model, targets)}  # a token's, in one block
    adapters = shape.layers * sum(visits[name] * rank * (inputs + outputs) for name, (inputs, outputs) in adapted(model, targets).items())
    attention = 2 * shape.layers * shape.heads * shape.head_dim * sequence  # q k' and p v: 4 d FLOP a position, of which half are masked
    forwards = 2 if recompute else 1
    rows = {
        "full": (forwards * (2 * weights + attention), 2 * weights + 2 * attention, 2 * weights),
        "lora": (forwards * (2 * (weights + adapters) + attention), 2 * (weights + adapters) + 2 * attention, 2 * adapters),
    }
    full, lora = (sum(row) for row in rows.values())
    return {
        "full": full,
        "lora": lora,
        "lora_share": lora / full,
        **{f"{way}_{part}": value for way, row in rows.items() for part, value in zip(PARTS, row)},
    }


@finetune_flops.figure
def draw(result, ax):
    from kernels import plot

    names = {"forward": "forward", "activation_gradients": "gradient of x", "weight_gradients": "gradient of W"}
    rows = {said: {names[part]: result[f"{way}_{part}"] for part in PARTS} for way, said in (("full", "full fine-tuning"), ("lora", "LoRA"))}
    fills = dict(zip(names.values(), (plot.STONE, plot.SAND, plot.ACCENT)))
    plot.stacked_bars(ax, rows, unit="FLOP/token", fills=fills)
