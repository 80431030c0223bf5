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

Adapters stand on the matrices that a model's published weights have. GPT-2's projection to queries, keys and values is one matrix of (d, 3 d), so
"all-linear", which is PEFT's word, puts one pair on it, of r (d + 3 d) parameters, where three pairs would have 3 r (d + d). "qv" is the paper's
choice, a pair for queries and one for values, also where PEFT could adapt nothing but the whole projection: 2 r (d + d), which is as many.
"""

from typing import Annotated, Literal

from kernels import Bound, kernel
from kernels.library.models._models import SHAPES, Model
from kernels.library.models.model_shape import model_shape

Targets = Literal["qv", "all-linear"]
Base = Literal["bf16", "int8", "nf4"]
STATE = {"adapter": 2, "gradients": 2, "master": 4, "optimizer": 8}  # bytes per trainable parameter
FUSED = ("gpt2", "gpt2-medium", "gpt2-large", "gpt2-xl")  # queries, keys and values are one matrix
NF4_BITS = 4 + 8 / 64 + 32 / (64 * 256)


def adapted(model: str, targets: str) -> dict[str, tuple[int, int]]:
    """The adapted matrices of one block as (inputs, outputs); "all-linear" is each, router included, those of the MLP once for all experts."""
    layers = SHAPES[model].linear_layers
    if targets == "qv":
        return {name: layers[name] for name in "qv"}
    if model not in FUSED:
        return layers
    whole = {"qkv": (SHAPES[model].d_model, sum(layers[name][1] for name in "qkv"))}
    return whole | {name: shape for name, shape in layers.items() if name not in "qkv"}


def adapter_parameters(model: str, rank: int, targets: str) -> int:
    """r (in + out) for every adapted matrix, experts included."""
    shape = SHAPES[model]
    return shape.layers * sum(shape.copies(name) * rank * (inputs + outputs) for name, (inputs, outputs) in adapted(model, targets).items())


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
