"""What a group of GPUs asks of its input, and what storage, processors and the bus give: the least of them sets the pace.

    demand        = GPUs * samples/s each * bytes a sample
    storage rate  = bytes/s / bytes a sample        processor rate = cores / seconds a sample
    bus rate      = GPUs * bytes/s of a GPU's bus / bytes a decoded sample

The last one takes samples as they go to the GPU, decoded; the first two as they are stored.
"""

from typing import Annotated

from kernels import Bound, kernel


@kernel(
    kind="formula",
    outputs={
        "demand": "B/s",
        "samples_wanted": "1/s",
        "samples_storage": "1/s",
        "samples_cores": "1/s",
        "samples_bus": "1/s",
        "samples": "1/s",
        "utilisation": "",
        "cores_needed": "",
        "epoch": "s",
        "gpus_fed": "",
    },
)
def input_demand(
    gpus: Annotated[int, Bound(low=1, high=2**17)] = 8,
    samples_per_gpu: Annotated[float, Bound("1/s", low=1e-3)] = 2800.0,
    sample: Annotated[float, Bound("B", low=1)] = 110e3,
    storage: Annotated[float, Bound("B/s", low=1)] = 125 * 2**20,
    cores: Annotated[int, Bound(low=1)] = 96,
    core_time: Annotated[float, Bound("s", low=1e-9)] = 5e-3,
    decoded: Annotated[float, Bound("B", low=1)] = 3 * 224 * 224,
    bus: Annotated[float, Bound("B/s", low=1)] = 25e9,
    data: Annotated[float, Bound("B", low=1)] = 1e12,
):
    """Bytes per second that the GPUs ask for, samples per second that each stage gives, and the GPUs' utilisation.

    core_time: seconds of one core for one sample, reading, decoding and augmenting. bus: host to device, each GPU its own. epoch: seconds
    to read `data` bytes once at the storage's rate. gpus_fed: GPUs that the slowest stage keeps busy.
    """
    wanted = gpus * samples_per_gpu
    stages = {"storage": storage / sample, "cores": cores / core_time, "bus": gpus * bus / decoded}
    least = min(stages.values())
    got = min(wanted, least)
    return {
        "demand": wanted * sample,
        "samples_wanted": wanted,
        **{f"samples_{name}": rate for name, rate in stages.items()},
        "samples": got,
        "utilisation": got / wanted,
        "cores_needed": wanted * core_time,
        "epoch": data / storage,
        "gpus_fed": min(gpus, least / samples_per_gpu),
    }


@input_demand.figure
def draw(result, ax):
    from kernels import plot

    bars = {"samples/s wanted": result["samples_wanted"], "from storage": result["samples_storage"], "from the cores": result["samples_cores"]}
    if result["samples_bus"] < 2 * result["samples_wanted"]:  # as a rule far more, and its bar would dwarf the others
        bars["over the bus"] = result["samples_bus"]
    plot.bars(ax, bars, "", highlight=min(bars, key=lambda name: bars[name]))
