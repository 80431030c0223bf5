"""A transformer's forward pass under train, eval, no_grad and inference_mode: what each changes of memory and of time.

eval() switches dropout off and nothing else here; the graph goes with no_grad or inference_mode. With a graph every layer keeps
what its backward pass needs, 32 to 34 bytes per token and unit of width in 16 bits (see no_grad_memory); without one the weights and
the tensors of the operation at work remain. So the share saved depends on the number of tokens, not on the model's kind.
"""

import contextlib
import copy
from typing import Annotated

from kernels import Bound, KernelError, Series, kernel, precision, timing
from kernels.library.inference.no_grad_memory import TOKENS, no_grad_memory, passes, weights
from kernels.library.models._transformer import HEAD, transformer

MODES = ("train_grad", "eval_grad", "train_no_grad", "eval_no_grad", "eval_inference")
LIMIT = 4e-2  # of the largest output, bf16 against float64 through all layers
LONGEST = 1024


@kernel(
    kind="measurement",
    outputs={
        "weights": "B",
        **{f"{mode}_peak": "B" for mode in MODES},
        **{f"{mode}_time": "s" for mode in MODES},
        "saving": "",
        "saving_predicted": "",
        "saving_one_token": "",
        "saving_most": "",
        "graph_slowdown": "",
        "error": "",
        "sweep": Series("tokens", ""),
    },
    timeout=300,
    memory=lambda width, layers, tokens: needed(width, layers, tokens),
    formats=("bf16",),
    rehearsal={"width": 64, "layers": 2, "tokens": 64, "TOKENS": (1, 32)},
    headline="saving",
    seconds=30,
)
def inference_no_grad(
    width: Annotated[int, Bound(low=64)] = 1024,
    layers: Annotated[int, Bound(low=1, high=128)] = 12,
    tokens: Annotated[int, Bound("token", low=1, high=65536)] = 8192,
):
    """Peak memory, weights included, and time of a forward pass over so many tokens in each mode; the share of memory that no_grad saves.

    saving: 1 - eval_no_grad / eval_grad; predicted: by no_grad_memory; one_token, most: the ends of the sweep over tokens.
    graph_slowdown: time with a graph over time without. error: of the bf16 output against float64, over its largest.
    """
    if width % HEAD:
        raise KernelError(f"inference_no_grad: width is {width}, but must be a multiple of {HEAD}, the head size")
    device = timing.device()
    model = transformer(width, layers, dropout=0.1, dtype=precision.torch_dtype("bf16"), device=device)
    held = sum(p.numel() * p.element_size() for p in model.parameters())
    error = output_error(model, hidden(width, min(tokens, 256), device))
    x = hidden(width, tokens, device)
    peaks = {mode: held + timing.peak_memory(prepared(mode, model, x)).bytes for mode in MODES}
    times = timing.in_turns(**{mode: prepared(mode, model, x) for mode in MODES})
    sweep = {count: saving(model, hidden(width, count, device), held) for count in TOKENS}
    predicted = {count: no_grad_memory(width=width, layers=layers, tokens=count)["saving"] for count in (*TOKENS, tokens)}
    return {
        "weights": held,
        **{f"{mode}_peak": peaks[mode] for mode in MODES},
        **{f"{mode}_time": times[mode] for mode in MODES},
        "saving": 1 - peaks["eval_no_grad"] / peaks["eval_grad"],
        "saving_predicted": predicted[tokens],
        "saving_one_token": sweep[TOKENS[0]],
        "saving_most": sweep[TOKENS[-1]],
        "graph_slowdown": times.ratio("eval_grad", "eval_no_grad"),
        "error": error,
        "sweep": {"tokens": list(TOKENS), "measured": list(sweep.values()), "predicted": [predicted[count] for count in TOKENS]},
    }


@inference_no_grad.predicted
def predict(result):
    """By no_grad_memory, which counts tensors and asks for no data sheet."""
    return result["saving_predicted"]


def needed(width: int, layers: int, tokens: int) -> float:
    """Bytes: the longest pass with a graph, with a tenth for what no_grad_memory leaves out; or weights and a pass of 256 tokens in float64."""
    graph, _ = passes(width, layers, max(tokens, *TOKENS))
    return max(1.1 * graph, 5 * weights(width, layers) + 4 * 18 * min(tokens, 256) * width)


def hidden(width: int, tokens: int, device: str):
    """Hidden states of so many tokens, in sequences of at most LONGEST."""
    import torch

    length = min(tokens, LONGEST)
    return torch.randn(-(-tokens // length), length, width, device=device).to(precision.torch_dtype("bf16"))


def prepared(mode: str, model, x):
    """The forward pass in that mode as a function of no arguments; its model shares the parameters and has the mode to itself."""
    import torch

    manager = {"grad": contextlib.nullcontext, "no_grad": torch.no_grad, "inference": torch.inference_mode}[mode.partition("_")[2]]
    own = copy.deepcopy(model, {id(p): p for p in model.parameters()}).train(mode.startswith("train"))

    def run():
        with manager():
            return own(x)

    return run


def saving(model, x, held: int) -> float:
    """The share of a forward pass's peak, weights included, that no_grad saves."""
    with_graph, without = (held + timing.peak_memory(prepared(mode, model, x)).bytes for mode in ("eval_grad", "eval_no_grad"))
    return 1 - without / with_graph


def output_error(model, x) -> float:
    """Of each eval mode's output against float64's; raises beyond LIMIT."""
    exact = prepared("eval_no_grad", copy.deepcopy(model).double(), x.double())()
    return max(precision.error_against(exact, prepared(mode, model, x)().detach(), LIMIT) for mode in MODES if mode.startswith("eval"))


@inference_no_grad.figure
def draw(result, ax):
    from kernels import plot

    plot.lines(ax, result["sweep"], xlog=True, unit="percent", x_label="tokens in the batch", y_label="memory saved by no_grad")
    return (
        f"Share of a forward pass's memory that no_grad saves: {plot.show(result['saving_one_token'], 'percent')} for one token, "
        f"{plot.show(result['saving_most'], 'percent')} for {TOKENS[-1]:,}; measured and predicted."
    )
