"""Gradient checkpointing of a stack of transformer blocks: the memory that it saves and the time that it costs, measured and predicted.

Of each segment of k layers only the input is kept; the backward pass computes the segment again (Chen et al. 2016, Training Deep Nets
with Sublinear Memory Cost, arXiv 1604.06174). With layers of 34 s b h bytes (see activation_memory) and inputs of 2 s b h:

    memory  (L / k) 2 s b h + k 34 s b h          time  one more forward pass: forward + (forward + backward)

The backward pass takes about twice the forward's time, so that is about a third more. Gradients are the same, dropout's masks included.
"""

import functools
from typing import Annotated, Any

from kernels import Bound, KernelError, Series, kernel, precision, timing
from kernels.library.models._transformer import HEAD, transformer
from kernels.library.training.activation_memory import activation_memory

DROPOUT = 0.1
LIMIT = 2e-2  # of the largest gradient: bf16, and atomic sums whose order changes from run to run


def memory(width: int, layers: int, tokens: int, batch: int) -> int:
    """Weights, gradients and a copy of these, the largest of them in float64, and the activations of a step that keeps everything."""
    kept = activation_memory(width=width, heads=width // HEAD, layers=layers, tokens=tokens, batch=batch)["flash"]
    return round(3 * 2 * 12 * width**2 * layers + max(kept, 4 * 8 * 4 * width**2))


@kernel(
    kind="measurement",
    outputs={
        "plain": "B",
        "checkpointed": "B",
        "best": "B",
        "best_segment": "",
        "saving": "",
        "plain_predicted": "B",
        "checkpointed_predicted": "B",
        "plain_of_predicted": "",
        "checkpointed_of_predicted": "",
        "forward_time": "s",
        "plain_time": "s",
        "checkpointed_time": "s",
        "slowdown": "",
        "slowdown_predicted": "",
        "rate": "FLOP/s",
        "ceiling": "FLOP/s",
        "of_ceiling": "",
        "error": "",
        "memory": Series("segment", "B"),
        "time": Series("segment", "s"),
    },
    timeout=300,
    memory=memory,
    formats=("bf16",),
    rehearsal={"width": 64, "layers": 2, "tokens": 32, "batch": 1},
    headline="rate",
    share="of_ceiling",
    seconds=25,
)
def gradient_checkpointing(
    width: Annotated[int, Bound(low=64)] = 2048,
    layers: Annotated[int, Bound(low=2, high=128)] = 16,
    tokens: Annotated[int, Bound("token", low=1)] = 2048,
    batch: Annotated[int, Bound(low=1)] = 2,
):
    """Peak memory beyond weights and gradients, and time, of forward and backward in bf16: everything kept, and checkpointed by segments.

    checkpointed: every layer a segment; best: the least over segment lengths. saving: share of plain's memory that checkpointing every layer
    saves. Times are measured in turns, with the fastest matrix product: slowdown: checkpointed over plain; slowdown_predicted: (forward +
    plain) / plain. rate: of plain, matrix products' FLOP alone. error: of the checkpointed gradients, over the largest. memory: measured and
    predicted over layers a segment; time: measured.
    """
    if width % HEAD:
        raise KernelError(f"gradient_checkpointing: width is {width}, but must be a multiple of {HEAD}, the head size")
    model, x = prepared(width, layers, tokens, batch, "bf16", timing.device())
    error = gradient_error(model, x)
    segments = [k for k in range(1, layers + 1) if layers % k == 0]
    steps: dict[int, Any] = {k: functools.partial(step, model, x, k) for k in (0, *segments)}
    peaks = {k: timing.peak_memory(run).bytes for k, run in steps.items()}
    names = {0: "plain", **{k: f"segments of {k}" for k in segments}}
    ceiling, timed = timing.multiplying("bf16"), {names[k]: run for k, run in steps.items()}
    turns = timing.in_turns(forward=lambda: model(x), **timed, ceiling=ceiling.function)
    predicted = activation_memory(width=width, heads=width // HEAD, layers=layers, tokens=tokens, batch=batch)
    best = min(segments, key=lambda k: peaks[k])
    needed = flops(width, layers, tokens, batch)
    return {
        "plain": peaks[0],
        "checkpointed": peaks[1],
        "best": peaks[best],
        "best_segment": best,
        "saving": 1 - peaks[1] / peaks[0],
        "plain_predicted": predicted["flash"],
        "checkpointed_predicted": predicted["checkpointed"],
        "plain_of_predicted": peaks[0] / predicted["flash"],
        "checkpointed_of_predicted": peaks[1] / predicted["checkpointed"],
        "forward_time": turns["forward"],
        "plain_time": turns["plain"],
        "checkpointed_time": turns[names[1]],
        "slowdown": turns.ratio(names[1], "plain"),
        "slowdown_predicted": 1 + turns.ratio("forward", "plain").value,
        "rate": needed / turns["plain"],
        "ceiling": ceiling.work / turns["ceiling"],
        "of_ceiling": turns.ratio("ceiling", "plain") * (needed / ceiling.work),
        "error": error,
        "memory": {"segment": segments, "measured": [peaks[k] for k in segments], "predicted": predicted["sweep"].values("kept")},
        "time": {"segment": segments, "measured": [turns[names[k]] for k in segments]},
    }


def prepared(width: int, layers: int, tokens: int, batch: int, dtype: str, device: str):
    """The blocks in training mode with gradients already allocated, so that a step's peak is activations; and hidden states."""
    import torch

    model = transformer(width, layers, dropout=DROPOUT, dtype=precision.torch_dtype(dtype), device=device).train()
    x = torch.randn(batch, tokens, width, device=device).to(precision.torch_dtype(dtype))
    step(model, x)
    return model, x


def step(model, x, segment: int = 0) -> None:
    """Forward and backward; the gradients are written into the tensors that are there."""
    for parameter in model.parameters():
        if parameter.grad is not None:
            parameter.grad.zero_()
    model(x, segment).backward(x)


def gradient_error(model, x) -> float:
    """The largest difference that checkpointing makes to a gradient, over the largest of that tensor; raises beyond LIMIT."""
    import torch

    def gradients(segment: int) -> list:
        torch.manual_seed(1)  # the same dropout masks
        step(model, x, segment)
        return [parameter.grad for parameter in model.parameters()]

    plain = [gradient.clone() for gradient in gradients(0)]
    return max(precision.error_against(kept, again, LIMIT) for kept, again in zip(plain, gradients(1)))


def flops(width: int, layers: int, tokens: int, batch: int) -> int:
    """Of the matrix products of forward and backward, 6 per weight and token, and of causal attention, which computes half."""
    return 6 * layers * tokens * batch * (12 * width**2 + tokens * width)


@gradient_checkpointing.predicted
def predict(result):
    from kernels.library.machines._devices import DEVICES

    device = DEVICES.get(result.made["device_class"])
    return device and device.peak.get("bf16")


@gradient_checkpointing.figure
def draw(result, ax):
    from kernels import plot

    rows = {
        "everything kept": (result["plain"], result["plain_time"]),
        "every layer checkpointed": (result["checkpointed"], result["checkpointed_time"]),
    }
    if result["best_segment"] > 1:
        times = dict(zip(result["time"].x, result["time"].values("measured")))
        rows[f"{result['best_segment']:g} layers a segment"] = (result["best"], times[result["best_segment"]])
    named = {f"{name}, {plot.show(seconds, 's')} a step": size for name, (size, seconds) in rows.items()}
    plot.bars(ax, named, "B", highlight=list(named)[1])
