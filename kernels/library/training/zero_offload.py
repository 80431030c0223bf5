"""What offloading to the host leaves on each GPU, what the host has to hold, and what a step's copies and CPU update cost.

ZeRO-Offload keeps the 16-bit weights on the GPU and moves gradients, master copy and moments to the host, where the CPU runs Adam: 2 bytes per
parameter stay, 2 + 12 go (Ren et al. 2021, ZeRO-Offload, arXiv 2101.06840, section 3). Every GPU holds all weights, as under ZeRO-2;
ZeRO-3 shards them too. For P parameters and N GPUs with a PCIe link each:

    copies   gradients down, new weights up: 2 + 2 bytes per parameter, 1/N of them over each link
    update   reads the gradient, reads and writes master copy and moments, writes the weight: 2 + 24 + 2 bytes per parameter

Neither overlaps here. A layer's gradients and, under ZeRO-3, the layer gathered for computing, come on top, and so do activations.
"""

from typing import Annotated

from kernels import Bound, kernel
from kernels.library.machines._devices import DEVICES

STATE, WEIGHT, GRADIENT, OPTIMIZER = 16, 2, 2, 12  # bytes per parameter
COPIED, UPDATED = 4, 28


@kernel(
    kind="formula",
    outputs={
        "whole": "B",
        "zero_3": "B",
        "offload": "B",
        "offload_3": "B",
        "host": "B",
        "host_optimizer": "B",
        "left_with_gradients": "B",
        "copied": "B",
        "copy_time": "s",
        "update_time": "s",
        "fits_whole": "",
    },
)
def zero_offload(
    parameters: Annotated[int, Bound(low=1)],
    gpus: Annotated[int, Bound(low=1)],
    gpu_memory: Annotated[float, Bound("B", low=1)] = DEVICES["rtx-4090"].memory,
    bus: Annotated[float, Bound("B/s", low=1)] = 25e9,
    host_bandwidth: Annotated[float, Bound("B/s", low=1)] = 200e9,
):
    """Training state on each GPU: plain, ZeRO-3, ZeRO-Offload, and ZeRO-3 with offload; the host's part; time of copies and update.

    whole: on every GPU of plain data parallelism. host: gradients, master copy and moments; host_optimizer: without the gradients.
    left_with_gradients: on all GPUs together where only the optimizer states leave. copied: in a step, over all links. fits_whole:
    parameters whose whole state fits one GPU.
    """
    return {
        "whole": STATE * parameters,
        "zero_3": STATE * parameters / gpus,
        "offload": WEIGHT * parameters,
        "offload_3": WEIGHT * parameters / gpus,
        "host": (GRADIENT + OPTIMIZER) * parameters,
        "host_optimizer": OPTIMIZER * parameters,
        "left_with_gradients": (WEIGHT + GRADIENT) * parameters,
        "copied": COPIED * parameters,
        "copy_time": COPIED * parameters / gpus / bus,
        "update_time": UPDATED * parameters / host_bandwidth,
        "fits_whole": gpu_memory / STATE,
    }


@zero_offload.figure
def draw(result, ax):
    from kernels import plot

    names = {"whole": "data parallel", "zero_3": "ZeRO-3, FSDP", "offload": "ZeRO-Offload", "offload_3": "ZeRO-3 + offload"}
    memory = result.parameters["gpu_memory"]
    plot.bars(
        ax, {text: result[name] for name, text in names.items()}, "B", highlight=names["offload_3"], limit=(memory, f"GPU: {plot.show(memory, 'B')}")
    )
