"""The peak memory of a transformer's forward pass under train, eval, no_grad and inference_mode, traced, with embedding, head and logits where there
is a vocabulary.

The module and the modes of inference_no_grad, which measures them, on meta tensors. With a graph the peak is what all layers have kept by the end;
without one it is the operation at work that holds most: within a layer at the GELU, and with a head at the logits, a row of the vocabulary for each
token.
"""

from typing import Annotated, Any

from kernels import Bound, KernelError, kernel
from kernels.library.inference import inference_no_grad
from kernels.library.models import _transformer

MODES = inference_no_grad.MODES
KINDS = ("activations", "logits")


@kernel(
    kind="trace",
    outputs={
        "weights": "B",
        "logits": "B",
        **{f"{mode}_{part}": "B" for mode in MODES for part in ("peak", "kept", *KINDS)},
        **dict.fromkeys(("saving", "eval_saving", "logits_share"), ""),
    },
)
def inference_peak(
    width: Annotated[int, Bound(low=64)] = 1024,
    layers: Annotated[int, Bound(low=1, high=128)] = 12,
    tokens: Annotated[int, Bound("token", low=1, high=65536)] = 8192,
    vocabulary: Annotated[int, Bound(low=0)] = 0,
):
    """Peak memory, weights included, of a forward pass over so many tokens in each mode, traced in bf16; vocabulary 0 is the blocks alone.

    kept: after the pass, weights and the output included; activations, logits: what the peak holds beside weights. saving: 1 - eval_no_grad /
    eval_grad; eval_saving: 1 - eval_grad / train_grad, what eval() saves by itself. logits_share: of eval_no_grad's peak. Inputs are not counted.
    """
    if width % _transformer.HEAD:
        raise KernelError(f"inference_peak: width is {width}, but must be a multiple of {_transformer.HEAD}, the head size")
    import torch

    model = _transformer.transformer(width, layers, vocabulary, dropout=0.1, dtype=torch.bfloat16, device="meta")
    x = inference_no_grad.hidden(width, tokens, "meta")
    text = torch.zeros(x.shape[:2], dtype=torch.int64, device="meta")
    found = {mode: traced(mode, model, text if vocabulary else x, vocabulary) for mode in MODES}
    peak = {mode: sum(at_peak.values()) for mode, (at_peak, _) in found.items()}
    return {
        "weights": found["eval_grad"][0]["weights"],
        "logits": 2 * x.shape[0] * x.shape[1] * vocabulary,
        **{f"{mode}_peak": size for mode, size in peak.items()},
        **{f"{mode}_kept": sum(kept.values()) for mode, (_, kept) in found.items()},
        **{f"{mode}_{kind}": at_peak.get(kind, 0) for mode, (at_peak, _) in found.items() for kind in KINDS},
        "saving": 1 - peak["eval_no_grad"] / peak["eval_grad"],
        "eval_saving": 1 - peak["eval_grad"] / peak["train_grad"],
        "logits_share": found["eval_no_grad"][0].get("logits", 0) / peak["eval_no_grad"],
    }


@inference_peak.invariant
def weights_and_activations_fill_the_peak(result) -> bool:
    """What the peak holds adds up, nothing is left that was not held, and no_grad and inference_mode hold the same."""
    filled = all(result[f"{mode}_peak"] == result["weights"] + sum(result[f"{mode}_{kind}"] for kind in KINDS) for mode in MODES)
    return (
        filled
        and all(result[f"{mode}_kept"] <= result[f"{mode}_peak"] for mode in MODES)
        and result["eval_no_grad_peak"] == result["eval_inference_peak"]
    )


def traced(mode: str, model: Any, x: Any, vocabulary: int) -> tuple[dict[str, int], dict[str, int]]:
    """Bytes by kind at the peak and after the pass, the input left out."""
    from kernels import tracing

    def kind_of(tensor: Any) -> str | None:
        return "logits" if vocabulary and tensor.shape[-1:] == (vocabulary,) else None

    run = inference_no_grad.prepared(mode, model, x)
    with tracing.memory(kind_of=kind_of) as trace:
        trace.label("weights", model.parameters())
        output = run()
        kept = trace.alive()
    del output
    return trace.peak(), kept


@inference_peak.figure
def draw(result, ax):
    from kernels import plot

    names = {"eval_grad": "with a graph", "eval_no_grad": "no_grad"}
    rows = {
        said: {"weights": result["weights"], **{kind: result[f"{mode}_{kind}"] for kind in KINDS if result[f"{mode}_{kind}"]}}
        for mode, said in names.items()
    }
    plot.stacked_bars(ax, rows, "B", fills={"weights": plot.STONE, "activations": plot.MINT, "logits": plot.ACCENT})
