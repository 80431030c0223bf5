"""Speculative decoding on this GPU: the draft's cost and the verification's, measured, and the speed-up that they allow.

A round drafts g tokens and checks them in one pass of g + 1 positions. Theory takes that pass for one decode step and the draft's
cost ratio c for what its size suggests; here both are measured, t(n) being the time of one pass over n positions:

    speedup = (1 - a^(g+1)) / (1 - a) / (g c + v)      c = draft t(1) / target t(1)      v = target t(g+1) / target t(1)

(Leviathan et al. 2023, arXiv 2211.17192, theorem 3.8, whose v is 1). Models are Llama-shaped, of true width and random values: some
blocks and the head are timed, and the blocks' time is multiplied to the model's depth. Sampling and bookkeeping are left out.
"""

from typing import TYPE_CHECKING, Annotated, Literal

from kernels import Bound, Series, kernel, precision, timing
from kernels.library.inference.speculative_speedup import expected, gain
from kernels.library.models._models import SHAPES, Shape, llama
from kernels.library.models.model_shape import model_shape

if TYPE_CHECKING:
    Model = str
else:
    Model = Literal[tuple(name for name, shape in SHAPES.items() if shape.gated and shape.experts == 1 and shape.biases == "none")]

LIMIT = 3e-2  # of the largest output: what rounding to bf16 does to two blocks
BLOCKS = 3  # blocks that are timed, each with weights of its own
POSITIONS = (1, 2, 4, 8, 16, 32, 64, 128, 256)
ACCEPTANCES = (0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95)


@kernel(
    kind="measurement",
    outputs={
        "target_step": "s",
        "draft_step": "s",
        "cost_ratio": "",
        "parameter_ratio": "",
        "cost_over_parameters": "",
        "draft_step_launched": "s",
        "cost_ratio_launched": "",
        "verify_step": "s",
        "verify_ratio": "",
        "expected_tokens": "",
        "speedup": "",
        "naive_speedup": "",
        "speedup_at_zero": "",
        "break_even": "",
        "target_bandwidth": "B/s",
        "target_of_reading": "",
        "draft_bandwidth": "B/s",
        "draft_of_reading": "",
        "read_bandwidth": "B/s",
        "error": "",
        "sweep": Series("acceptance", ""),
        "verify": Series("positions", ""),
    },
    memory=lambda target, draft, context: sum(needed(SHAPES[name], context) for name in (target, draft)),
    formats=("bf16",),
    rehearsal={
        "context": 16,
        "POSITIONS": (1, 4),
        "SHAPES": {name: llama(6, 64, 8, 2, 96, 128) if "70b" in name else llama(3, 32, 4, 4, 48, 128) for name in SHAPES},
    },
    headline="speedup",
    share="target_of_reading",
    seconds=60,
)
def speculative_measure(
    target: Model = "llama-3-70b",
    draft: Model = "llama-3.2-1b",
    draft_tokens: Annotated[int, Bound(low=1, high=64)] = 4,
    acceptance: Annotated[float, Bound(low=0.0, high=1.0)] = 0.8,
    context: Annotated[int, Bound("token", low=1, high=32768)] = 1024,
):
    """The draft's and the verification's time over a decode step's, batch 1 in bf16, and the speed-up at acceptance rates of 0.3 to 0.95.

    Steps are replayed from CUDA graphs, in turns with the ceiling of reading; *_launched: kernel by kernel from Python. naive_speedup: with
    the parameter ratio for the cost ratio and a free verification. speedup_at_zero: where every draft is rejected. bandwidth: a model's
    weights (embedding left out) and cache over its step. sweep: both speed-ups over acceptance; verify: the pass of n positions over a step.
    """
    device = timing.device()
    models = {name: Decoder(SHAPES[name], context, device) for name in (target, draft)}
    error = max(model.error() for model in models.values())
    positions = sorted({1, *POSITIONS, draft_tokens + 1})
    reading = timing.reading()
    passes = {f"target {n}": models[target].parts(n) for n in positions} | {"draft 1": models[draft].parts(1)}
    parts = {f"{name} {part}": function for name, both in passes.items() for part, function in both.items()}
    turns = timing.in_turns(graph=True, **parts, reading=reading.function)
    one = {f"{name} 1 {part}": parts[f"{name} 1 {part}"] for name in ("target", "draft") for part in ("blocks", "head")}
    launched = timing.in_turns(flush=False, hidden=False, **one)
    layers = {"target": models[target].repeats, "draft": models[draft].repeats}

    def seconds(name: str, turns=turns):
        """Of a pass of the whole model: the blocks' time to its depth, and the head's."""
        return added(turns[f"{name} blocks"], turns[f"{name} head"], layers[name.split()[0]])

    def over_reading(name: str):
        """The same in times of the ceiling's function, by rounds."""
        return added(turns.ratio(f"{name} blocks", "reading"), turns.ratio(f"{name} head", "reading"), layers[name.split()[0]])

    units = {name: over_reading(name) for name in passes}
    moved = {"target": models[target].bytes(), "draft": models[draft].bytes()}
    step, draft_step = units["target 1"].value, units["draft 1"].value
    cost, verify = draft_step / step, units[f"target {draft_tokens + 1}"].value / step
    ratio = model_shape(model=draft)["parameters"] / model_shape(model=target)["parameters"]
    return {
        "target_step": seconds("target 1"),
        "draft_step": seconds("draft 1"),
        "cost_ratio": cost,
        "parameter_ratio": ratio,
        "cost_over_parameters": cost / ratio,
        "draft_step_launched": seconds("draft 1", launched),
        "cost_ratio_launched": seconds("draft 1", launched).value / seconds("target 1", launched).value,
        "verify_step": seconds(f"target {draft_tokens + 1}"),
        "verify_ratio": verify,
        "expected_tokens": expected(acceptance, draft_tokens),
        "speedup": measured_gain(acceptance, draft_tokens, cost, verify),
        "naive_speedup": gain(acceptance, draft_tokens, ratio),
        "speedup_at_zero": measured_gain(0.0, draft_tokens, cost, verify),
        "break_even": break_even(draft_tokens, cost, verify),
        **{f"{name}_bandwidth": moved[name] / seconds(f"{name} 1") for name in moved},
        **{f"{name}_of_reading": moved[name] / reading.work / units[f"{name} 1"] for name in moved},
        "read_bandwidth": reading.work / turns["reading"],
        "error": error,
        "sweep": {
            "acceptance": ACCEPTANCES,
            "measured": [measured_gain(a, draft_tokens, cost, verify) for a in ACCEPTANCES],
            "by size": [gain(a, draft_tokens, ratio) for a in ACCEPTANCES],
        },
        "verify": {"positions": positions, "verify": [units[f"target {n}"].value / step for n in positions]},
    }


