"""Weights that a mixture reads in one step, by the number of tokens in it: few tokens read few experts, many read nearly all.

    touched(B) = E (1 - (1 - k/E)^B)        read(B) = (outside - lookup + L touched(B) e) bits / 8        FLOP(B) = 2 multiplied B

Expected values for balanced routing, B tokens choosing k of E experts independently in each of L layers. The token embedding is looked
up, not read. A product of 16-bit weights with n tokens does n FLOP for each byte of weights, so an expert's is bound by arithmetic
once its share of the batch, B k / E tokens, reaches the GPU's ridge (roofline; Pope et al. 2022, arXiv 2211.05102, section 2.1).
"""

from typing import Annotated

from kernels import Bound, Series, kernel
from kernels.library.machines._devices import DEVICES, Gpu
from kernels.library.models._models import SHAPES, Mixture, Model
from kernels.library.models._passes import lookups, multiplied
from kernels.library.models._passes import read as read_by_all
from kernels.library.models.model_shape import model_shape
from kernels.library.models.moe_shape import moe_shape

BATCHES = (1, 2, 4, 8, 16, 32, 64)


@kernel(
    kind="formula",
    outputs={
        "touched": "",
        "read": "B",
        "held": "B",
        "share": "",
        "flops": "FLOP",
        "dense_read": "B",
        "dense_held": "B",
        "dense_flops": "FLOP",
        "over_dense": "",
        "tokens_per_expert": "token",
        "ridge": "token",
        "batch_at_ridge": "token",
        "sweep": Series("tokens", "B", "token"),
    },
)
def moe_weight_reads(
    model: Mixture = "mixtral-8x7b",
    tokens: Annotated[int, Bound("token", low=1)] = 1,
    dense: Model = "llama-2-13b",
    bits: Annotated[float, Bound(low=1.0, high=32.0)] = 16.0,
    gpu: Gpu = "h100",
):
    """Expected experts touched in a layer, weights read and FLOP of a step of `tokens` tokens, beside a dense model's.

    held: all weights. share: read over what is readable, the embedding left out. over_dense: read over the dense model's read.
    tokens_per_expert: an expert's mean share of the step; batch_at_ridge: the step at which that share reaches the GPU's ridge.
    sweep: bytes read by tokens, of the mixture, the dense model, and a dense one of the mixture's own size.
    """
    mix, size = SHAPES[model], bits / 8
    counts, lookup = moe_shape(model=model), lookups(mix)

    def read(batch: int) -> float:
        return size * (counts["outside"] - lookup + counts["expert_everywhere"] * touched(mix.experts, mix.active_experts, batch))

    dense_parameters, used = model_shape(model=dense)["parameters"], read_by_all(dense)
    everything = size * (counts["parameters"] - lookup)
    ridge = DEVICES[gpu].ridge * size / 2  # tokens at which 2 FLOP a weight take as long as its bytes
    return {
        "touched": touched(mix.experts, mix.active_experts, tokens),
        "read": read(tokens),
        "held": size * counts["parameters"],
        "share": read(tokens) / everything,
        "flops": 2 * multiplied(mix) * tokens,
        "dense_read": size * used,
        "dense_held": size * dense_parameters,
        "dense_flops": 2 * multiplied(SHAPES[dense]) * tokens,
        "over_dense": read(tokens) / (size * used),
        "tokens_per_expert": tokens * mix.active_experts / mix.experts,
        "ridge": ridge,
        "batch_at_ridge": ridge * mix.experts / mix.active_experts,
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
