"""Attention with its scores written out against FlashAttention: time and peak memory as the sequence grows.

    naive: S = q k^T / sqrt(d), P = softmax(S), P v, each n x n matrix in memory.  flash: the same sums, tile by tile

Dao et al. 2022, arXiv 2205.14135; flash is torch's scaled_dot_product_attention with that backend alone. Both do 4 n^2 d FLOP a
head, half of them causal; naive computes the masked half too. What they differ in is memory, and time by the traffic to it.
"""

import functools
import gc
from typing import Annotated, Any, Literal

from kernels import Bound, Series, kernel, precision, timing
from kernels.library.machines.roofline_measure import LIMITS, attention, plain_attention
from kernels.library.transformers.attention_memory import BYTES, extra, inputs, longest

SHORTEST = 2048  # tokens where the sweep begins
STEP = 512  # tokens to which the longest naive attention is found
COMPARED = 1024  # tokens over which both are held against float64


def memory(tokens: int, heads: int, head_dim: int, dtype: str, longest_tokens: int) -> int:
    """Bytes of the naive attention over `tokens`, of flash over the longest sequence, or of the comparison with float64."""
    size = BYTES[dtype]
    ways = (inputs(n, heads, head_dim, size) + extra(n, heads, head_dim, size)[way] for way, n in (("naive", tokens), ("flash", longest_tokens)))
    return max(*ways, 40 * heads * COMPARED**2)