@speculative_measure.predicted
def predict(result):
    """By speculative_roofline."""
    from kernels.library.inference.speculative_roofline import speculative_roofline
    from kernels.library.machines._devices import DEVICES

    gpu = result.made["device_class"]
    return speculative_roofline(**result.parameters, gpu=gpu)["speedup"] if gpu in DEVICES else None


def needed(shape: Shape, context: int) -> int:
    """Bytes: the timed blocks, head and cache in bf16, and one block with its cache in float64."""
    cache = 2 * context * shape.kv_heads * shape.head_dim
    block, head = shape.linear // shape.layers, shape.d_model * shape.vocab
    return 2 * (BLOCKS * (block + cache) + head) + 8 * (block + 2 * cache)


def added(blocks, head, repeats: float):
    """A pass of the whole model, from the timed blocks and the head."""
    return timing.Spread(*(repeats * getattr(blocks, part) + getattr(head, part) for part in ("value", "low", "high")))


def measured_gain(acceptance: float, draft_tokens: int, cost: float, verify: float) -> float:
    """Tokens per round over the round's time in steps of the target."""
    return expected(acceptance, draft_tokens) / (draft_tokens * cost + verify)


def break_even(draft_tokens: int, cost: float, verify: float) -> float:
    """The acceptance at which the speed-up is 1, by bisection; 1 where there is none."""
    low, high = 0.0, 1.0
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if measured_gain(middle, draft_tokens, cost, verify) < 1 else (low, middle)
    return high


