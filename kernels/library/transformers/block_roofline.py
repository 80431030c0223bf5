"""Where a transformer block's forward time goes by a roofline: each operation takes its arithmetic or its bytes, whichever is longer.

    products      qkv, out, up (and gate), down: 2 FLOP a weight and token; weights, inputs and outputs in 16 bits
    core          scores and weighted values, 4 n d FLOP a token, with heads of 128
        written out   all n^2 scores: written, read and written by the softmax, read again         4 passes of 2 bytes each
        tiled         only the half under a causal mask; queries, keys, values in, the output out  (FlashAttention, arXiv 2205.14135)
    norms         two of them, op by op or each in one kernel (norm_traffic)
    elementwise   activation and the two sums of the residual stream, each reading and writing its tensors once

Rates are those of the data sheet, so every time is a lower bound, and a share says what the hardware asks for, not what some framework reaches
(machines/_reach.py). No operation takes less than its launch, which matters for few tokens.
"""

from typing import Annotated, Literal

from kernels import Bound, Lower, Series, kernel
from kernels.library.machines import _reach
from kernels.library.machines._devices import Gpu
from kernels.library.transformers.norm_traffic import norm_traffic

HEAD, SIZE = 128, 2
WIDTHS = (2048, 2560, 4096, 5120, 12288)  # GPT-3's at 1.3B (Pythia's at 1.4B), 2.7B, 6.7B, 13B and 175B: arXiv 2005.14165, table 2.1
PARTS = ("products", "elementwise")
Part = tuple[_reach.Operation, float, float]  # a kernel: what kind it is, its FLOP, its bytes


@kernel(
    kind="prediction",
    outputs={
        **dict.fromkeys(
            ("products_time", "core_time_naive", "core_time_flash", "norms_time_eager", "norms_time_fused", "elementwise_time"), Lower("s")
        ),
        **dict.fromkeys(("core_share_naive", "core_share_flash", "core_flops_share", "norms_share_eager", "norms_share_fused"), ""),
        **dict.fromkeys(("faster_core", "flash_speedup", "core_speedup"), ""),
        "block_time": Lower("s"),
        "expected": "s",
        "sweep": Series("d_model", ""),
    },
)
def block_roofline(
    d_model: Annotated[int, Bound(low=HEAD)] = 4096,
    ffn_ratio: Annotated[float, Bound(low=0.0)] = 4.0,
    gated: bool = False,
    norm: Literal["layer", "rms"] = "layer",
    tokens: Annotated[int, Bound("token", low=1)] = 2048,
    sequences: Annotated[int, Bound(low=1)] = 4,
    faster: Annotated[float, Bound(low=1.0)] = 2.0,
    gpu: Gpu = "h100",
    launch: Annotated[float, Bound("s", low=0, high=1e-3)] = 0.0,
):
    """Times of a block's parts on `sequences` of `tokens` tokens, and the shares of attention's core and of the norms.

    Shares of the core count fused norms; shares of the norms count the tiled core. faster_core: how much faster the block gets when a core that
    writes its scores out runs `faster` times as fast; flash_speedup, core_speedup: the block and the core with tiles over written out.
    block_time: with tiles and fused norms; expected: the same as published kernels reach. launch: seconds of one, none by default.
    """
    here = times(d_model, ffn_ratio, gated, norm, tokens, sequences, gpu, launch)
    made = parts(d_model, ffn_ratio, gated, norm, tokens, sequences)
    best = [kernel for part in (*PARTS, "core_flash", "norms_fused") for kernel in made[part]]
    rest = here["products"] + here["elementwise"]
    share = {way: shares_of(here, f"core_{way}") for way in ("naive", "flash")}
    others = rest + here["core_flash"]
    return {
        **{f"{part}_time": here[part] for part in PARTS},
        **{f"core_time_{way}": here[f"core_{way}"] for way in ("naive", "flash")},
        **{f"norms_time_{way}": here[f"norms_{way}"] for way in ("eager", "fused")},
        **{f"core_share_{way}": share[way] for way in ("naive", "flash")},
        "core_flops_share": flops_share(d_model, ffn_ratio, gated, tokens),
        **{f"norms_share_{way}": here[f"norms_{way}"] / (others + here[f"norms_{way}"]) for way in ("eager", "fused")},
        "faster_core": 1 / (1 - share["naive"] + share["naive"] / faster),
        "flash_speedup": (rest + here["norms_fused"] + here["core_naive"]) / (rest + here["norms_fused"] + here["core_flash"]),
        "core_speedup": here["core_naive"] / here["core_flash"],
        "block_time": others + here["norms_fused"],
        "expected": _reach.total(*(_reach.expected(kind, gpu, flops, moved, launch) for kind, flops, moved in best)),
        "sweep": {
            "d_model": list(WIDTHS),
            **{
                way: [shares_of(times(d, ffn_ratio, gated, norm, tokens, sequences, gpu, launch), f"core_{way}") for d in WIDTHS]
                for way in ("naive", "flash")
            },
            "flops": [flops_share(d, ffn_ratio, gated, tokens) for d in WIDTHS],
        },
    }