@kernel(
    kind="measurement",
    outputs={
        "naive_time": "s",
        "flash_time": "s",
        "speedup": "",
        "naive_memory": "B",
        "flash_memory": "B",
        "memory_ratio": "",
        "naive_predicted": "B",
        "flash_predicted": "B",
        "naive_longest": "token",
        "longest_predicted": "token",
        "free": "B",
        "flash_longest_time": "s",
        "flash_doubling": "",
        "flash_rate": "FLOP/s",
        "ceiling": "FLOP/s",
        "flash_of_ceiling": "",
        "naive_error": "",
        "flash_error": "",
        "times": Series("tokens", "s", "token"),
        "memory": Series("tokens", "B", "token"),
    },
    timeout=240,
    memory=memory,
    formats=lambda dtype: (dtype,),
    capability=8.0,  # FlashAttention
    rehearsal={"tokens": 128, "heads": 2, "head_dim": 16, "longest_tokens": 128, "SHORTEST": 64, "STEP": 16, "COMPARED": 32},
    headline="flash_rate",
    share="flash_of_ceiling",
    seconds=60,
)
def attention_memory_time(
    tokens: Annotated[int, Bound("token", low=16, high=8192)] = 4096,
    heads: Annotated[int, Bound(low=1, high=128)] = 32,
    head_dim: Annotated[int, Bound(low=16, high=256)] = 128,
    dtype: Literal["bf16", "fp16"] = "bf16",
    longest_tokens: Annotated[int, Bound("token", low=32, high=131072)] = 131072,
):
    """Time and peak memory of one layer's causal attention over one sequence, naive and FlashAttention, and where naive stops fitting.

    memory: beyond the inputs, by the allocator's peak; predicted: attention_memory's formula. naive_longest: the most tokens, to
    512, at which naive still ran in `free` bytes (longest_tokens if it always did). speedup: in turns. flash_doubling: the time of
    longest_tokens over that of half as many. flash_rate: causal FLOP over the time at longest_tokens, in turns with the fastest matrix product.
    """
    error = {way: checked(way, heads, head_dim, dtype) for way in WAYS}
    free = available()
    lengths = sorted({*(SHORTEST * 2**p for p in range(8) if SHORTEST * 2**p <= longest_tokens), tokens, longest_tokens // 2, longest_tokens})
    measured = {way: [attempt(way, n, heads, head_dim, dtype) for n in lengths] for way in WAYS}
    last = naive_longest([n for n, found in zip(lengths, measured["naive"]) if found], lengths, heads, head_dim, dtype)
    here = lengths.index(tokens)
    naive_memory, flash_memory = (measured[way][here][1] for way in WAYS)
    half = measured["flash"][lengths.index(longest_tokens // 2)][0]
    available()
    q, k, v = queries(tokens, heads, head_dim, dtype)
    ways: dict[str, Any] = {way: functools.partial(function, q, k, v) for way, function in WAYS.items()}
    both = timing.in_turns(**ways)
    del ways
    ceiling = timing.multiplying(dtype)
    q, k, v = queries(longest_tokens, heads, head_dim, dtype)
    turns = timing.in_turns(flash=functools.partial(flash, q, k, v), ceiling=ceiling.function)
    flops = 2 * longest_tokens**2 * heads * head_dim
    size = BYTES[dtype]
    predicted = extra(tokens, heads, head_dim, size)
    return {
        "naive_time": both["naive"],
        "flash_time": both["flash"],
        "speedup": both.ratio("naive", "flash"),
        "naive_memory": naive_memory,
        "flash_memory": flash_memory,
        "memory_ratio": naive_memory / flash_memory,
        "naive_predicted": predicted["naive"],
        "flash_predicted": predicted["flash"],
        "naive_longest": last,
        "longest_predicted": longest(free, heads, head_dim, size),
        "free": free,
        "flash_longest_time": turns["flash"],
        "flash_doubling": turns["flash"] / float(half),
        "flash_rate": flops / turns["flash"],
        "ceiling": ceiling.work / turns["ceiling"],
        "flash_of_ceiling": turns.ratio("ceiling", "flash") * (flops / ceiling.work),
        **{f"{way}_error": error[way] for way in WAYS},
        "times": {"tokens": lengths, **{way: [found and found[0] for found in measured[way]] for way in WAYS}},
        "memory": {"tokens": lengths, **{way: [found and found[1] for found in measured[way]] for way in WAYS}},
    }


def naive(q, k, v):
    """Causal attention over [1, heads, tokens, head], scores and probabilities written out; masked in place, so that no third matrix lives."""
    import torch

    scores = (q * q.shape[-1] ** -0.5) @ k.transpose(-2, -1)
    hidden = torch.ones(scores.shape[-2:], dtype=torch.bool, device=q.device).triu_(1)
    return torch.softmax(scores.masked_fill_(hidden, -torch.inf), -1) @ v


def flash(q, k, v):
    return attention(q, k, v, causal=True)


WAYS = {"naive": naive, "flash": flash}


def queries(tokens: int, heads: int, head_dim: int, dtype: str):
    """Random queries, keys and values [1, heads, tokens, head_dim]."""
    import torch

    return tuple(torch.randn(1, heads, tokens, head_dim, dtype=precision.torch_dtype(dtype), device=timing.device()) for _ in range(3))


def checked(way: str, heads: int, head_dim: int, dtype: str) -> float:
    """The error of `way` against float64, at a length that both can hold."""
    q, k, v = queries(COMPARED, heads, head_dim, dtype)
    return precision.error_against(plain_attention(q, k, v, causal=True), WAYS[way](q, k, v), LIMITS[dtype])


def attempt(way: str, tokens: int, heads: int, head_dim: int, dtype: str, timed: bool = True):
    """(seconds, peak bytes) of one way at one length, seconds None unless `timed`; None where the memory does not suffice."""
    import torch

    available()
    try:
        q, k, v = queries(tokens, heads, head_dim, dtype)
        call = functools.partial(WAYS[way], q, k, v)
        peak = timing.peak_memory(call).bytes
        return timing.measure(call) if timed else None, peak
    except torch.OutOfMemoryError:
        return None


def available() -> int:
    """Bytes that a fresh allocation can have: the free ones and what the allocator holds unused."""
    gc.collect()
    timing.release()
    return timing.free_memory()


def naive_longest(fitting: list[int], lengths: list[int], heads: int, head_dim: int, dtype: str) -> int:
    """The most tokens, to STEP, that naive attention ran with: bisected between the last length that fitted and the first that did not."""
    low = max(fitting)
    beyond = [n for n in lengths if n > low]
    if not beyond:
        return low
    high = beyond[0]
    while high - low > STEP:
        middle = (low + high) // 2 // STEP * STEP
        if middle <= low:
            break
        low, high = (middle, high) if attempt("naive", middle, heads, head_dim, dtype, timed=False) else (low, middle)
    return low


@attention_memory_time.predicted
def predict(result):
    from kernels.library.machines._devices import DEVICES

    device = DEVICES.get(result.made["device_class"])
    return device and device.peak.get(result.parameters["dtype"])


@attention_memory_time.figure
def draw(result, ax):
    from kernels import plot

    curve, last = result["memory"], int(result["naive_longest"])
    labels = {"naive": "written out", "flash": "FlashAttention"}
    plot.lines(ax, curve, xlog=True, ylog=True, labels=labels, x_label="tokens", y_label="memory", highlight="flash")
    plot.hline(ax, result["free"], f"{plot.show(result['free'], 'B')} free", plot.RED)
    if last < curve.x[-1]:
        plot.mark(ax, last, result["free"], f"ran up to {last:,} tokens", plot.INK, "above")
    ax.set_ylim(None, 30 * result["free"])
