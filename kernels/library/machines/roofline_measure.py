"""Where a transformer's operations lie under this GPU's measured roof.

    attainable = min(peak, intensity * bandwidth)

Williams, Waterman and Patterson 2009, CACM 52(4). The roof's slope is the faster of copying and of reading a gibibyte, its level the fastest
matrix product. Each operation is measured in turns with the ceiling that bounds it: copying where it writes as it reads, reading where it
writes next to nothing, the product where arithmetic takes longer. FLOP and bytes of each operation are those of roofline.work, so an
operation that moves more than it needs lies below the roof. The library's own functions are measured, as they are, launched from a graph.
"""

import functools
from typing import Annotated, Any, Literal

from kernels import Bound, KernelError, Series, kernel, precision, timing
from kernels.library.machines.roofline import DECODES, HEAD, OPERATIONS, ROWS, roof, rows_of, work

LIMITS = {"bf16": 1.6e-2, "fp16": 2e-3}  # a few roundings of the largest element: probabilities, sums and outputs are cut to 16 bits
CHECKED = 16  # rows compared with float64
SQUARE = 4096  # n of the product in full fp32
COPYING = ("add", "norm", "softmax")  # what writes as much as it reads, or half


@kernel(
    kind="measurement",
    outputs={
        "copy_bandwidth": "B/s",
        "read_bandwidth": "B/s",
        "bandwidth": "B/s",
        "rate": "FLOP/s",
        "rate_fp32": "FLOP/s",
        "ridge": "FLOP/B",
        "ridge_fp32": "FLOP/B",
        **{f"{name}_intensity": "FLOP/B" for name in OPERATIONS},
        **{f"{name}_time": "s" for name in OPERATIONS},
        **{f"{name}_rate": "FLOP/s" for name in OPERATIONS},
        **{f"{name}_bandwidth": "B/s" for name in OPERATIONS},
        **{f"{name}_of_roof": "" for name in OPERATIONS},
        **{f"{name}_of_peak": "" for name in OPERATIONS},
        **{f"{name}_error": "" for name in OPERATIONS},
        "sweep": Series("rows", "FLOP/s"),
    },
    timeout=180,
    memory=lambda tokens, width: max(40 * tokens * width, 18 * width**2 + 4 * max(ROWS) * width, 9 * tokens**2),
    formats=lambda dtype: (dtype,),
    capability=8.0,  # FlashAttention
    rehearsal={"tokens": 256, "width": 256, "SQUARE": 256},
    headline="decode_attention_bandwidth",
    share="decode_attention_of_roof",
    seconds=40,
)
def roofline_measure(
    tokens: Annotated[int, Bound("token", low=64, high=2**15)] = 8192,
    width: Annotated[int, Bound(low=128, high=16384)] = 8192,
    dtype: Literal["bf16", "fp16"] = "bf16",
):
    """Rates of add, norm, softmax, attention and matrix products on this GPU, against its measured bandwidth and matrix rate.

    bandwidth: the faster of copying and reading; rate: the fastest product measured here; ridge: rate over bandwidth.
    of_roof: an operation's rate over that of the ceiling that bounds it; of_peak: over `rate`. sweep: a product's rate and the roof against
    the rows that share one weight matrix. rate_fp32: products in full fp32, without tensor cores.
    """
    if width % HEAD:
        raise KernelError(f"roofline_measure: width is {width}, but must be a multiple of {HEAD}, the size of a head")
    ceilings = {"copy": timing.copying(), "read": timing.reading(), "product": timing.multiplying(dtype)}
    ways: dict[str, Any] = {name: ceiling.function for name, ceiling in ceilings.items()}
    turns = timing.in_turns(graph=True, **ways)
    copied, read, product = (ceiling.work / turns[name] for name, ceiling in ceilings.items())
    seconds, of_roof, errors = {}, {}, {}
    needed = {name: work(name, tokens, width) for name in OPERATIONS}
    for name, (flops, moved) in needed.items():
        memory = "copy" if name in COPYING else "read"
        bound, done = ("product", flops) if flops / product.value > moved / {"copy": copied, "read": read}[memory].value else (memory, moved)
        function, reference, share = prepared(name, tokens, width, dtype)
        errors[name] = precision.error_against(reference(), share(function()), LIMITS[dtype])
        turns = timing.in_turns(graph=True, operation=function, ceiling=ceilings[bound].function)
        seconds[name], of_roof[name] = turns["operation"], turns.ratio("ceiling", "operation") * (done / ceilings[bound].work)
        del function, reference, share
    rates = {name: needed[name][0] / seconds[name] for name in OPERATIONS}
    bandwidth = max(copied, read, key=float)
    rate = max((product, *(rates[f"gemm_{rows}"] for rows in ROWS)), key=float)
    rate_fp32 = timing.matmul_rate(SQUARE, "fp32")
    intensity = {name: flops / moved for name, (flops, moved) in needed.items()}
    products = {1: "gemv", **{rows: f"gemm_{rows}" for rows in ROWS}}
    return {
        "copy_bandwidth": copied,
        "read_bandwidth": read,
        "bandwidth": bandwidth,
        "rate": rate,
        "rate_fp32": rate_fp32,
        "ridge": float(rate) / float(bandwidth),
        "ridge_fp32": float(rate_fp32) / float(bandwidth),
        **{f"{name}_intensity": intensity[name] for name in OPERATIONS},
        **{f"{name}_time": seconds[name] for name in OPERATIONS},
        **{f"{name}_rate": rates[name] for name in OPERATIONS},
        **{f"{name}_bandwidth": needed[name][1] / seconds[name] for name in OPERATIONS},
        **{f"{name}_of_roof": of_roof[name] for name in OPERATIONS},
        **{f"{name}_of_peak": float(rates[name]) / float(rate) for name in OPERATIONS},
        **{f"{name}_error": errors[name] for name in OPERATIONS},
        "sweep": {
            "rows": list(products),
            "measured": [rates[name] for name in products.values()],
            "roof": [min(float(rate), intensity[name] * float(bandwidth)) for name in products.values()],
        },
    }