def times(d: int, ffn_ratio: float, gated: bool, norm: str, tokens: int, sequences: int, gpu: str, launch: float) -> dict[str, float]:
    """Seconds of each part."""
    made = parts(d, ffn_ratio, gated, norm, tokens, sequences)
    return {part: sum(_reach.least(gpu, flops, moved, launch) for _, flops, moved in kernels) for part, kernels in made.items()}


def parts(d: int, ffn_ratio: float, gated: bool, norm: str, tokens: int, sequences: int) -> dict[str, list[Part]]:
    """The kernels of each part, one after another."""
    rows, ffn = tokens * sequences, round(ffn_ratio * d)
    pairs = sequences * tokens**2

    def product(inputs: int, outputs: int) -> Part:
        return "product", 2 * rows * inputs * outputs, SIZE * (inputs * outputs + rows * (inputs + outputs))

    matrix = SIZE * pairs * d / HEAD  # one pass over all heads' scores
    row = SIZE * rows * d
    moves = {way: norm_traffic()[f"{norm}_eager" if way == "eager" else "fused"] for way in ("eager", "fused")}
    half: Part = ("product", 2 * pairs * d, 2 * row + matrix)  # scores, or weighted values
    softmax: Part = ("stream", 0, 2 * matrix)
    add: Part = ("stream", 0, SIZE * rows * 3 * d)
    return {
        "products": [product(d, 3 * d), product(d, d), *[product(d, ffn)] * (2 if gated else 1), product(ffn, d)],
        "core_naive": [half, softmax, half],
        "core_flash": [("attention", 2 * pairs * d, 4 * row)],
        **{f"norms_{way}": [("stream", 0, rows * d * moves[way])] * 2 for way in moves},
        "elementwise": [("stream", 0, SIZE * rows * (3 if gated else 2) * ffn), add, add],
    }


def shares_of(here: dict[str, float], core: str) -> float:
    return here[core] / (here[core] + here["products"] + here["elementwise"] + here["norms_fused"])


def flops_share(d: int, ffn_ratio: float, gated: bool, tokens: int) -> float:
    """The causal core's, as attention_flops counts it: half of its products."""
    linear = 8 * d**2 + (6 if gated else 4) * ffn_ratio * d**2
    return 2 * tokens * d / (linear + 2 * tokens * d)


@block_roofline.figure
def draw(result, ax):
    from kernels import plot

    labels = {"naive": "time, scores written out", "flash": "time, tiled", "flops": "FLOP"}
    names = {2048: "1.4B", 4096: "6.7B", 12288: "175B"}
    plot.lines(ax, result["sweep"], xlog=True, unit="percent", labels=labels, x_label="parameters of the model", y_label="attention core's share")
    ax.set_xticks(list(names), list(names.values()))
    ax.set_xlim(1800, None)
    ax.set_ylim(0, None)
    plot.height(ax, 230)
    ends = {way: (line[0], line[-1]) for way, line in ((way, result["sweep"].values(way)) for way in labels)}
    said = "; ".join(f"{labels[way]}, {first:.1%} at 1.4B and {last:.1%} at 175B" for way, (first, last) in ends.items())
    return f"The share of attention's core in a block, by the size of the model: {said}."
