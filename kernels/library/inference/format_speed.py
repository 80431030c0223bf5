"""What a number format can gain over fp32 on an A100: by bytes where memory sets the time, by peak where arithmetic does.

    bytes ratio = 32 / bits        peak ratio = peak of the format / peak of fp32

Peaks: the A100's data sheet (machines/_devices.py), dense; fp32 on the ordinary cores, the others on tensor cores. Weight-only
formats gain bytes alone: their arithmetic stays in 16 bits.
"""

from typing import Literal

from kernels import Upper, kernel
from kernels.library.machines._devices import DEVICES

BITS = {"fp32": 32, "tf32": 32, "fp16": 16, "int8": 8, "int4": 4}


@kernel(kind="prediction", outputs={"peak": Upper("FLOP/s"), "bytes_ratio": "", "peak_ratio": "", "peak_ratio_tf32": ""})
def format_speed(format: Literal["fp32", "tf32", "fp16", "int8", "int4"]):
    """The A100's peak for a format (integer operations counted as FLOP), and byte and peak ratios against fp32.

    peak_ratio_tf32: against fp32 matrices multiplied as TF32, what a tensor core makes of them when allowed to.
    """
    peak = DEVICES["a100"].peak
    return {
        "peak": peak[format],
        "bytes_ratio": 32 / BITS[format],
        "peak_ratio": peak[format] / peak["fp32"],
        "peak_ratio_tf32": peak[format] / peak["tf32"],
    }
