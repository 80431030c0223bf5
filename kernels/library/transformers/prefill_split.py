"""The FLOP of reading a prompt: the part that grows with its tokens, and the part that grows with their square.

    linear 2 n W, W the weights of the blocks' matrices      scores and weighted values, causal: A n (n + 1) / 2, A their FLOP for a pair, all layers
    half and half at n = 4 W / A - 1

(Kaplan et al. 2020, arXiv 2001.08361, section 2.1.) Logits are needed at the last token alone, so the head is left out, as are norms and softmax.
"""

import math
from typing import Annotated

from kernels import Bound, KernelError, Lower, Series, kernel
from kernels.library.machines._devices import DEVICES, Gpu
from kernels.library.models._models import SHAPES, Model
from kernels.library.models._passes import attended


@kernel(
    kind="formula",
    outputs={
        "weights": "",
        "linear": "FLOP",
        "attention": "FLOP",
        "total": "FLOP",
        "share": "",
        "crossover": "token",
        "half_tokens": "token",
        "half_share": "",
        "least_time": Lower("s"),
        "sweep": Series("tokens", "FLOP/token", "token"),
    },
)
def prefill_split(
    model: Model,
    tokens: Annotated[int, Bound("token", low=1, high=10**8)] = 131072,
    gpu: Gpu = "h100",
    gpus: Annotated[int, Bound(low=1, high=100_000)] = 1,
):
    """FLOP of a prompt's prefill by part, attention's share, and the length at which both are equal.

    half_tokens: the longest prompt with half the FLOP, half_share: over `tokens`. least_time: at the data sheet's rate in 16 bits. sweep: FLOP a
    token by length, mean over the prompt.
    """
    shape = SHAPES[model]
    if shape.experts > 1:
        raise KernelError(f"prefill_split: {model} routes tokens to experts (choose a dense model)")
    weights, pair = shape.linear, attended(shape)
    linear, attention = 2 * weights * tokens, pair * tokens * (tokens + 1) / 2
    a, b = pair / 2, 2 * weights + pair / 2
    half = (math.sqrt(b * b + 2 * a * (linear + attention)) - b) / (2 * a)
    lengths = [2**p for p in range(10, 19)]
    return {
        "weights": weights,
        "linear": linear,
        "attention": attention,
        "total": linear + attention,
        "share": attention / (linear + attention),
        "crossover": 4 * weights / pair - 1,
        "half_tokens": half,
        "half_share": half / tokens,
        "least_time": (linear + attention) / (gpus * DEVICES[gpu].half),
        "sweep": {"tokens": lengths, "matrices": [2.0 * weights] * len(lengths), "attention": [pair * (n + 1) / 2 for n in lengths]},
    }


@prefill_split.figure
def draw(result, ax):
    from kernels import plot

    labels = {"matrices": "matrices", "attention": "attention"}
    plot.lines(ax, result["sweep"], xlog=True, labels=labels, x_label="tokens of the prompt", y_label="per token", highlight="attention")
