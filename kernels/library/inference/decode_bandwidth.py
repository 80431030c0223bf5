"""One decode step of a Llama block against the batch: how near the weights' reading comes to the bandwidth, and when arithmetic takes over.

    bytes = weights + batch * context * 2 kv_heads head_dim * 2      FLOP = 2 * weights' parameters * batch

Pope et al. 2022, arXiv 2211.05102, section 2; the block after Touvron et al. 2023, arXiv 2302.13971, with grouped queries (arXiv
2305.13245) and without rotary embedding. A step is replayed from a CUDA graph, as servers do, so that launches do not count.
"""

import functools
from typing import Annotated, Any, Literal

from kernels import Bound, Series, kernel, precision, timing
from kernels.library.machines.roofline_measure import LIMITS, attention, plain_softmax
from kernels.library.models._models import SHAPES, Shape, llama

MODELS = ("llama-2-7b", "llama-3-8b", "llama-3-70b", "mistral-7b")
BATCHES = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048)
STEPS = (1, 4, 16, 64, 256)  # batches of the whole step, whose cache grows with the batch
EPSILON = 1e-5


@kernel(
    kind="measurement",
    outputs={
        "step_time": "s",
        "step_bandwidth": "B/s",
        "step_of_ceiling": "",
        "moved": "B",
        "floor": "s",
        "matrices_time": "s",
        "matrices_bandwidth": "B/s",
        "matrices_of_ceiling": "",
        "rate": "FLOP/s",
        "rate_of_ceiling": "",
        "ceiling": "B/s",
        "rate_ceiling": "FLOP/s",
        "ridge_batch": "",
        "knee_batch": "",
        "flat_batch": "",
        "token_time": "s",
        "tokens_per_second": "token/s",
        "tokens_per_second_64": "token/s",
        "gain_64": "",
        "error": "",
        "matrices": Series("batch", "s"),
        "steps": Series("batch", "s"),
        "throughput": Series("batch", "token/s"),
    },
    timeout=240,
    memory=lambda model, context: needed(SHAPES[model], context),
    formats=lambda dtype: (dtype,),
    capability=8.0,  # the flash path's, in bf16 and fp16
    rehearsal={"context": 16, "BATCHES": (1, 64), "STEPS": (1, 64), "SHAPES": {name: llama(2, 128, 4, 2, 256, 100) for name in MODELS}},
    headline="step_time",
    share="step_of_ceiling",
    seconds=60,
)
def decode_bandwidth(
    model: Literal["llama-2-7b", "llama-3-8b", "llama-3-70b", "mistral-7b"] = "llama-3-8b",
    context: Annotated[int, Bound("token", low=16, high=8192)] = 1024,
    dtype: Literal["bf16", "fp16"] = "bf16",
):
    """Time of one decode step of one block by batch, against the measured bandwidth and matrix rate.

    step: the whole block with a cache of `context` tokens in each sequence, at batch 1; matrices: its matrix products alone, no cache.
    floor: moved bytes over the ceiling, that of reading. rate: the products' at batch 2048, whose ceiling is the fastest product. Ceilings are
    measured in turns with what they limit. ridge_batch: where both give the same time; knee_batch: where the time at batch 1 meets the
    slope at batch 2048; flat_batch: the largest batch whose products take at most a quarter longer than at batch 1. token_time,
    tokens_per_second: of all of the model's blocks, without its head, at batch 1 (_64: batch 64, all sequences). gain_64: their ratio.
    """
    device = timing.device()
    block = Block(model, dtype, device)
    cache = block.cached(2, 64)
    error = precision.error_against(block.reference(*cache), block.step(*cache), LIMITS[dtype])
    first, last = BATCHES[0], BATCHES[-1]
    reading, multiplying = timing.reading(), timing.multiplying(dtype)
    products: dict[str, Any] = {str(batch): functools.partial(block.products, block.inputs(batch)) for batch in BATCHES}
    one = functools.partial(block.step, *block.cached(first, context))
    turns = timing.in_turns(graph=True, **products, step=one, reading=reading.function, multiplying=multiplying.function)
    matrices = {batch: turns[str(batch)] for batch in BATCHES}
    steps = {batch: turns["step"] if batch == first else timed_step(block, batch, context) for batch in STEPS}
    moved, flops = block.weights() + first * block.cache_bytes(context), block.flops(last)
    ceiling, rate_ceiling = reading.work / turns["reading"], multiplying.work / turns["multiplying"]
    plain = {batch: matrices[batch].value for batch in BATCHES}
    throughput = {batch: batch / (block.layers * seconds) for batch, seconds in steps.items()}
    return {
        "step_time": steps[first],
        "step_bandwidth": moved / steps[first],
        "step_of_ceiling": moved / reading.work * turns.ratio("reading", "step"),
        "moved": moved,
        "floor": moved / float(ceiling),
        "matrices_time": matrices[first],
        "matrices_bandwidth": block.weights() / matrices[first],
        "matrices_of_ceiling": block.weights() / reading.work * turns.ratio("reading", str(first)),
        "rate": flops / matrices[last],
        "rate_of_ceiling": flops / multiplying.work * turns.ratio("multiplying", str(last)),
        "ceiling": ceiling,
        "rate_ceiling": rate_ceiling,
        "ridge_batch": float(rate_ceiling) / float(ceiling) * block.weights() / block.flops(1),
        "knee_batch": plain[first] / (plain[last] / last),
        "flat_batch": max(batch for batch in BATCHES if plain[batch] <= 1.25 * plain[first]),
        "token_time": block.layers * steps[first],
        "tokens_per_second": throughput[first],
        "tokens_per_second_64": throughput[64],
        "gain_64": throughput[64].value / throughput[first].value,
        "error": error,
        "matrices": {
            "batch": list(BATCHES),
            "measured": list(matrices.values()),
            "floor": [longer(block, b, ceiling, rate_ceiling) for b in BATCHES],
        },
        "steps": {"batch": list(STEPS), "step": list(steps.values()), "matrices": [matrices[batch] for batch in STEPS]},
        "throughput": {"batch": list(STEPS), "tokens": list(throughput.values())},
    }


