"""A mixture-of-experts layer on a GPU: experts looped or grouped, and what a capacity limit does to one prompt's answer.

    y = sum over the k chosen experts e of  g_e W_down,e ( silu(W_gate,e x) * W_up,e x )         (Shazeer et al. 2017, arXiv 1701.06538)

Looped, each expert gathers its tokens and runs alone. Grouped, the choices are sorted by expert into buckets of equal size and all
experts run in one batched product. Buckets of capacity C = ceil(f k T / E) have fixed shapes, and drop what overflows, first come,
first served in the order of the batch (Fedus et al. 2021, arXiv 2101.03961); buckets as large as the fullest expert drop nothing.
The shape is OLMoE's (Muennighoff et al. 2024, arXiv 2409.02060): 64 experts, 8 chosen, width 2048, inner width 1024.
"""

import functools
from typing import Annotated, Any, Literal

from kernels import Bound, KernelError, Series, kernel, precision, timing
from kernels.library.inference.moe_capacity import capacity

LIMITS = {"bf16": 2e-2, "fp16": 3e-3, "fp32": 1e-5}  # about twice what rounding the intermediates does
PROMPT, COMPANIES = 64, 20  # tokens of the prompt that is watched, batches that it is put into
TOKENS = (16, 64, 256, 1024, 4096)


@kernel(
    kind="measurement",
    outputs={
        **{f"{way}": "s" for way in ("looped", "grouped", "capped")},
        **{f"{way}_error": "" for way in ("looped", "grouped")},
        "loop_over_grouped": "",
        "dropped": "",
        "fullest_over_average": "",
        "padding": "",
        "prompt_dropped": "",
        "batches_changed": "",
        "tokens_changed": "",
        "capped_moved": "",
        "dropless_moved": "",
        "grouped_rate": "FLOP/s",
        "grouped_of_matmul": "",
        "matmul_rate": "FLOP/s",
        "sweep": Series("tokens", "s", "token"),
    },
    memory=lambda tokens, experts, top_k, d_model, ffn, dtype: needed(tokens, experts, top_k, d_model, ffn, dtype),
    formats=lambda dtype: (dtype,),
    rehearsal={"tokens": 128, "experts": 8, "top_k": 2, "d_model": 32, "ffn": 16, "TOKENS": (16, 64), "COMPANIES": 4},
    headline="loop_over_grouped",
    share="grouped_of_matmul",
    seconds=40,
)
def moe_dispatch(
    tokens: Annotated[int, Bound("token", low=2 * PROMPT, high=16384)] = 4096,
    experts: Annotated[int, Bound(low=2, high=256)] = 64,
    top_k: Annotated[int, Bound(low=1, high=16)] = 8,
    factor: Annotated[float, Bound(low=0.5, high=8.0)] = 1.25,
    d_model: Annotated[int, Bound(low=16, high=8192)] = 2048,
    ffn: Annotated[int, Bound(low=16, high=8192)] = 1024,
    dtype: Literal["bf16", "fp16", "fp32"] = "bf16",
):
    """Time of one MoE layer with experts looped, grouped without drops and grouped at a capacity; drops, and answers that change with the company.

    capped: grouped at capacity factor `factor`. dropped: share of choices; padding: empty share of the dropless buckets. A prompt of
    64 tokens stands last in 20 batches of other tokens: batches_changed is the share of the batches after the first in which other choices of the
    prompt are dropped than in the first, tokens_changed the mean share of its tokens that this meets, prompt_dropped its dropped share; moved is
    the largest change of its output between batches, over its largest element, with the cap and without drops. grouped_rate counts useful FLOP.
    Times are the slower of the GPU's and of the host's, which waits for the GPU once for every expert of the loop.
    """
    import torch

    if top_k > experts:
        raise KernelError(f"moe_dispatch: top_k is {top_k}, but must be at most the number of experts, {experts}")
    device = timing.device()
    torch.manual_seed(0)
    layer = Layer(experts, top_k, d_model, ffn, dtype, device)
    x = layer.tokens(tokens)
    errors = layer.errors(x[: min(256, tokens)], LIMITS[dtype])
    chosen, _ = layer.route(x)
    fullest, limit = load(chosen, experts), capacity(tokens, experts, top_k, factor)
    matmul = timing.multiplying(dtype)
    times = layer.times(x, {"grouped": fullest, "capped": limit}, matmul=matmul.function)
    flops = 2 * 3 * tokens * top_k * d_model * ffn
    swept = {n: layer.times(x[:n], {"grouped": load(chosen[:n], experts)}) for n in sorted({t for t in TOKENS if t < tokens})}
    swept[tokens] = times
    return {
        **{way: times[way] for way in ("looped", "grouped", "capped")},
        **{f"{way}_error": error for way, error in errors.items()},
        "loop_over_grouped": times.ratio("looped", "grouped"),
        "dropped": (places(chosen, experts) >= limit).double().mean(),
        "fullest_over_average": fullest * experts / (tokens * top_k),
        "padding": 1 - tokens * top_k / (experts * fullest),
        **layer.company(x[:PROMPT], tokens, factor),
        "grouped_rate": flops / times["grouped"],
        "grouped_of_matmul": flops / matmul.work * times.ratio("matmul", "grouped"),
        "matmul_rate": matmul.work / times["matmul"],
        "sweep": {"tokens": list(swept), **{way: [t[way] for t in swept.values()] for way in ("looped", "grouped")}},
    }


