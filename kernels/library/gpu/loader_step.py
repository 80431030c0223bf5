"""How long a training step takes whose batches have to be loaded: by the training process itself, or by workers ahead of it.

    no worker          load + compute
    w workers          max(load / w, compute)        each prepares whole batches, and there is always one ahead
    workers needed     ceil(load / compute)

A DataLoader's worker prepares a whole batch, so w of them deliver w batches in the time of one; the model has no limit of
storage or of processors, and no variation from batch to batch, which in practice asks for a worker or two more.
"""

import math
from typing import Annotated

from kernels import Bound, Series, kernel


@kernel(
    kind="formula",
    outputs={
        "step": "s",
        "utilisation": "",
        "serial_step": "s",
        "serial_utilisation": "",
        "speedup": "",
        "one_worker_speedup": "",
        "most_speedup": "",
        "workers_needed": "",
        "sweep": Series("workers", ""),
    },
)
def loader_step(
    load: Annotated[float, Bound("s", low=1e-6)] = 0.06,
    compute: Annotated[float, Bound("s", low=1e-6)] = 0.04,
    workers: Annotated[int, Bound(low=0, high=1024)] = 8,
):
    """Time of a step and share of it that the GPU computes, with so many prefetching workers, without any, and at best.

    load: seconds that one process takes for a batch; compute: seconds of the GPU for it. speedup: over no workers.
    """
    found = step(load, compute, workers)
    serial = load + compute
    needed = math.ceil(load / compute * (1 - 1e-12))
    counts = range(min(max(workers, needed), 1024) + 3)
    return {
        "step": found,
        "utilisation": compute / found,
        "serial_step": serial,
        "serial_utilisation": compute / serial,
        "speedup": serial / found,
        "one_worker_speedup": serial / step(load, compute, 1),
        "most_speedup": serial / compute,
        "workers_needed": needed,
        "sweep": {"workers": list(counts), "GPU busy": [compute / step(load, compute, count) for count in counts]},
    }


def step(load: float, compute: float, workers: int) -> float:
    return max(load / workers, compute) if workers else load + compute


@loader_step.figure
def draw(result, ax):
    from kernels import plot

    plot.lines(ax, result["sweep"], unit="percent", labels={"GPU busy": ""}, x_label="workers", y_label="GPU busy", highlight="GPU busy")
    plot.mark(ax, 0, result["serial_utilisation"], f"no worker: {plot.show(result['serial_utilisation'], 'percent')}", where="right below")
    plot.mark(ax, result["workers_needed"], 1.0, f"{result['workers_needed']:g} suffice", where="below right")
    plot.height(ax, 180)