@decode_bandwidth.predicted
def predict(result):
    """By decode_roofline, of one of the model's blocks: its weights and cache over the bandwidth."""
    from kernels.library.machines._devices import DEVICES
    from kernels.library.models.kv_cache import kv_cache

    row, shape = DEVICES.get(result.made["device_class"]), SHAPES[result.parameters["model"]]
    cache = result.parameters["context"] * kv_cache(model=result.parameters["model"], tokens=1)["per_token"]
    return (2 * shape.linear + cache) / shape.layers / row.bandwidth if row else None


def needed(shape: Shape, context: int) -> int:
    """Bytes: a block's weights in 16 bits and, to compare, in float64; later the largest batch's cache or activations beside them."""
    weights = shape.linear // shape.layers
    cache = 2 * 2 * max(STEPS) * context * shape.kv_heads * shape.head_dim
    rows = 2 * sum(BATCHES) * 2 * (2 * shape.d_model + shape.heads * shape.head_dim + 3 * shape.ffn)
    return 2 * weights + max(8 * weights, cache + rows)


def longer(block, batch: int, ceiling, rate_ceiling) -> float:
    """The longer of the weights' reading and their multiplication, by the measured ceilings."""
    return max(block.weights() / float(ceiling), block.flops(batch) / float(rate_ceiling))


def timed_step(block, batch: int, context: int):
    """Seconds of a whole step of `batch` sequences that have `context` tokens each; their cache goes when it is timed."""
    return timing.measure(functools.partial(block.step, *block.cached(batch, context)), graph=True)


