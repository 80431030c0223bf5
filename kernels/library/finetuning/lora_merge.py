"""Merging an adapter writes W + D into the format of the weights, and rounds. What is left of D?

The base holds random weights as its format has them (bf16, or NF4 in blocks of 64 scaled by their largest magnitude), D is a random
product B A whose Frobenius norm is `update` times that of W. Merged: W + D rounded to the format again.

    error = |merged - (W + D)|_F / |D|_F         kept = <merged - W, D> / <D, D>

NF4's 16 levels (QLoRA, Dettmers et al. 2023, arXiv 2305.14314, appendix E): quantiles of the normal distribution, 8 above zero, 7 below,
scaled to [-1, 1]. The blocks' scales are kept exact here.
"""

from statistics import NormalDist
from typing import Annotated, Literal

from kernels import Bound, Free, KernelError, Series, kernel

OFFSET = 0.9677083  # the outermost quantile, half-way between those of 15 and of 16 levels
BLOCK = 64


@kernel(
    kind="simulation",
    outputs={
        **{f"{what}_{base}": "" for what in ("error", "kept", "unchanged") for base in ("bf16", "nf4")},
        "base_error_nf4": "",
        "error_nf4_to_bf16": "",
        "sweep": Series("update", ""),
    },
    tolerance=1e-3,
)
def lora_merge(
    update: Annotated[float, Bound(low=0.001, high=1.0)] = 0.03,
    rank: Annotated[int, Bound(low=1, high=64), Free(4, 64)] = 8,
    d: Annotated[int, Bound(low=64, high=2048), Free(256, 1024)] = 512,
    weights: Annotated[Literal["normal", "heavy-tailed"], Free("normal", "heavy-tailed")] = "normal",
    seed: int = 0,
):
    """What rounding does to an update merged into bf16 and into NF4 weights, relative to the update.

    update: its Frobenius norm over the weights'. unchanged: the share of stored weights (for NF4, of 4-bit codes) that the merge leaves as they were.
    base_error_nf4: what quantising the base itself cost, over the base's norm. error_nf4_to_bf16: merged into the dequantised weights and stored
    in bf16. sweep: the errors against `update`.

    Free are rank and d, as adapters have the one and as a draw of a large matrix' corner needs the other, and weights: the normal ones for which
    NF4 is made, or Student's t with 5 degrees of freedom.
    """
    import torch

    if d * d % BLOCK:
        raise KernelError(f"lora_merge: d is {d}, but must be a multiple of 8: NF4 takes {BLOCK} weights at a time")
    random = torch.Generator().manual_seed(seed)
    drawn = torch.randn(d, d, generator=random, dtype=torch.float64)
    if weights == "heavy-tailed":
        drawn = drawn / (torch.randn(5, d, d, generator=random, dtype=torch.float64).square().mean(0)).sqrt()
    product = torch.randn(d, rank, generator=random, dtype=torch.float64) @ torch.randn(rank, d, generator=random, dtype=torch.float64)
    codes, scales = nf4_codes(drawn)
    bases = {"bf16": drawn.bfloat16().double(), "nf4": dequantised(codes, scales)}
    stored = {"bf16": lambda w: w.bfloat16().double(), "nf4": lambda w: dequantised(*nf4_codes(w))}

    def merged(base: str, size: float):
        change = product * (size * bases[base].norm() / product.norm())
        return change, stored[base](bases[base] + change)

    outputs = {}
    for base in bases:
        change, new = merged(base, update)
        outputs[f"error_{base}"] = (new - bases[base] - change).norm() / change.norm()
        outputs[f"kept_{base}"] = ((new - bases[base]) * change).sum() / change.square().sum()
        same = new == bases[base] if base == "bf16" else nf4_codes(bases[base] + change)[0] == codes
        outputs[f"unchanged_{base}"] = same.double().mean()
    change = product * (update * bases["nf4"].norm() / product.norm())
    sizes = [0.003, 0.01, 0.03, 0.1, 0.3]
    errors = {base: [(new - bases[base] - c).norm() / c.norm() for c, new in (merged(base, s) for s in sizes)] for base in bases}
    return {
        **outputs,
        "base_error_nf4": (bases["nf4"] - drawn).norm() / drawn.norm(),
        "error_nf4_to_bf16": ((bases["nf4"] + change).bfloat16().double() - bases["nf4"] - change).norm() / change.norm(),
        "sweep": {"update": sizes, "into NF4": errors["nf4"], "into bf16": errors["bf16"]},
    }


@lora_merge.invariant
def what_is_kept_differs_from_all_by_the_error_at_most(result):
    """The kept share is 1 + <merged - W - D, D> / <D, D>, so it lies within the error of 1 (Cauchy and Schwarz)."""
    return all(abs(result[f"kept_{base}"] - 1) <= result[f"error_{base}"] + 1e-12 for base in ("bf16", "nf4"))


@lora_merge.invariant
def fewer_levels_round_more_coarsely(result):
    """NF4's 16 levels disturb the update more than bf16 does."""
    return result["error_nf4"] > result["error_bf16"]


def nf4_levels() -> list[float]:
    """The 16 levels in [-1, 1], ascending."""
    quantile = NormalDist().inv_cdf
    above = [quantile(OFFSET + (0.5 - OFFSET) * i / 8) for i in range(8)]
    below = [-quantile(OFFSET + (0.5 - OFFSET) * i / 7) for i in range(7)]
    return sorted(level / max(above) for level in (*above, 0.0, *below))


def nf4_codes(weights):
    """Codes int64 [.., 64] of the nearest levels, and each block's largest magnitude."""
    import torch

    levels = torch.tensor(nf4_levels(), dtype=torch.float64)
    blocks = weights.reshape(-1, BLOCK)
    scales = blocks.abs().amax(dim=1, keepdim=True)
    return torch.bucketize(blocks / scales, (levels[1:] + levels[:-1]) / 2), scales


def dequantised(codes, scales):
    """float64, a square matrix."""
    import torch

    d = round(codes.numel() ** 0.5)
    return (torch.tensor(nf4_levels(), dtype=torch.float64)[codes] * scales).reshape(d, d)


@lora_merge.figure
def draw(result, ax):
    from kernels import plot

    plot.lines(ax, result["sweep"], xlog=True, ylog=True, unit="percent", x_label="update / weights", y_label="error / update", highlight="into NF4")
    plot.hline(ax, 1, "as large as the update")
    return (
        f"Rounding error of a merge over the update's size. For an update {result.parameters['update']:.0%} of the weights it is "
        f"{result['error_nf4']:.0%} into NF4 and {result['error_bf16']:.0%} into bf16; it shrinks as the update grows."
    )
