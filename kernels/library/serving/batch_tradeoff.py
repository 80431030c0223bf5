"""What a larger decode batch gives the system and takes from each user, by the data sheet.

    step(b) = max((weights + b * cache) / bandwidth, b * FLOP / peak, launching)        each user: 1 / step        all: b / step

(decode_roofline; Pope et al. 2022, arXiv 2211.05102, section 2.) MBU is bytes a second over the bandwidth, MFU the FLOP a second over the peak:
were steps as fast as the data sheet lets them, the larger of both would be 1.
"""

import math
from typing import Annotated

from kernels import Bound, KernelError, Lower, Series, Upper, kernel
from kernels.library.inference.decode_roofline import decode_roofline
from kernels.library.machines._devices import DEVICES, Gpu
from kernels.library.models._models import Model
from kernels.library.models.model_shape import model_shape

BATCHES = tuple(2**k for k in range(9))


@kernel(
    kind="prediction",
    outputs={
        "step_one": Lower("s"),
        "step": Lower("s"),
        "per_user_one": Upper("token/s"),
        "per_user": Upper("token/s"),
        "total": Upper("token/s"),
        "gain": "",
        "loss": "",
        "mfu": "",
        "weights_time": Lower("s"),
        "sequence_time": Lower("s"),
        "batch_limit": Upper(""),
        "memory_batch": Upper(""),
        "sweep": Series("batch", ""),
    },
)
def batch_tradeoff(
    model: Model = "llama-3-8b",
    context: Annotated[int, Bound("token", low=1, high=10_000_000)] = 1000,
    batch: Annotated[int, Bound(low=1, high=100_000)] = 64,
    tpot_limit: Annotated[float, Bound("s", low=1e-5, high=100.0)] = 0.01,
    gpu: Gpu = "h100",
    launching: Annotated[float, Bound("s", low=0, high=0.05)] = 0.0,
):
    """Tokens a second of each user and of all users together, by how many are decoded together, and the largest batch within a limit on TPOT.

    *_one: at batch 1. gain: of all tokens a second over batch 1; loss: of one user's. mfu: the step's FLOP over the peak. weights_time,
    sequence_time: what reading the weights takes, and one sequence's cache. batch_limit: the largest batch whose step is within the limit, 0
    where none is; memory_batch: that fits the memory beside all weights. launching: seconds of a step's launches, below which none is. sweep:
    both rates against batch 1.
    """
    made = decode_roofline(model=model, context=context, gpu=gpu)

    def step(b: int) -> float:
        return max((made["weights"] + b * made["cache"]) / made["bandwidth"], b * made["compute_time"], launching)

    held = 2.0 * model_shape(model=model)["parameters"]  # the embedding too, of which a step reads one row a token
    if held + made["cache"] > DEVICES[gpu].memory:
        raise KernelError(f"batch_tradeoff: {model} with one sequence does not fit one {gpu} (choose a smaller model or context)")
    cached = made["cache"] / made["bandwidth"]
    within = min((tpot_limit - made["weights_time"]) / cached, tpot_limit / made["compute_time"])
    one, now = step(1), step(batch)
    return {
        "step_one": one,
        "step": now,
        "per_user_one": 1 / one,
        "per_user": 1 / now,
        "total": batch / now,
        "gain": batch * one / now,
        "loss": now / one,
        "mfu": batch * made["compute_time"] / now,
        "weights_time": made["weights_time"],
        "sequence_time": cached,
        "batch_limit": max(0, math.floor(within)) if launching <= tpot_limit else 0,
        "memory_batch": math.floor((DEVICES[gpu].memory - held) / made["cache"]),
        "sweep": {
            "batch": BATCHES,
            "all users": [b * one / step(b) for b in BATCHES],
            "each user": [one / step(b) for b in BATCHES],
        },
    }


@batch_tradeoff.figure
def draw(result, ax):
    from kernels import plot

    x_label = "sequences decoded together"
    plot.lines(ax, result["sweep"], xlog=True, ylog=True, x_label=x_label, y_label="tokens/s, batch 1 being 1", highlight="all users")