class Block:
    """A Llama block at one new token for each sequence, random weights of true shape."""

    def __init__(self, model: str, dtype: str, device: str, shape=None) -> None:
        shape = shape or SHAPES[model]
        self.layers, self.width, self.kv_heads, self.head = shape.layers, shape.d_model, shape.kv_heads, shape.head_dim
        self.group = shape.heads // shape.kv_heads  # queries that share one key head
        self.dtype, self.device = precision.torch_dtype(dtype), device
        queries, keys = shape.heads * shape.head_dim, shape.kv_heads * shape.head_dim
        self.sizes = (queries, keys, keys)
        self.qkv, self.out = self.matrix(queries + 2 * keys, self.width), self.matrix(self.width, queries)
        self.up, self.down = self.matrix(2 * shape.ffn, self.width), self.matrix(self.width, shape.ffn)
        self.norms = (1 + 0.1 * self.random(self.width), 1 + 0.1 * self.random(self.width))

    def random(self, *shape: int):
        import torch

        return torch.randn(*shape, dtype=self.dtype, device=self.device)

    def matrix(self, outputs: int, inputs: int):
        """A linear layer's weight as torch keeps it, a row for each output."""
        return inputs**-0.5 * self.random(outputs, inputs)

    def weights(self) -> int:
        """Bytes of the four matrices, gate and up being one."""
        return sum(w.numel() * w.element_size() for w in (self.qkv, self.out, self.up, self.down))

    def flops(self, batch: int) -> int:
        """FLOP of the matrices for a batch, attention's own left out."""
        return 2 * batch * sum(w.numel() for w in (self.qkv, self.out, self.up, self.down))

    def cache_bytes(self, context: int) -> int:
        """Bytes of one sequence's keys and values in this block."""
        return 2 * context * self.kv_heads * self.head * self.dtype.itemsize

    def cached(self, batch: int, context: int):
        """x [batch, width], keys and values [batch, kv_heads, context, head]; the last position is the new token's."""
        return self.random(batch, self.width), *(self.random(batch, self.kv_heads, context, self.head) for _ in range(2))

    def inputs(self, batch: int):
        """What each of the four products multiplies."""
        return tuple(self.random(batch, w.shape[1]) for w in (self.qkv, self.out, self.up, self.down))

    def products(self, inputs):
        return [x @ w.T for x, w in zip(inputs, (self.qkv, self.out, self.up, self.down))]

    def step(self, x, keys, values):
        """The block's output [batch, width]; writes the new token's key and value into the cache's last position."""
        from torch.nn import functional

        q, k, v = (self.norm(x, 0) @ self.qkv.T).split(self.sizes, -1)
        keys[:, :, -1], values[:, :, -1] = (t.view(len(x), self.kv_heads, self.head) for t in (k, v))
        q = q.view(len(x), self.kv_heads, self.group, self.head)  # the group's queries as rows, so that one read of the keys serves them
        x = x + attention(q, keys, values, causal=False).reshape(len(x), -1) @ self.out.T
        gate, up = (self.norm(x, 1) @ self.up.T).chunk(2, -1)
        return x + (functional.silu(gate) * up) @ self.down.T

    def norm(self, x, which: int):
        from torch.nn import functional

        return functional.rms_norm(x, x.shape[-1:], self.norms[which], EPSILON)

    def reference(self, x, keys, values):
        """The same step in float64: every query head with a copy of its keys, softmax written out."""
        x, wide, (first, second) = x.double(), [w.double().T for w in (self.qkv, self.out, self.up, self.down)], [n.double() for n in self.norms]
        q, k, v = (plain_rms(x, first) @ wide[0]).split(self.sizes, -1)
        q = q.view(len(x), -1, 1, self.head)
        keys, values = (self.extended(old, new) for old, new in ((keys, k), (values, v)))
        attended = plain_softmax(q @ keys.transpose(-2, -1) / self.head**0.5) @ values
        x = x + attended.reshape(len(x), -1) @ wide[1]
        gate, up = (plain_rms(x, second) @ wide[2]).chunk(2, -1)
        return x + (gate * gate.sigmoid() * up) @ wide[3]

    def extended(self, cache, new):
        """The cache in float64 with the new token in its last position, each head repeated for its group."""
        cache = cache.double().clone()
        cache[:, :, -1] = new.view(len(cache), self.kv_heads, self.head)
        return cache.repeat_interleave(self.group, 1)


def plain_rms(x, weight):
    return x / (x.pow(2).mean(-1, keepdim=True) + EPSILON).sqrt() * weight


@decode_bandwidth.figure
def draw(result, ax):
    from kernels import plot

    curve = result["matrices"]
    labels, x_label = {"measured": "measured", "floor": "ceilings"}, "sequences decoded together"
    plot.lines(ax, curve, xlog=True, ylog=True, labels=labels, x_label=x_label, y_label="one block's products", highlight="measured")
    ax.set_ylim(min(p.value for p in curve.lines["floor"]) / 2, None)
    plot.mark(ax, result["ridge_batch"], curve.values("floor")[0], f"ridge: {plot.show(result['ridge_batch'], '')}", plot.INK, "below right")
