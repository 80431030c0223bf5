"""The activations that a layer of a Llama-like model keeps for its backward pass, in copies of its hidden state, and all layers with and without
checkpointing.

Traced on the model's own shape in bf16 (models/_decoder.py): what is there after the forward pass and was not before, a layer's output with it. A
copy is 2 s b h bytes. By hand for Llama 3's 8B, whose MLP is 3.5 times as wide as its hidden state, and whose keys and values are a quarter:

    two norms    2 (2 + 1 + 1)          the input in fp32, and normed in 16 bits before and after its weight
    attention    1 + 1/4 + 1/4 + 1      q, k, v, the output;     1 + 1 + 1 + 1 + 1 repeated: k and v copied for each head, the output once more
    MLP          4 * 3.5                gate before and after SiLU, up, their product
    output       1
"""

import functools
from typing import TYPE_CHECKING, Annotated, Any, Literal

from kernels import Bound, kernel
from kernels.library.models import _decoder
from kernels.library.models._models import SHAPES

if TYPE_CHECKING:
    DecoderModel = str
else:
    DecoderModel = Literal[_decoder.DECODERS]


@kernel(
    kind="trace",
    outputs={
        **dict.fromkeys(("layer", "copy", "kept", "checkpointed", "checkpointed_peak"), "B"),
        **dict.fromkeys(("copies", "saved", "slowdown", "slowdown_causal"), ""),
    },
)
def decoder_activations(
    model: DecoderModel = "llama-3-8b",
    tokens: Annotated[int, Bound("token", low=16, high=2**20)] = 32768,
    batch: Annotated[int, Bound(low=1, high=1024)] = 1,
    attention: Literal["grouped", "repeated"] = "grouped",
):
    """What a layer of a Llama-like model keeps for its backward pass, and what all its layers do, checkpointed or not; embedding and head left out.

    copies: layer over copy, one hidden state. kept: all layers, less their outputs, which nothing keeps but the last. checkpointed: after the forward
    pass; checkpointed_peak: at the peak of the backward pass, with one layer computed again and its gradients. saved: the share of kept that is not
    in checkpointed_peak. slowdown: FLOP of forward and backward checkpointed over not, whole squares of attention counted, slowdown_causal half.
    attention: the kernel groups queries itself, or keys and values are repeated for every head before it, as Hugging Face's models did until 2025.
    """
    shape, repeated = SHAPES[model], attention == "repeated"
    copy = 2 * tokens * batch * shape.d_model
    layer = one_layer(shape, tokens, batch, repeated)
    kept, _ = stack(shape, tokens, batch, repeated, checkpointed=False)
    checkpointed, peak = stack(shape, tokens, batch, repeated, checkpointed=True)
    return {
        "layer": layer,
        "copies": layer / copy,
        "copy": copy,
        "kept": kept,
        "checkpointed": checkpointed,
        "checkpointed_peak": peak,
        "saved": 1 - peak / kept,
        **slowdowns(shape, tokens, batch),
    }


@decoder_activations.invariant
def every_layer_keeps_as_much(result) -> bool:
    """All layers keep what one does, but of their outputs the last alone; checkpointed, each keeps one copy. The rotary angles are shared."""
    shape, copy = SHAPES[result.parameters["model"]], result["copy"]
    angles = 2 * 2 * result.parameters["tokens"] * shape.head_dim
    return result["kept"] == shape.layers * (result["layer"] - copy) + copy + angles and result["checkpointed"] == shape.layers * copy + angles


def one_layer(shape, tokens: int, batch: int, repeated: bool) -> int:
    """Bytes that the forward pass of one layer leaves."""
    import torch

    from kernels import tracing

    _, kind, _ = _decoder.modules()
    layer: Any = kind(shape, repeated, dtype=torch.bfloat16, device="meta")
    x = hidden(shape, tokens, batch)
    cos, sin = _decoder.angles(x, shape.head_dim)
    with tracing.memory() as traced:
        traced.label("inputs", (*layer.parameters(), x, cos, sin))
        y = layer(x, cos, sin)
        left = traced.alive()["activations"]
    del y
    return left


def stack(shape, tokens: int, batch: int, repeated: bool, checkpointed: bool) -> tuple[int, int]:
    """Bytes that all layers leave after the forward pass, and at the peak of both, without weights and their gradients."""
    import torch

    from kernels import tracing

    model = _decoder.decoder(shape, repeated, device="meta")
    for parameter in model.parameters():
        parameter.grad = torch.zeros_like(parameter)
    x = hidden(shape, tokens, batch)
    with tracing.memory() as traced:
        traced.label("inputs", (*model.parameters(), *(p.grad for p in model.parameters()), x))
        y = model.hidden(x, checkpointed)
        left = traced.alive()["activations"]
        traced.forward = False
        y.backward(x)
    peak = traced.peak()
    return left, sum(peak.values()) - peak["inputs"]


def slowdowns(shape, tokens: int, batch: int) -> dict[str, float]:
    """What checkpointing every layer adds to the FLOP of forward and backward."""
    from kernels import tracing

    model, x = _decoder.decoder(shape, device="meta"), hidden(shape, tokens, batch)
    plain, checkpointed = (tracing.flops(functools.partial(both_passes, model, x, way)) for way in (False, True))

    def ratio(attention: float) -> float:
        return (checkpointed["products"] + attention * checkpointed["attention"]) / (plain["products"] + attention * plain["attention"])

    return {"slowdown": ratio(1.0), "slowdown_causal": ratio(0.5)}


def both_passes(model: Any, x: Any, checkpointed: bool) -> None:
    model.hidden(x, checkpointed).backward(x)


def hidden(shape, tokens: int, batch: int) -> Any:
    import torch

    return torch.zeros(batch, tokens, shape.d_model, dtype=torch.bfloat16, device="meta", requires_grad=True)
