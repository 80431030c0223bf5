"""A full checkpoint's size and time to write, and the GPU time that a lost run costs against that of writing.

    size             weights + master copy + moments, with bf16 weights and the rest in fp32: 2 + 4 + 8 = 14 bytes a parameter
    failures         one in M = time of one GPU between failures / GPUs

The run is stopped while it writes.
"""

from typing import Annotated

from kernels import Bound, kernel


@kernel(
    kind="formula",
    outputs={
        **dict.fromkeys(("weights", "master", "moments", "total", "per_gpu"), "B"),
        **dict.fromkeys(("write", "between_failures"), "s"),
        **dict.fromkeys(("write_hourly", "gpu_hours"), ""),
    },
)
def checkpoint_cost(
    parameters: Annotated[int, Bound(low=1)] = 70_000_000_000,
    gpus: Annotated[int, Bound(low=1)] = 1024,
    bandwidth: Annotated[float, Bound("B/s", low=1)] = 50e9,
    gpu_failure: Annotated[float, Bound("s", low=1)] = 54 * 86400 * 16384 / 419,
    days: Annotated[float, Bound(low=0)] = 5.0,
):
    """Bytes of a checkpoint and of one GPU's part of it, seconds to write, time between failures, GPU hours of `days`.

    bandwidth: of the storage, all GPUs together. gpu_failure: seconds of one GPU between failures; the default is Llama 3's run of
    16,384 GPUs (419 unexpected interruptions in 54 days, arXiv 2407.21783, section 3.3.4). write_hourly: the share of time that hourly writing takes.
    """
    parts = {"weights": 2 * parameters, "master": 4 * parameters, "moments": 8 * parameters}
    total = sum(parts.values())
    return {
        **parts,
        "total": total,
        "per_gpu": total / gpus,
        "write": total / bandwidth,
        "between_failures": gpu_failure / gpus,
        "write_hourly": total / bandwidth / 3600,
        "gpu_hours": days * 24 * gpus,
    }