@moe_dispatch.predicted
def predict(result):
    """By expert_loop's roofline, in 16 bits, with eight launches of five microseconds an expert."""
    from kernels.library.inference.expert_loop import expert_loop
    from kernels.library.machines._devices import DEVICES

    sizes = {name: result.parameters[name] for name in ("tokens", "experts", "top_k", "d_model", "ffn")}
    gpu = result.made["device_class"]
    return expert_loop(**sizes, gpu=gpu)["loop_over_grouped"] if gpu in DEVICES and result.parameters["dtype"] != "fp32" else None


def needed(tokens: int, experts: int, top_k: int, d_model: int, ffn: int, dtype: str) -> int:
    """Bytes: weights, and beside them either their float64 or the buckets, which are as full as the fullest expert, twice the average."""
    size, weights = precision.torch_dtype(dtype).itemsize, 3 * experts * d_model * ffn
    return size * weights + max(8 * weights, size * 2 * tokens * top_k * (2 * d_model + 4 * ffn) + 8 * tokens * top_k * d_model)


def places(chosen, experts: int):
    """The place of every choice [tokens, k] in its expert's queue, the queue being in the order of the batch."""
    import torch

    flat = chosen.flatten()
    order = flat.argsort(stable=True)
    starts = torch.zeros(experts, dtype=torch.long, device=flat.device)
    starts[1:] = torch.zeros_like(starts).scatter_add_(0, flat, torch.ones_like(flat)).cumsum(0)[:-1]
    found = torch.empty_like(flat)
    found[order] = torch.arange(len(flat), device=flat.device) - starts[flat[order]]
    return found.view_as(chosen)


def load(chosen, experts: int) -> int:
    """How many choices the fullest expert got."""
    return int(chosen.flatten().bincount(minlength=experts).max())


