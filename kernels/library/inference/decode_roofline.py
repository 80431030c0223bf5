"""One decode step from the data sheet: the weights are read once for the whole batch, each sequence's cache for itself.

    time >= max(bytes / bandwidth, FLOP / peak)      bytes = weights + batch * cache      FLOP = 2 * weights' parameters * batch

Pope et al. 2022, arXiv 2211.05102, section 2.1. Attention's own FLOP are left out: they come with their own bytes, about one for one
FLOP, so they never decide. Peaks are the data sheets' (machines/_devices.py); with several GPUs both are added up, communication left out.
"""

from typing import Annotated

from kernels import Bound, KernelError, Series, kernel
from kernels.library.machines._devices import DEVICES, Gpu
from kernels.library.models._models import SHAPES, Model
from kernels.library.models.kv_cache import kv_cache
from kernels.library.models.model_shape import model_shape


@kernel(
    kind="formula",
    outputs={
        "parameters": "",
        "weights": "B",
        "cache": "B",
        "flops": "FLOP",
        "intensity": "FLOP/B",
        "ridge": "FLOP/B",
        "bandwidth": "B/s",
        "memory_time": "s",
        "weights_time": "s",
        "compute_time": "s",
        "time": "s",
        "per_user": "token/s",
        "total": "token/s",
        "peak_share": "",
        "compute_bound_batch": "",
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
):
    """The least time of one decode step of a model, and the tokens a second that follow, for the batch and for one user.

    parameters: those that a step multiplies, so without the embedding that is only looked up. Weights of `bits` bits, a bf16
    cache of `context` tokens in each sequence, arithmetic in bf16. intensity: FLOP over bytes.
    compute_bound_batch: where weights alone take as long to read as to multiply. sweep: the step by batch, its reads and its arithmetic.
    """
    peak, bandwidth = gpus * DEVICES[gpu].half, gpus * DEVICES[gpu].bandwidth
    shape = SHAPES[model]
    if shape.experts > 1:
        raise KernelError(f"decode_roofline: {model} routes tokens to experts: what a batch reads depends on the routes (choose a dense model)")
    parameters = model_shape(model=model)["parameters"] - (0 if shape.tied else shape.vocab * shape.d_model)
    weights = bits / 8 * parameters
    per_sequence = kv_cache(model=model, tokens=context)["total"] if context else 0
    moved, flops = weights + batch * per_sequence, 2 * parameters * batch
    memory, compute = moved / bandwidth, flops / peak
    time = max(memory, compute)
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
        "per_user": 1 / time,
        "total": batch / time,
        "peak_share": compute / time,
        "compute_bound_batch": peak / bandwidth * bits / 16,
        "cache_of_bytes": batch * per_sequence / moved,
        "sweep": {
            "batch": batches,
            "reads": [(weights + b * per_sequence) / bandwidth for b in batches],
            "arithmetic": [2 * parameters * b / peak for b in batches],
        },
    }


@decode_roofline.figure
def draw(result, ax):
    from kernels import plot

    labels = {"reads": "reading", "arithmetic": "arithmetic"}
    plot.lines(ax, result["sweep"], xlog=True, ylog=True, labels=labels, x_label="sequences decoded together", highlight="reads")
    batch = result["compute_bound_batch"]
    if 1 < batch < 1024 and not result["cache"]:
        plot.mark(ax, batch, result["weights_time"], f"equal at {plot.show(batch, '')}", plot.INK, "left above")
