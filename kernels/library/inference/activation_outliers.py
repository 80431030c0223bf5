"""Activations with a few channels far larger than the rest, in 8 bits: one scale for all, for each token, for each channel, and smoothed.

Only scales of a token or an output channel can be taken out of the sum over input channels, so a scale for each input channel of the activations
is no choice for an integer matrix product. SmoothQuant divides input channel j by s_j and multiplies the weights' row j by it,

    s_j = max|X_j|^alpha / max|W_j|^(1 - alpha),        X W = (X / s) (s W)

(Xiao et al. 2022, arXiv 2211.10438, section 4). LLM.int8() instead keeps the outlier channels in 16 bits (Dettmers et al. 2022, arXiv 2208.07339).

    error = |X W - Q(X) Q(W)|_F / |X W|_F
"""

import math
from typing import Annotated

from kernels import Bound, Free, KernelError, kernel
from kernels.library.inference.quantization_error import decibels, nearest


@kernel(
    kind="simulation",
    outputs={
        **dict.fromkeys(("weights_only", "tensor", "token", "channel", "smooth", "split"), ""),
        **dict.fromkeys(("sqnr_weights", "sqnr_tensor", "sqnr_token", "sqnr_smooth", "sqnr_split", "zeroed_token"), ""),
    },
    tolerance=1e-3,
)
def activation_outliers(
    tokens: Annotated[int, Bound(low=8, high=4096)] = 256,
    inputs: Annotated[int, Bound(low=16, high=8192), Free(1024, 8192)] = 4096,
    outputs: Annotated[int, Bound(low=16, high=4096)] = 256,
    channels: Annotated[int, Bound(low=1, high=128)] = 6,
    outlier: Annotated[float, Bound(low=1, high=1000), Free(20.0, 100.0)] = 60.0,
    alpha: Annotated[float, Bound(low=0, high=1)] = 0.5,
    bits: Annotated[int, Bound(low=2, high=8)] = 8,
    seed: int = 0,
):
    """Error of a layer's product with activations of few bits, `channels` of which are `outlier` times as large as the others.

    Weights always have a scale for each output channel; weights_only leaves the activations alone. tensor, token, channel: whose scale
    the activations have; smooth: SmoothQuant; split: outlier channels in 16 bits. sqnr_*: in dB, of the weights and of the ordinary activations
    alone, without the outlier channels. zeroed_token: share of those that become zero under a scale for each token.

    LLM.int8() finds 6 such channels in a model that is 4,096 wide, up to 20 times as large as the others; SmoothQuant speaks of 100 times. outlier
    is free between these, and so is inputs, the width.
    """
    import torch

    if channels >= inputs:
        raise KernelError(f"activation_outliers: channels is {channels}, but must be less than inputs, {inputs}, so that some are ordinary")
    random = torch.Generator().manual_seed(seed)
    x = torch.randn(tokens, inputs, generator=random, dtype=torch.float64)
    weights = torch.randn(inputs, outputs, generator=random, dtype=torch.float64)
    large = torch.randperm(inputs, generator=random)[:channels]
    small = torch.ones(inputs, dtype=torch.bool)
    small[large] = False
    x[:, large] *= outlier

    exact = x @ weights
    w = by_column(weights, bits)
    factors = x.abs().amax(0) ** alpha / weights.abs().amax(1) ** (1 - alpha)
    smooth_x, token_x = nearest(x / factors, bits, inputs) * factors, nearest(x, bits, inputs)
    split_x = x.clone()
    split_x[:, small] = nearest(x[:, small], bits, inputs - channels)
    rounded = {"tensor": nearest(x, bits, x.numel()), "token": token_x, "smooth": smooth_x, "split": split_x}
    products = {
        "weights_only": x @ w,
        "tensor": rounded["tensor"] @ w,
        "token": rounded["token"] @ w,
        "channel": by_column(x, bits) @ w,
        "smooth": smooth_x @ (by_column(weights * factors[:, None], bits) / factors[:, None]),
        "split": split_x[:, small] @ w[small] + x[:, large] @ weights[large],
    }
    return {
        **{name: ((product - exact).norm() / exact.norm()).item() for name, product in products.items()},
        **{f"sqnr_{name}": decibels(x[:, small], q[:, small]) for name, q in rounded.items()},
        "sqnr_weights": decibels(weights, w),
        "zeroed_token": (token_x[:, small] == 0).double().mean().item(),
    }


@activation_outliers.invariant
def the_finer_the_scale_the_smaller_the_error(result):
    """One scale for all errs more than one for each token, and that one more than the split or leaving activations alone, but for chance among
    the rounding errors; where few channels stand far out, bits are many and alpha is in the middle, more than smoothing too, without exception."""
    given = result.parameters
    chance = 1 + 5 / math.sqrt(min(given["tokens"], given["outputs"], given["inputs"]))
    usual = given["inputs"] >= 1024 and given["tokens"] >= 32 and given["outlier"] >= 20 and given["bits"] == 8 and 0.4 <= given["alpha"] <= 0.6
    token = result["token"] * (1 if usual else chance)
    below = max(result[name] for name in ("split", "weights_only", *["smooth"] * usual))
    return result["tensor"] * (1 if usual else chance) > result["token"] and token > below


def by_column(matrix, bits: int):
    return nearest(matrix.T.contiguous(), bits, matrix.shape[0]).T


@activation_outliers.figure
def draw(result, ax):
    from kernels import plot

    values = {
        "one scale for all": result["tensor"],
        "a scale for each token": result["token"],
        "SmoothQuant": result["smooth"],
        "outlier channels in 16 bits": result["split"],
        "only the weights rounded": result["weights_only"],
    }
    toy = {name: float(f"{value:.2g}") for name, value in values.items()}  # more digits are this toy's own
    plot.bars(ax, toy, unit="percent", highlight="a scale for each token")