class Layer:
    """Router and experts of random values; the router prefers some experts a little, as trained ones do."""

    def __init__(self, experts: int, top_k: int, d_model: int, ffn: int, dtype: str, device: str) -> None:
        import torch

        self.experts, self.top_k, self.d_model, self.device = experts, top_k, d_model, device
        self.dtype = precision.torch_dtype(dtype)
        self.router = torch.randn(d_model, experts, device=device) * d_model**-0.5
        self.preference = 0.25 * torch.randn(experts, device=device)
        self.up = (torch.randn(experts, d_model, 2 * ffn, device=device) * d_model**-0.5).to(self.dtype)  # gate and up side by side
        self.down = (torch.randn(experts, ffn, d_model, device=device) * ffn**-0.5).to(self.dtype)

    def tokens(self, n: int):
        import torch

        return torch.randn(n, self.d_model, device=self.device).to(self.dtype)

    def route(self, x):
        """The chosen experts [tokens, k] and their weights, computed in fp32."""
        weights, chosen = (x.float() @ self.router + self.preference).softmax(-1).topk(self.top_k, -1)
        return chosen, weights / weights.sum(-1, keepdim=True)

    def expert(self, x, up, down):
        from torch.nn import functional

        gate, value = (x @ up).chunk(2, -1)
        return (functional.silu(gate) * value) @ down

    def looped(self, x, chosen, weights):
        """One expert after the other: find its tokens, run it, add what it gives."""
        import torch

        out = torch.zeros_like(x)
        for e in range(self.experts):
            token, slot = (chosen == e).nonzero(as_tuple=True)
            out.index_add_(0, token, self.expert(x[token], self.up[e], self.down[e]) * weights[token, slot, None].to(x.dtype))
        return out

    def grouped(self, x, chosen, weights, limit: int):
        """All experts in one batched product over buckets of `limit` tokens; what comes later than that is dropped."""
        import torch

        place = places(chosen, self.experts)
        kept = place < limit
        slot = torch.where(kept, chosen * limit + place, self.experts * limit)  # the last row is a bin for what is dropped
        buckets = x.new_zeros(self.experts * limit + 1, self.d_model)
        buckets[slot.flatten()] = x.repeat_interleave(self.top_k, 0, output_size=len(x) * self.top_k)
        done = self.expert(buckets[:-1].view(self.experts, limit, -1), self.up, self.down).view(-1, self.d_model)
        back = done[slot.clamp(max=len(done) - 1)] * (weights * kept)[..., None].to(x.dtype)
        return back.sum(1)

    def errors(self, x, limit: float) -> dict[str, float]:
        """Of both ways on a few tokens, against the loop in float64 with the same routing."""
        chosen, weights = self.route(x)
        wide = Layer.__new__(Layer)
        wide.experts, wide.top_k, wide.d_model, wide.device, wide.dtype = self.experts, self.top_k, self.d_model, self.device, x.double().dtype
        wide.up, wide.down = self.up.double(), self.down.double()
        exact = wide.looped(x.double(), chosen, weights.double())
        ways = {"looped": self.looped(x, chosen, weights), "grouped": self.grouped(x, chosen, weights, load(chosen, self.experts))}
        return {way: precision.error_against(exact, found, limit) for way, found in ways.items()}

    def times(self, x, limits: dict[str, int], **ceilings) -> timing.Turns:
        """Turns of the layer without its router, looped, and grouped in buckets of each of the sizes, and of ceilings."""
        chosen, weights = self.route(x)
        grouped: dict[str, Any] = {way: functools.partial(self.grouped, x, chosen, weights, limit) for way, limit in limits.items()}
        return timing.in_turns(hidden=False, looped=functools.partial(self.looped, x, chosen, weights), **grouped, **ceilings)

    def company(self, prompt, tokens: int, factor: float) -> dict:
        """The prompt's drops and outputs in batches whose other tokens differ; its own routing is computed once, so that it cannot."""
        import torch

        limit = capacity(tokens, self.experts, self.top_k, factor)
        own = self.route(prompt)
        kept, capped, free = [], [], []
        for _ in range(COMPANIES):
            others = self.tokens(tokens - len(prompt))
            chosen, weights = (torch.cat(pair) for pair in zip(self.route(others), own))
            x = torch.cat((others, prompt))
            kept.append((places(chosen, self.experts) < limit)[-len(prompt) :])
            capped.append(self.grouped(x, chosen, weights, limit)[-len(prompt) :])
            free.append(self.grouped(x, chosen, weights, load(chosen, self.experts))[-len(prompt) :])
        changed = torch.stack([(k != kept[0]).any(-1) for k in kept[1:]])
        return {
            "prompt_dropped": 1 - torch.stack(kept).double().mean(),
            "batches_changed": changed.any(-1).double().mean(),
            "tokens_changed": changed.double().mean(),
            "capped_moved": max(precision.error_against(capped[0], other) for other in capped[1:]),
            "dropless_moved": max(precision.error_against(free[0], other) for other in free[1:]),
        }


@moe_dispatch.figure
def draw(result, ax):
    from kernels import plot

    plot.height(ax, 220)
    names = {"looped": "experts\nlooped", "grouped": "grouped"}
    plot.lines(ax, result["sweep"], xlog=True, ylog=True, labels=names, x_label="tokens in the batch", y_label="one layer", highlight="grouped")
