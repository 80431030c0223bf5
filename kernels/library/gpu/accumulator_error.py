"""Sums of products of 16-bit numbers, kept in fp32 or in 16 bits: the error by the format of the accumulator.

    C = sum over k of a_k b_k,    a_k, b_k in 16 bits, their product exact, the running sum rounded after every `block` terms

A tensor core adds a few products at a time and rounds then (Micikevicius et al. 2018, arXiv 1710.03740, section 3.3: it multiplies fp16 numbers and
adds in fp32 or in fp16). Inside a block the sum is kept in fp64 here, so that nothing but the accumulator rounds.
"""

from typing import Annotated, Literal

from kernels import Bound, Free, KernelError, Series, kernel, precision

WAYS = {"fp32": "fp16", "fp16": "fp16", "bf16": "bf16"}  # accumulator -> the inputs' format
SUMS = 256
TERMS = (64, 256, 1024, 4096)  # of the curve, beside k


@kernel(
    kind="simulation",
    outputs={**{f"{way}_error": "" for way in WAYS}, "fp16_over_fp32": "", "sweep": Series("terms", "")},
    tolerance=1e-3,
)
def accumulator_error(
    k: Annotated[int, Bound(low=64, high=65536)] = 16384,
    inputs: Annotated[Literal["positive", "mixed"], Free("positive", "mixed")] = "positive",
    block: Annotated[int, Bound(low=1, high=64), Free(4, 64)] = 8,
    seed: int = 0,
):
    """The error of 256 sums of k products of 16-bit numbers, by the format that their running sums are kept in.

    error: root mean square over that of the exact sums. fp16_over_fp32: the two errors' ratio. sweep: error over the number of terms.
    Free: inputs, uniform in [0, 1) or normal with both signs, as activations behind a ReLU are of one sign and weights of both; block, the terms
    added between two roundings, from 4, as on the first tensor cores, over 8 and 16 on later ones, to 64.
    """
    import torch

    if TERMS[0] % block:
        raise KernelError(f"accumulator_error: {TERMS[0]} terms do not divide into blocks of {block}, which must be a divisor")
    generator = torch.Generator().manual_seed(seed)
    draw = torch.rand if inputs == "positive" else torch.randn
    a, b = (draw(SUMS, k, generator=generator) for _ in range(2))
    shown = sorted({*(terms for terms in TERMS if terms < k), k})
    lines = {way: errors(a, b, way, dtype, block, shown) for way, dtype in WAYS.items()}
    return {
        **{f"{way}_error": line[-1] for way, line in lines.items()},
        "fp16_over_fp32": lines["fp16"][-1] / lines["fp32"][-1],
        "sweep": {"terms": shown, **lines},
    }


@accumulator_error.invariant
def more_bits_err_less(result):
    """With inputs alike, an fp32 accumulator errs less than an fp16 one, by a hundredfold at least; bf16 errs most."""
    return result["fp32_error"] < result["fp16_error"] / 100 and result["fp16_error"] < result["bf16_error"]


def errors(a, b, way: str, dtype: str, block: int, shown: list[int]) -> list[float]:
    """Of the sums of the first `shown` terms; the running sum in the way's format, the inputs rounded to dtype."""
    import torch

    kept = precision.torch_dtype(way)
    products = a.to(precision.torch_dtype(dtype)).double() * b.to(precision.torch_dtype(dtype)).double()
    exact, total, found = products.cumsum(1), torch.zeros(len(a), dtype=torch.float64), []
    for start in range(0, products.shape[1], block):
        total = (total + products[:, start : start + block].sum(1)).to(kept).double()
        done = min(start + block, products.shape[1])
        if done in shown:
            error = total - exact[:, done - 1]
            found.append((error.square().mean() / exact[:, done - 1].square().mean()).sqrt().item())
    return found


@accumulator_error.figure
def draw(result, ax):
    from kernels import plot

    labels = {way: f"{way} sum" for way in WAYS}
    plot.lines(ax, result["sweep"], unit="percent", xlog=True, ylog=True, labels=labels, x_label="terms in each sum", y_label="error")
    said = ", ".join(f"{way} {plot.show(result[f'{way}_error'], 'percent')}" for way in WAYS)
    return f"Error of a sum of products against the number of terms, by accumulator; at {result.parameters['k']:,} terms: {said}."