def prepared(name: str, tokens: int, width: int, dtype: str):
    """An operation on random values: (function, reference in float64 of a part of its result, how to take that part of a result)."""
    import torch

    def random(*shape: int, scale: float = 1.0):
        return torch.randn(*shape, dtype=precision.torch_dtype(dtype), device=timing.device()).mul_(scale)

    heads = width // HEAD
    if name == "decode_attention":
        q, k, v = random(DECODES, heads, 1, HEAD), random(DECODES, heads, tokens // 4, HEAD), random(DECODES, heads, tokens // 4, HEAD)
        return functools.partial(attention, q, k, v, False), lambda: plain_attention(q[:1], k[:1], v[:1], False), lambda y: y[:1]
    if name == "prefill_attention":
        q, k, v = (random(2, heads, tokens // 2, HEAD) for _ in range(3))
        return functools.partial(attention, q, k, v, True), lambda: plain_attention(q[:1, :1], k[:1, :1], v[:1, :1], True), lambda y: y[:1, :1]
    if name.startswith("gem"):
        x, weight = random(rows_of(name), width), random(width, width, scale=width**-0.5)
        out = torch.full_like(x, torch.nan)
        return functools.partial(torch.mm, x, weight.T, out=out), lambda: x[:CHECKED].double() @ weight.T.double(), lambda y: y[:CHECKED]
    x, other, out = random(tokens, width), random(tokens, width), random(tokens, width)
    weight, bias = random(width), random(width)
    function = {"add": lambda: torch.add(x, other, out=out), "norm": lambda: norm(x, weight, bias), "softmax": lambda: torch.softmax(x, -1)}[name]
    a, b, w, c = (t.double() for t in (x[:CHECKED], other[:CHECKED], weight, bias))
    reference = {"add": lambda: a + b, "norm": lambda: plain_norm(a, w, c), "softmax": lambda: plain_softmax(a)}[name]
    return function, reference, lambda y: y[:CHECKED]


# ------------------------------------------------------------------------- the operations, and their plain references


def attention(q, k, v, causal: bool):
    """[batch, heads, tokens, head]: the library's flash path alone, so that no other is measured in its place."""
    from torch.nn import functional
    from torch.nn.attention import SDPBackend, sdpa_kernel

    with sdpa_kernel(SDPBackend.FLASH_ATTENTION):
        return functional.scaled_dot_product_attention(q, k, v, is_causal=causal)


def plain_attention(q, k, v, causal: bool):
    """softmax(q k^T / sqrt(d)) v in float64, the scores written out."""
    import torch

    scores = q.double() @ k.double().transpose(-2, -1) / q.shape[-1] ** 0.5
    if causal:
        scores = scores.masked_fill(torch.ones(scores.shape[-2:], dtype=torch.bool, device=q.device).triu(1), -torch.inf)
    return plain_softmax(scores) @ v.double()


def norm(x, weight, bias):
    from torch.nn import functional

    return functional.layer_norm(x, x.shape[-1:], weight, bias)


def plain_norm(x, weight, bias):
    centred = x - x.mean(-1, keepdim=True)
    return centred / (centred.pow(2).mean(-1, keepdim=True) + 1e-5).sqrt() * weight + bias


def plain_softmax(x):
    powers = (x - x.amax(-1, keepdim=True)).exp()
    return powers / powers.sum(-1, keepdim=True)


@roofline_measure.predicted
def predict(result):
    from kernels.library.machines._devices import DEVICES

    device = DEVICES.get(result.made["device_class"])
    return device and device.bandwidth


@roofline_measure.figure
def draw(result, ax):
    from kernels import plot

    roof(ax, result["rate"], result["bandwidth"])
    top, ridge = plot.show(result["rate"], "FLOP/s"), plot.show(result["ridge"], "FLOP/B")
    ax.text(0.13, result["rate"] * 1.25, f"{top}, ridge at {ridge}", color=plot.MUTED, size=plot.SMALL)
    for name in OPERATIONS:
        shape, color = ("o", plot.ACCENT) if result[f"{name}_intensity"] < result["ridge"] else ("s", plot.AMBER)
        ax.plot([result[f"{name}_intensity"]], [result[f"{name}_rate"]], shape, color=color, markersize=6, zorder=5)
    labels = {  # operation that the label stands at -> text, its offset in pixels, its side
        "add": ("add", (8, -9), "left"),
        "decode_attention": ("gemv, decode attention", (9, -12), "left"),
        "softmax": ("softmax, norm", (-9, 5), "right"),
        "gemm_16": ("product, 16 rows", (8, -9), "left"),
        "gemm_1024": ("256 rows and more,\nprefill attention", (-24, -36), "left"),
    }
    for name, (text, offset, side) in labels.items():
        at = result[f"{name}_intensity"], result[f"{name}_rate"]
        ax.annotate(text, at, offset, textcoords="offset points", color=plot.INK, size=plot.SMALL, ha=side)
    places = {name: (plot.show(result[f"{name}_rate"], "FLOP/s"), plot.show(result[f"{name}_intensity"], "FLOP/B")) for name in OPERATIONS}
    said = ", ".join(f"{name.replace('_', ' ')} {rate} at {intensity}" for name, (rate, intensity) in places.items())
    return f"Measured roofline, {top} beyond a ridge at {ridge}; rates by intensity: {said}."