class Decoder:
    """Some blocks and the head of a Llama-shaped model at batch 1, with a cache of random keys and values."""

    def __init__(self, shape: Shape, context: int, device: str, dtype: str = "bf16", blocks: int = BLOCKS) -> None:
        import torch

        self.shape, self.context, self.device, self.dtype = shape, context, device, precision.torch_dtype(dtype)

        def random(*size: int, scale: float = 1.0):
            return torch.randn(*size, device=device, dtype=self.dtype).mul_(scale)

        d, q, kv = shape.d_model, shape.heads * shape.head_dim, shape.kv_heads * shape.head_dim
        sizes = {"qkv": (d, q + 2 * kv), "out": (q, d), "up": (d, 2 * shape.ffn), "down": (shape.ffn, d)}
        self.blocks = [{name: random(*size, scale=size[0] ** -0.5) for name, size in sizes.items()} for _ in range(blocks)]
        self.head = random(d, shape.vocab, scale=d**-0.5)
        self.cache = [tuple(random(1, shape.kv_heads, context, shape.head_dim) for _ in range(2)) for _ in range(blocks)]

    def passed(self, x, cache=None):
        """The blocks on new positions x [positions, d_model] that see the cache and one another causally: outputs, and the longer cache."""
        import torch

        cache, grown = (self.cache if cache is None else cache), []
        for weights, past in zip(self.blocks, cache):
            attended, keys, values = self.attention(norm(x) @ weights["qkv"], *past)
            x = x + attended @ weights["out"]
            gate, up = (norm(x) @ weights["up"]).chunk(2, -1)
            x = x + (torch.nn.functional.silu(gate) * up) @ weights["down"]
            grown.append((keys, values))
        return x, grown

    def attention(self, qkv, keys, values):
        import torch

        shape, n = self.shape, len(qkv)
        q, k, v = qkv.split([shape.heads * shape.head_dim] + 2 * [shape.kv_heads * shape.head_dim], -1)
        q, k, v = (t.view(1, n, -1, shape.head_dim).transpose(1, 2) for t in (q, k, v))
        keys, values = torch.cat((keys, k), 2), torch.cat((values, v), 2)
        total = keys.shape[2]
        q = q.reshape(1, shape.kv_heads, -1, shape.head_dim)  # the query heads of a group stand under one another, as further rows
        scores = q @ keys.transpose(-1, -2) * shape.head_dim**-0.5
        if n > 1:
            late = torch.ones(n, total, dtype=torch.bool, device=scores.device).triu(total - n + 1)
            scores = scores.masked_fill(late.repeat(shape.heads // shape.kv_heads, 1), float("-inf"))
        mixed = scores.softmax(-1, dtype=torch.promote_types(scores.dtype, torch.float32)).to(values.dtype) @ values
        return mixed.view(1, shape.heads, n, shape.head_dim).transpose(1, 2).reshape(n, -1), keys, values

    @property
    def repeats(self) -> float:
        """How many times the timed blocks make the model's."""
        return self.shape.layers / len(self.blocks)

    def parts(self, positions: int) -> dict:
        """A pass over so many new positions through the timed blocks, and the head on as many."""
        import torch

        x = torch.randn(positions, self.shape.d_model, device=self.device, dtype=self.dtype)
        return {"blocks": lambda: self.passed(x), "head": lambda: norm(x) @ self.head}

    def bytes(self) -> int:
        """What one step reads: the weights of all blocks and the head, and the cache."""
        shape = self.shape
        block = sum(t.numel() for t in self.blocks[0].values()) + 2 * self.context * shape.kv_heads * shape.head_dim
        return (shape.layers * block + self.head.numel()) * self.dtype.itemsize

    def error(self) -> float:
        """Of one block on five new positions at once, against float64 that takes them one after the other."""
        import torch

        x = torch.randn(5, self.shape.d_model, device=self.device, dtype=self.dtype)
        one = Decoder.__new__(Decoder)
        one.shape, one.context, one.device, one.dtype = self.shape, self.context, self.device, torch.float64
        one.blocks = [{name: t.double() for name, t in self.blocks[0].items()}]
        cache, outs = [tuple(t.double() for t in self.cache[0])], []
        for row in x.double().split(1):
            out, cache = one.passed(row, cache)
            outs.append(out)
        single = Decoder.__new__(Decoder)
        vars(single).update({**vars(self), "blocks": self.blocks[:1], "cache": self.cache[:1]})
        return precision.error_against(torch.cat(outs), single.passed(x)[0], LIMIT)


def norm(x):
    """RMSNorm with unit weights, in one kernel."""
    from torch.nn import functional

    return functional.rms_norm(x, x.shape[-1:])


@speculative_measure.figure
def draw(result, ax):
    from kernels import plot

    plot.height(ax, 220)
    names = {"measured": "measured", "by size": "by size"}
    plot.lines(ax, result["sweep"], labels=names, x_label="acceptance rate", y_label="speed-up", highlight="measured", zero=False)
    plot.hline(ax, 1.0, "plain decoding")
