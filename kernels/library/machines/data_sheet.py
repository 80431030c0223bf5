"""What a GPU is by its vendor's documents and its driver: memory, bandwidth, peaks, links.

The numbers, with their sources, are those of machines/_devices.py. Memory is what the driver reports, which is more than the name's gigabytes.
"""

from kernels import kernel
from kernels.library.machines._devices import DEVICES, Gpu


@kernel(
    kind="formula",
    outputs={
        "memory": "B",
        "cache": "B",
        "bandwidth": "B/s",
        "half": "FLOP/s",
        "fp32": "FLOP/s",
        "ridge": "FLOP/B",
        "link": "B/s",
        "bus": "B/s",
    },
)
def data_sheet(gpu: Gpu = "h100"):
    """The memory, last-level cache, memory bandwidth, peak rates and links of a GPU.

    memory: the total that the driver reports. half: dense products in 16 bits on the matrix units; fp32: the ordinary cores. ridge: half over
    bandwidth. link: to the other GPUs of its node, bus: to the host, one direction each.
    """
    device = DEVICES[gpu]
    shown = {name: getattr(device, name) for name in ("memory", "cache", "bandwidth", "half", "ridge", "link", "bus")}
    return {**shown, "fp32": device.peak["fp32"]}
