"""Which model's training state fits into a number of GPUs when nothing is kept twice: ZeRO-3, or FSDP with full sharding.

Mixed-precision AdamW holds 16 bytes per parameter (see training_memory; Rajbhandari et al. 2020, ZeRO, arXiv 1910.02054, section 3.1), so N
GPUs of M bytes hold at most N M / 16 parameters. Activations, the layers gathered for computing and the allocator's slack come on top.
"""

import math
from typing import Annotated

from kernels import Bound, Series, kernel
from kernels.library.machines._devices import DEVICES
from kernels.library.training.training_memory import training_memory

SIZES = (7e9, 13e9, 30e9, 70e9)


@kernel(
    kind="formula",
    outputs={
        "total": "B",
        "per_gpu": "B",
        "least_gpus": "",
        "largest": "",
        "weights": "B",
        "weights_gpus": "",
        "sizes": Series("parameters", "B"),
    },
)
def sharding_fit(
    parameters: Annotated[int, Bound(low=1)],
    gpus: Annotated[int, Bound(low=1)],
    gpu_memory: Annotated[float, Bound("B", low=1)] = DEVICES["h100"].memory,
):
    """The training state on each GPU when all of it is sharded, and how many GPUs the state fills at the least.

    least_gpus: so many hold the state with nothing else; weights_gpus: the 16-bit weights alone. largest: parameters whose state fills
    the given GPUs. sizes: state on each of the GPUs for common model sizes.
    """

    whole = training_memory(parameters=parameters)
    total, weights, each = whole["total"], whole["weights"], whole["per_parameter"]
    sizes = sorted({*SIZES, float(parameters)})
    return {
        "total": total,
        "per_gpu": total / gpus,
        "least_gpus": math.ceil(total / gpu_memory),
        "largest": gpus * gpu_memory / each,
        "weights": weights,
        "weights_gpus": math.ceil(weights / gpu_memory),
        "sizes": {"parameters": sizes, "state": [each * size / gpus for size in sizes]},
    }


@sharding_fit.figure
def draw(result, ax):
    from kernels import plot

    sizes, memory = result["sizes"], result.parameters["gpu_memory"]
    values = {f"{size / 1e9:g}B": value for size, value in zip(sizes.x, sizes.values("state"))}
    plot.bars(ax, values, "B", highlight=f"{result.parameters['parameters'] / 1e9:g}B", limit=(memory, f"one GPU: {plot.show(memory, 'B')}"))
