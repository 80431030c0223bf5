"""The memory of LoRA fine-tuning: the frozen weights, and the training state of the adapters alone.

LoRA adds B A to a frozen matrix W of shape (out, in), with A of shape (r, in) and B of shape (out, r): r (in + out) trainable
parameters (Hu et al. 2021, arXiv 2106.09685, section 4.1). Gradients and optimizer states exist for these only,
at 16 bytes each: 2 + 2 + 4 + 8 with bf16 adapters and an fp32 master copy; fp32 adapters without one (PEFT's default)
take 4 + 4 + 8, the same 16.

The frozen base is bf16, or its blocks' matrices are quantised as bitsandbytes does it, while embeddings, output head,
biases and norms stay in 16 bits:

    int8   8 bits a weight and one fp32 scale per output row (Dettmers et al. 2022, LLM.int8(), arXiv 2208.07339)
    nf4    4 bits a weight; one scale per 64 weights, itself in 8 bits with one fp32 scale per 256 scales:
           4 + 8/64 + 32/(64*256) = 4.127 bits (Dettmers et al. 2023, QLoRA, arXiv 2305.14314, section 3)

Activations come on top and are not counted here.
"""

from typing import Annotated, Literal

from kernels import Bound, kernel
from kernels.library.models._models import SHAPES, Model
from kernels.library.models.model_shape import model_shape

Targets = Literal["qv", "all-linear"]
Base = Literal["bf16", "int8", "nf4"]
STATE = {"adapter": 2, "gradients": 2, "master": 4, "optimizer": 8}  # bytes per trainable parameter
NF4_BITS = 4 + 8 / 64 + 32 / (64 * 256)


def adapter_parameters(model: str, rank: int, targets: str) -> int:
    """r (in + out) for every adapted matrix; "all-linear" is each matrix of the blocks, experts and router included."""
    shape = SHAPES[model]
    adapted = ("q", "v") if targets == "qv" else tuple(shape.linear_layers)
    return shape.layers * sum(shape.copies(layer) * rank * sum(shape.linear_layers[layer]) for layer in adapted)


def base_bytes(model: str, base: str) -> float:
    """The bytes of the frozen weights."""
    shape = SHAPES[model]
    parameters = model_shape(model=model)["parameters"]
    rest = 2 * (parameters - shape.linear)
    if base == "int8":
        rows = shape.layers * sum(shape.copies(layer) * outputs for layer, (_, outputs) in shape.linear_layers.items())
        return shape.linear + 4 * rows + rest
    if base == "nf4":
        return shape.linear * NF4_BITS / 8 + rest
    return 2 * parameters


@kernel(
    kind="formula",
    outputs={
        "trainable": "",
        "trainable_share": "",
        "adapter_state": "B",
        "weights": "B",
        "total": "B",
        **dict.fromkeys(STATE, "B"),
        "bits_per_weight": "",
    },
)
def lora_memory(model: Model, rank: Annotated[int, Bound(low=1)], targets: Targets = "all-linear", base: Base = "bf16"):
    """The memory of LoRA fine-tuning of a published model: frozen weights and the adapters' training state.

    trainable_share: trainable parameters / the model's own. adapter_state: adapter, gradients, master and optimizer
    together. bits_per_weight: the frozen weights' bits / the model's parameters.
    """
    parameters = model_shape(model=model)["parameters"]
    trainable = adapter_parameters(model, rank, targets)
    weights = base_bytes(model, base)
    state = {part: size * trainable for part, size in STATE.items()}
    return {
        "trainable": trainable,
        "trainable_share": trainable / parameters,
        "adapter_state": sum(state.values()),
        "weights": weights,
        "total": weights + sum(state.values()),
        **state,
        "bits_per_weight": 8 * weights / parameters,
    }
