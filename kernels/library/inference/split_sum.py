"""The same dot products added up in different orders: how many bits change, how far logits move, and whether the best one flips.

A matrix product may cut its inner sum into s parts, add each up on its own, and add the parts last ("split-K"); a library picks s by
the shape of its inputs, so that a batch's size decides it (He et al. 2025, "Defeating Nondeterminism in LLM Inference"). In
exact arithmetic every s gives the same. In floating point each addition rounds, and (a + b) + c is not a + (b + c).

Terms are products of random numbers, each product and addition one elementwise fp32 operation: IEEE 754 fixes every bit, so that every machine finds
the same. Neither result is exact: with u = 2^-24 a sum of n terms in one run errs by at most about n u times the sum of their magnitudes, one in s
parts by (n / s + s) u times it (Higham 2002, Accuracy and Stability of Numerical Algorithms, 2nd edition, section 4.2).
"""

from typing import Annotated, Literal

from kernels import Bound, Free, KernelError, kernel

SPLITS = (2, 4, 8, 16, 32)
UNIT = 2.0**-24  # what rounding to fp32 changes a number by at most, relative


@kernel(
    kind="simulation",
    outputs={
        "bits_changed": "",
        "moved": "",
        "distinct": "",
        "flips": "",
        "flips_bf16": "",
        "error_one": "",
        "error_split": "",
        "bound_one": "",
        "bound_split": "",
    },
    tolerance=1e-6,
)
def split_sum(
    length: Annotated[int, Bound(low=64, high=16384), Free(1024, 16384)] = 4096,
    vocab: Annotated[int, Bound(low=2, high=4096)] = 1024,
    rows: Annotated[int, Bound(low=1, high=256)] = 8,
    splits: Annotated[int, Bound(low=2, high=32), Free(2, 32)] = 8,
    terms: Annotated[Literal["uniform", "normal"], Free("uniform", "normal")] = "uniform",
    seed: int = 0,
):
    """fp32 logits, dot products of `length` terms, added in one run and in `splits` parts: changed bits, moves and flipped argmaxes.

    bits_changed: share of the logits that differ at all; moved: the largest difference over the logits' standard deviation;
    distinct: the mean number of different values that one logit takes over 1, 2, 4, 8, 16 and 32 parts; flips: share of rows
    whose largest logit is another one, flips_bf16: the same once both are rounded to bf16. error: of both against float64, over the
    largest; bound: what rounding can do to either, likewise.

    Models are 1,024 to 16,384 wide and libraries split by 2 to 32, so length and splits are free between these, and so is how
    the terms are distributed.
    """
    import torch

    if length % max(SPLITS) or length % splits:
        raise KernelError(f"split_sum: length is {length}, but must be a multiple of {max(SPLITS)} and of splits")
    random = torch.Generator().manual_seed(seed)
    shapes = ((rows, length), (length, vocab))
    if terms == "uniform":
        hidden, head = (2 * torch.rand(*shape, generator=random) - 1 for shape in shapes)
    else:
        hidden, head = (torch.randn(*shape, generator=random) for shape in shapes)
    parts = sorted({1, *SPLITS, splits})
    sums = {s: added(hidden, head, s) for s in parts}
    one, split = sums[1], sums[splits]
    exact = hidden.double() @ head.double()
    magnitudes = (hidden.double().abs() @ head.double().abs()).max() / exact.abs().max()
    every = torch.stack([sums[s] for s in (1, *SPLITS)]).sort(0).values
    return {
        "bits_changed": changed(one, split),
        "moved": (one - split).abs().max() / exact.std(),
        "distinct": 1 + (every[1:] != every[:-1]).double().sum(0).mean(),
        "flips": (one.argmax(1) != split.argmax(1)).double().mean(),
        "flips_bf16": (one.bfloat16().argmax(1) != split.bfloat16().argmax(1)).double().mean(),
        "error_one": (one - exact).abs().max() / exact.abs().max(),
        "error_split": (split - exact).abs().max() / exact.abs().max(),
        "bound_one": (length + 1) * UNIT * magnitudes,
        "bound_split": (length / splits + splits + 1) * UNIT * magnitudes,
    }


@split_sum.invariant
def either_order_errs_by_no_more_than_rounding_can(result):
    """Both results lie within Higham's bounds of the exact one, so that neither is wrong."""
    return result["error_one"] <= result["bound_one"] and result["error_split"] <= result["bound_split"]


@split_sum.invariant
def bits_change_where_values_move(result):
    """Some bits differ exactly where the largest difference is not zero, and one sum takes at most as many values as there are orders."""
    return (result["bits_changed"] > 0) == (result["moved"] > 0) and 1 <= result["distinct"] <= 1 + len(SPLITS)


def added(hidden, head, splits: int):
    """hidden @ head in fp32, the terms added one after the other in each of `splits` parts, then the parts."""
    import torch

    rows, length = hidden.shape
    size = length // splits
    total = torch.zeros(splits, rows, head.shape[1])
    a, b = hidden.view(rows, splits, size), head.view(splits, size, -1)
    for step in range(size):
        total += a[:, :, step].T[:, :, None] * b[:, step][:, None]
    result = total[0].clone()
    for part in total[1:]:
        result += part
    return result


def changed(one, other):
    return (one != other).double().mean()
