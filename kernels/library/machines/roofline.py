"""The roofline: what a GPU can give an operation, from the FLOP and the bytes that the operation needs.

    attainable = min(peak, intensity * bandwidth)        intensity = FLOP / bytes        ridge = peak / bandwidth

Williams, Waterman and Patterson 2009, Roofline: An Insightful Visual Performance Model, CACM 52(4). Bytes are the needed ones:
every input read once, every output written once. Peaks are the data sheets' (machines/_devices.py): dense 16-bit matrix products, memory bandwidth.
A roof is a bound: what an operation attains is that or less, and it takes that time or more. What kernels reach of it: machines/_reach.py.
"""

from typing import TYPE_CHECKING, Annotated, Literal

from kernels import Bound, KernelError, Lower, Upper, kernel
from kernels.library.machines import _reach
from kernels.library.machines._devices import DEVICES, Gpu
from kernels.library.machines._measured import points
from kernels.library.models._models import SHAPES

HEAD = 128  # the width of an attention head
DECODES = 32  # sequences that decode at once
ROWS = (16, 64, 256, 1024, 8192)  # how many rows share the weights of a product
OPERATIONS = ("add", "norm", "softmax", "decode_attention", "prefill_attention", "gemv", *(f"gemm_{rows}" for rows in ROWS))
LATENT = "mla_attention"  # decode with latent attention, which no kernel measures
MLA = SHAPES["deepseek-v3"]
BYTES = 2  # of an element in 16 bits
KINDS: dict[str, _reach.Operation] = {"prefill_attention": "attention", LATENT: "latent attention"}

if TYPE_CHECKING:
    Operation = str
else:
    Operation = Literal.__getitem__((*OPERATIONS, LATENT))


@kernel(
    kind="prediction",
    outputs={
        "flops": "FLOP",
        "moved": "B",
        "intensity": "FLOP/B",
        "peak": "FLOP/s",
        "bandwidth": "B/s",
        "ridge": "FLOP/B",
        "attainable": Upper("FLOP/s"),
        "of_peak": Upper(""),
        "time": Lower("s"),
        "reach": "",
        "expected": "s",
    },
)
def roofline(
    operation: Operation,
    gpu: Gpu = "h100",
    tokens: Annotated[int, Bound("token", low=4)] = 8192,
    width: Annotated[int, Bound(low=128)] = 8192,
    shared: Annotated[int, Bound(low=1)] = 1,
    launching: Annotated[float, Bound("s", low=0, high=0.05)] = 0.0,
):
    """The intensity of an operation in 16 bits, and the rate and time that a GPU's data sheet allows it.

    time: the longest of arithmetic, memory traffic and launching, the seconds of its launches. of_peak: attainable over peak. reach: the share of
    the roof that published kernels reach on its side of the ridge; expected: the time with that. shared: query heads that share the keys and
    values of one head (grouped-query attention), which only decode_attention asks for. `work` says what each operation is.
    """
    if operation == "decode_attention" and shared > width // HEAD:
        raise KernelError(f"roofline: shared is {shared}, but must be at most the query heads, {width // HEAD}, which are width / {HEAD}")
    flops, moved = work(operation, tokens, width, shared)
    peak, bandwidth = DEVICES[gpu].half, DEVICES[gpu].bandwidth
    attainable = min(peak, flops / moved * bandwidth)
    kind = KINDS.get(operation, "product" if operation.startswith("gem") else "stream")
    return {
        "flops": flops,
        "moved": moved,
        "intensity": flops / moved,
        "peak": peak,
        "bandwidth": bandwidth,
        "ridge": peak / bandwidth,
        "attainable": attainable,
        "of_peak": attainable / peak,
        "time": max(flops / attainable, launching),
        "reach": _reach.reach(kind, gpu, "arithmetic" if flops / moved > peak / bandwidth else "memory"),
        "expected": _reach.expected(kind, gpu, flops, moved, launching),
    }


def work(operation: str, tokens: int, width: int, shared: int = 1) -> tuple[int, int]:
    """FLOP and needed bytes of an operation.

    add, norm, softmax: of a [tokens, width] tensor. A LayerNorm takes 7 FLOP an element (a sum; subtract, square, sum; scale,
    weight, bias), a softmax 5 (maximum, subtract, exponential, sum, divide). decode_attention: one query in each of 32
    sequences against tokens / 4 cached positions. mla_attention: the same against a latent cache, absorbed, with the 128 heads of
    DeepSeek-V3: each of them multiplies the 512 + 64 cached numbers, and the 512 again.
    prefill_attention: two causal sequences of tokens / 2. Heads: width / 128.
    gemv and gemm_R: one or R rows times a [width, width] matrix.
    """
    elements = tokens * width
    if operation == "decode_attention":
        cached = DECODES * (tokens // 4) * width
        return 4 * cached, 2 * BYTES * cached // shared
    if operation == LATENT:
        cached = DECODES * (tokens // 4)
        return 2 * MLA.heads * (MLA.cached + MLA.latent) * cached, BYTES * MLA.cached * cached
    if operation == "prefill_attention":
        length = tokens // 2
        return 2 * 2 * length**2 * width, 4 * BYTES * 2 * length * width  # causal: half of 4 n^2 d
    if operation.startswith("gem"):
        rows = rows_of(operation)
        return 2 * rows * width**2, BYTES * (width**2 + 2 * rows * width)
    flops, tensors = {"add": (1, 3), "norm": (7, 2), "softmax": (5, 2)}[operation]
    return flops * elements, tensors * BYTES * elements


def rows_of(operation: str) -> int:
    """The rows of "gemv" or "gemm_256"."""
    return 1 if operation == "gemv" else int(operation.removeprefix("gemm_"))


@roofline.figure
def draw(result, ax, measured=None):
    from kernels import plot

    gpu, operation = result.parameters["gpu"].upper(), result.parameters["operation"]
    roof(ax, result["peak"], result["bandwidth"])
    plot.mark(ax, result["ridge"], result["peak"], f"ridge {plot.show(result['ridge'], 'FLOP/B')}", plot.MUTED, "left above", "ridge")
    plot.mark(ax, result["intensity"], result["attainable"], operation.replace("_", " "), plot.ACCENT, "right below")
    beside = ""
    if measured and operation in OPERATIONS:
        beside = points(ax, [(measured[f"{operation}_intensity"], measured[f"{operation}_rate"])], "FLOP/s")
    peak, attainable = (plot.show(result[name], "FLOP/s") for name in ("peak", "attainable"))
    ridge, intensity = (plot.show(result[name], "FLOP/B") for name in ("ridge", "intensity"))
    said = operation.replace("_", " ")
    return (
        f"Roofline of {gpu}: the rate rises with intensity up to {peak} at the ridge of {ridge}; {said}, at {intensity}, attains {attainable}."
        f"{beside}"
    )


def roof(ax, peak: float, bandwidth: float, low: float = 0.1, high: float = 1e4) -> None:
    """The roof over intensities from low to high: a slope of the bandwidth up to the ridge, then the level of the peak."""
    from kernels import plot

    xs = [low, peak / bandwidth, high]
    ax.plot(xs, [min(peak, x * bandwidth) for x in xs], color=plot.MUTED, linewidth=1.6, zorder=2)
    plot.axes(ax, "FLOP for each byte moved", unit="FLOP/s", y_label="attainable rate", xlog=True, ylog=True, xs=xs)
    ax.set_xlim(low, high)
    ax.set_ylim(low * bandwidth, peak * 4)
    plot.height(ax, 240)
