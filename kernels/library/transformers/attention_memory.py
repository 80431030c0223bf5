"""What attention's forward pass adds to memory: scores and probabilities written out, or FlashAttention's one number a row.

    naive  2 h n^2 numbers (scores and their softmax, both alive) + n^2 bytes (the mask)      flash  h n numbers in fp32 (log-sum-exp)

Dao et al. 2022, arXiv 2205.14135, theorem 1 and section 3.1: beyond inputs and output, O(n) instead of O(n^2); the output
counts for both. Traffic after the same paper: naive writes the scores, reads and writes them for the softmax and reads the probabilities.
"""

from typing import Annotated, Literal

from kernels import Bound, Series, kernel
from kernels.library.machines._devices import DEVICES

BYTES = {"fp32": 4, "fp16": 2, "bf16": 2}


@kernel(
    kind="formula",
    outputs={
        "naive": "B",
        "flash": "B",
        "ratio": "",
        "inputs": "B",
        "longest": "token",
        "flops": "FLOP",
        "traffic_naive": "B",
        "sweep": Series("tokens", "B", "token"),
    },
)
def attention_memory(
    tokens: Annotated[int, Bound("token", low=1)],
    heads: Annotated[int, Bound(low=1)] = 32,
    head_dim: Annotated[int, Bound(low=1)] = 128,
    dtype: Literal["bf16", "fp16", "fp32"] = "bf16",
    memory: Annotated[float, Bound("B", low=0.0)] = DEVICES["h100"].memory,
):
    """Bytes that one layer's attention over one sequence takes beyond its inputs, written out (naive) and tiled (flash).

    longest: the most tokens for which inputs and naive attention together fit `memory`. flops: of the forward pass without a mask, the same for both.
    traffic_naive: bytes that the naive way moves for scores and probabilities alone.
    """
    size = BYTES[dtype]
    lengths = [2**p for p in range(10, 18)]
    found = {way: [extra(n, heads, head_dim, size)[way] for n in lengths] for way in ("naive", "flash")}
    here = extra(tokens, heads, head_dim, size)
    return {
        **here,
        "ratio": here["naive"] / here["flash"],
        "inputs": inputs(tokens, heads, head_dim, size),
        "longest": longest(memory, heads, head_dim, size),
        "flops": 4 * tokens**2 * heads * head_dim,
        "traffic_naive": 4 * heads * tokens**2 * size,
        "sweep": {"tokens": lengths, **found},
    }


def inputs(tokens: int, heads: int, head_dim: int, size: int) -> int:
    """Queries, keys and values."""
    return 3 * tokens * heads * head_dim * size


def extra(tokens: int, heads: int, head_dim: int, size: int) -> dict[str, int]:
    """Bytes beyond the inputs at the peak; the output counts for both."""
    output = tokens * heads * head_dim * size
    return {"naive": (2 * heads * size + 1) * tokens**2 + output, "flash": 4 * heads * tokens + output}


def longest(memory: float, heads: int, head_dim: int, size: int) -> int:
    """The largest n whose inputs and naive attention fit: the root of a n^2 + 2 b n = memory, checked on either side."""
    a, b = 2 * heads * size + 1, 2 * heads * head_dim * size
    n = int(((memory * a + b * b) ** 0.5 - b) / a)
    return next(k for k in (n + 1, n, n - 1, 0) if a * k * k + 2 * b * k <= memory)


@attention_memory.figure
def draw(result, ax):
    from kernels import plot

    memory = result.parameters["memory"]
    labels = {"naive": "scores\nwritten out", "flash": "FlashAttention"}
    plot.lines(ax, result["sweep"], xlog=True, ylog=True, labels=labels, x_label="tokens", y_label="memory", highlight="flash")
    plot.hline(ax, memory, plot.show(memory, "B"), plot.RED)
    plot.mark(ax, result["longest"], memory, f"{plot.show(result['longest'], '')} tokens", plot.INK, "left above")
