"""Weights that a mixture reads in one step, by the number of tokens in it: few tokens read few experts, many read nearly all.

    touched(B) = E (1 - (1 - k/E)^B)        read(B) = (outside - lookup + L touched(B) e) bits / 8        FLOP(B) = 2 multiplied B

Expected values for balanced routing, B tokens choosing k of E experts independently in each of L layers. The token embedding is looked
up, not read. Beside the weights, each of the B sequences has its cache read, `context` tokens of it, so that a step takes

    max((weights + caches) / bandwidth, FLOP / peak, launching)

of a GPU, or as much of several that share both evenly. A product of 16-bit weights with n tokens does n FLOP for each byte of weights, so an expert's
is bound by arithmetic once its share of the batch, B k / E tokens, reaches the GPU's ridge (Pope et al. 2022, arXiv 2211.05102, section 2).
"""

from typing import Annotated

from kernels import Bound, Series, kernel
from kernels.library.machines import _reach
from kernels.library.machines._devices import DEVICES, Gpu
from kernels.library.models._models import SHAPES, Mixture, Model
from kernels.library.models._passes import attended, lookups, multiplied
from kernels.library.models._passes import read as read_by_all
from kernels.library.models.model_shape import model_shape
from kernels.library.models.moe_shape import moe_shape

BATCHES = (1, 2, 4, 8, 16, 32, 64)


@kernel(
    kind="prediction",
    outputs={
        "touched": "",
        "read": "B",
        "held": "B",
        "share": "",
        "used": "",
        "flops": "FLOP",
        "dense_read": "B",
        "dense_held": "B",
        "dense_flops": "FLOP",
        "over_dense": "",
        "tokens_per_expert": "token",
        "ridge": "token",
        "batch_at_ridge": "token",
        "cache": "B",
        "dense_cache": "B",
        "step": "s",
        "expected": "s",
        "dense_step": "s",
        "step_over_dense": "",
        "equal_context": "token",
        "sweep": Series("tokens", "B", "token"),
    },
)
def moe_weight_reads(
    model: Mixture = "mixtral-8x7b",
    tokens: Annotated[int, Bound("token", low=1)] = 1,
    dense: Model = "llama-2-13b",
    bits: Annotated[float, Bound(low=1.0, high=32.0)] = 16.0,
    gpu: Gpu = "h100",
    context: Annotated[int, Bound("token", low=0)] = 0,
    gpus: Annotated[int, Bound(low=1)] = 1,
    launching: Annotated[float, Bound("s", low=0, high=0.05)] = 0.0,
):
    """Expected experts touched in a layer, weights read and FLOP of a step of `tokens` tokens, beside a dense model's.

    held: all weights. share: read over what is readable, the embedding left out. used: the weights that one token is multiplied
    with. over_dense: read over the dense model's read.
    tokens_per_expert: an expert's mean share of the step; batch_at_ridge: the step at which that share reaches the GPU's ridge. cache: read in the
    step, in bf16, by each of its sequences with `context` tokens; step: the longest of reading weights and caches, of all FLOP, attention's too, and
    of launching, the seconds of its launches, on `gpus` that share both evenly; expected: the same as published dense models reach.
    equal_context: the context at which both models read as much, 0 where the dense model's cache is no larger.
    sweep: bytes read by tokens, of the mixture, the dense model, and a dense one of the mixture's own size.
    """
    mix, size = SHAPES[model], bits / 8
    counts, lookup = moe_shape(model=model), lookups(mix)

    def read(batch: int) -> float:
        return size * (counts["outside"] - lookup + counts["expert_everywhere"] * touched(mix.experts, mix.active_experts, batch))

    dense_parameters, used = model_shape(model=dense)["parameters"], read_by_all(dense)
    everything = size * (counts["parameters"] - lookup)
    device = DEVICES[gpu]
    ridge = device.ridge * size / 2  # tokens at which 2 FLOP a weight take as long as its bytes
    flops, dense_flops = (tokens * (2 * multiplied(shape) + context * attended(shape)) for shape in (mix, SHAPES[dense]))
    cached, dense_cached = (tokens * 2 * shape.layers * shape.cached for shape in (mix, SHAPES[dense]))  # B for one token of every sequence
    moved, dense_moved = read(tokens) + context * cached, size * used + context * dense_cached
    step, dense_step = (_reach.least(gpu, *work, launching, gpus) for work in ((flops, moved), (dense_flops, dense_moved)))
    kind: _reach.Operation = "decode" if bits >= 16 else "quantised decode"
    return {
        "touched": touched(mix.experts, mix.active_experts, tokens),
        "read": read(tokens),
        "held": size * counts["parameters"],
        "share": read(tokens) / everything,
        "used": multiplied(mix),
        "flops": flops,
        "dense_read": size * used,
        "dense_held": size * dense_parameters,
        "dense_flops": dense_flops,
        "over_dense": read(tokens) / (size * used),
        "tokens_per_expert": tokens * mix.active_experts / mix.experts,
        "ridge": ridge,
        "batch_at_ridge": ridge * mix.experts / mix.active_experts,
        "cache": context * cached,
        "dense_cache": context * dense_cached,
        "step": step,
        "expected": _reach.expected(kind, gpu, flops, moved, launching, gpus),
        "dense_step": dense_step,
        "step_over_dense": step / dense_step,
        "equal_context": (read(tokens) - size * used) / (dense_cached - cached) if dense_cached > cached else 0.0,
        "sweep": {
            "tokens": BATCHES,
            model: [read(batch) for batch in BATCHES],
            dense: [size * used] * len(BATCHES),
            "all": [everything] * len(BATCHES),
        },
    }


def touched(experts: int, top_k: int, tokens: int) -> float:
    """How many different experts are chosen, on average."""
    return experts * (1 - (1 - top_k / experts) ** tokens)


@moe_weight_reads.figure
def draw(result, ax):
    from kernels import plot

    model, dense, tokens = result.parameters["model"], result.parameters["dense"], result.parameters["tokens"]
    labels = {model: "", dense: dense, "all": "all experts"}
    plot.lines(ax, result["sweep"], xlog=True, highlight=model, labels=labels, x_label="tokens in the step", y_label="weights read")
    ax.set_ylim(0, 1.2 * max(result["sweep"].values("all")))
    if tokens <= BATCHES[-1]:
        plot.mark(ax, tokens, result["read"], f"{model}: {plot.show(result['read'], 'B')}", plot.ACCENT, "below")
