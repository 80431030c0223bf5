"""One decode step from the data sheet: the weights are read once for the whole batch, each sequence's cache for itself.

    time >= max(bytes / bandwidth, FLOP / peak, launching)         bytes = weights + batch * cache
    FLOP = batch * positions * (2 * weights that multiply + 4 * layers * heads * head_dim * context)

Pope et al. 2022, arXiv 2211.05102, section 2; the second term of the FLOP are the scores and the weighted values of attention. A step takes
one new token of each sequence, or `positions` of them, as the check of a draft does. Activations, a few thousandths of the bytes, and, with
several GPUs, communication are left out, so that each time is the least possible one; bandwidths and peaks add up. Both are the data sheets'
(machines/_devices.py), and what compiled models reach of them stands in machines/_reach.py.

Bytes and FLOP take equally long at the batch

    b = (weights / bandwidth) / (FLOP of a sequence / peak - cache of a sequence / bandwidth)

and at no batch once the cache of a sequence takes longer to read than its FLOP to do.
"""

from typing import Annotated

from kernels import Bound, KernelError, Lower, Series, Upper, kernel
from kernels.library.machines import _reach
from kernels.library.machines._devices import DEVICES, Gpu
from kernels.library.machines._measured import points
from kernels.library.models._models import SHAPES, Model
from kernels.library.models._passes import attended, multiplied, read
from kernels.library.models.kv_cache import kv_cache


@kernel(
    kind="prediction",
    outputs={
        "parameters": "",
        "weights": "B",
        "cache": "B",
        "flops": "FLOP",
        "intensity": "FLOP/B",
        "ridge": "FLOP/B",
        "bandwidth": "B/s",
        "memory_time": Lower("s"),
        "weights_time": Lower("s"),
        "compute_time": Lower("s"),
        "time": Lower("s"),
        "reach": "",
        "expected": "s",
        "per_user": Upper("token/s"),
        "total": Upper("token/s"),
        "peak_share": "",
        "compute_bound_batch": "",
        "never_from": "token",
        "cache_of_bytes": "",
        "sweep": Series("batch", "s"),
    },
)
def decode_roofline(
    model: Model,
    batch: Annotated[int, Bound(low=1)] = 1,
    context: Annotated[int, Bound("token", low=0)] = 0,
    bits: Annotated[float, Bound(low=1.0, high=32.0)] = 16.0,
    gpu: Gpu = "h100",
    gpus: Annotated[int, Bound(low=1)] = 1,
    positions: Annotated[int, Bound(low=1)] = 1,
    launching: Annotated[float, Bound("s", low=0, high=0.05)] = 0.0,
):
    """The least time of one decode step of a model, and the tokens a second that follow, for the batch and for one user.

    parameters: those that a step reads, so without an embedding that is only looked up. Weights of `bits` bits, a bf16
    cache of `context` tokens in each sequence, arithmetic in bf16. intensity: FLOP over bytes. compute_bound_batch: where bytes and
    FLOP take equally long, 0 where no batch is large enough; never_from: the context from which none is. launching: seconds of a step's
    launches. reach: the share of bandwidth that published kernels reach; expected: the step with that. sweep: the step by batch, its reads and
    its arithmetic.
    """
    peak, bandwidth = gpus * DEVICES[gpu].half, gpus * DEVICES[gpu].bandwidth
    shape = SHAPES[model]
    if shape.experts > 1:
        raise KernelError(f"decode_roofline: {model} routes tokens to experts: what a batch reads depends on the routes (choose a dense model)")
    parameters, products = read(model), 2 * multiplied(shape)
    weights = bits / 8 * parameters
    per_token = kv_cache(model=model, tokens=1)["per_token"]
    per_sequence = context * per_token
    attention = attended(shape)
    work = positions * (products + attention * context)
    moved, flops = weights + batch * per_sequence, batch * work
    memory, compute = moved / bandwidth, flops / peak
    time = max(memory, compute, launching)
    kind: _reach.Operation = "decode" if bits >= 16 else "quantised decode"
    spare = work / peak - per_sequence / bandwidth  # what a further sequence adds to the arithmetic and not to the reads
    each = per_token / bandwidth - positions * attention / peak
    batches = [2**p for p in range(11)]
    return {
        "parameters": parameters,
        "weights": weights,
        "cache": batch * per_sequence,
        "flops": flops,
        "intensity": flops / moved,
        "ridge": peak / bandwidth,
        "bandwidth": bandwidth,
        "memory_time": memory,
        "weights_time": weights / bandwidth,
        "compute_time": compute,
        "time": time,
        "reach": _reach.reach(kind, gpu, "memory"),
        "expected": _reach.expected(kind, gpu, flops, moved, launching, gpus),
        "per_user": 1 / time,
        "total": batch / time,
        "peak_share": compute / time,
        "compute_bound_batch": weights / bandwidth / spare if spare > 0 else 0.0,
        "never_from": positions * products / peak / each if each > 0 else 0.0,
        "cache_of_bytes": batch * per_sequence / moved,
        "sweep": {
            "batch": batches,
            "reads": [(weights + b * per_sequence) / bandwidth for b in batches],
            "arithmetic": [work * b / peak for b in batches],
        },
    }


@decode_roofline.figure
def draw(result, ax, measured=None):
    from kernels import plot

    labels = {"reads": "reading", "arithmetic": "arithmetic"}
    x_label = "sequences decoded together"
    plot.lines(ax, result["sweep"], xlog=True, ylog=True, labels=labels, x_label=x_label, y_label="time of a step", highlight="reads")
    if measured:  # decode_bandwidth: one block's products, scaled to the weights that a step reads
        curve, whole = measured["matrices"], result["weights"] / (measured["matrices_bandwidth"] * measured["matrices_time"])
        points(ax, [(b, t and t * whole) for b, t in zip(curve.x, curve.values("measured")) if b <= 1024], "s")
    batch = result["compute_bound_batch"]
    if 1 < batch < 1024:
        sequence = (result["memory_time"] - result["weights_time"]) / result.parameters["batch"]
        plot.mark(ax, batch, result["weights_time"] + batch * sequence, f"equal at {plot.show(batch, '')}", plot.INK, "left above")
