"""The GPUs that kernels reckon with, as their vendors' documents describe them: one row a device, SI base units.

    peak = compute units * clock * FLOP of one unit in a clock          bandwidth = pins * bits a second of one pin / 8

A multiply-add is two FLOP, for integers too. fp32 is the rate of the ordinary cores, every other format that of the matrix units with dense
operands; floating-point products add up in fp32. Where the vendor names no clock, the published peak stands as it is. Peaks are what the
arithmetic could do at boost clock; large matrix products reach 50 to 87 % of them.

`memory` is the total that the driver reports (nvidia-smi, rocm-smi), not the number in the device's name: an "80 GB" H100 has 81,559 MiB, which are
85.5e9 bytes. The driver keeps half a GiB or more of it for itself: CUDA, and so torch, sees 79.1 to 79.3 GiB, about 85e9 bytes, on H100 and A100.

Above each row stands the vendor's document that it goes back to. Opened on 28 November 2026 were AMD's ROCm documentation and, for the others, these
copies of what they print:

    peaks, clocks, bandwidths, caches, links    github.com/stas00/ml-engineering at 744d01e: compute/accelerator and network, with links to each page
    A100, H100, B200: clocks, exact peaks       glennklockwood.com/garden/processors/A100, /h100, /B200
    H100 SXM and PCIe: SMs, pins, L2            archive-lib.hpctech.co.jp/gpuproduct/nvidia-h100.html
    V100 and A100: clocks and cores             hardwaretimes.com/nvidia-ampere-architectural-analysis-a-look-at-the-a100-tensor-core-gpu
    RTX 4090                                    waredb.com/processor/nvidia-geforce-rtx-4090
    RTX A6000, 3090 and 3060: SMs, clocks, L2   sysrqmts.com/gpus and igorslab.de, technical details of GeForce RTX 3000
    memory, memory clocks                       nvidia-smi and rocm-smi as printed in public repositories
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

MIB, MHZ, GHZ = 2**20, 1e6, 1e9


@dataclass(frozen=True)
class Device:
    """One GPU. Links and bus count one direction, all lanes together."""

    name: str
    peak: Mapping[str, float]  # FLOP/s by format: fp32, tf32, fp16, bf16, fp8, int8, int4, fp4
    bandwidth: float  # B/s of its own memory
    memory: int  # B, the total that the driver reports
    cache: int  # B, the last level on the chip: the L2, on AMD the Infinity Cache
    link: float  # B/s to the other GPUs of its node
    bus: float  # B/s to the host

    @property
    def half(self) -> float:
        """FLOP/s in 16 bits: bf16 runs as fast as fp16, and V100 has fp16 alone."""
        return self.peak["fp16"]

    @property
    def ridge(self) -> float:
        """FLOP/B from which on arithmetic in 16 bits takes longer than memory traffic."""
        return self.half / self.bandwidth


def rates(units: int, clock: float, **flop: int) -> dict[str, float]:
    """FLOP/s by format, of so many SMs or compute units that do `flop` each in a clock."""
    return {dtype: units * clock * each for dtype, each in flop.items()}


def pins(count: int, rate: float) -> float:
    """B/s of a memory interface `count` bits wide, each pin moving `rate` bits a second: twice the memory clock."""
    return count * rate / 8


def pcie(generation: int) -> float:
    """B/s of 16 lanes: 8, 16, 32 GT/s in generations 3, 4, 5, of every 130 bits 128 data (PCI-SIG base specification)."""
    return 16 * 8e9 * 2 ** (generation - 3) * 128 / 130 / 8


DEVICES = {
    # NVIDIA: Tesla V100 white paper, table 1 (8 tensor cores an SM of 64 multiply-adds each); data sheet: 125 TFLOP/s, 900 GB/s.
    "v100": Device(
        name="V100 SXM2 32 GB",
        peak=rates(80, 1530 * MHZ, fp32=128, fp16=1024),
        bandwidth=900e9,
        memory=32768 * MIB,
        cache=6 * MIB,
        link=6 * 25e9,
        bus=pcie(3),
    ),
    # NVIDIA: A100 architecture white paper (4 tensor cores an SM of 256 multiply-adds in 16 bits); data sheet of the 80 GB module: 2,039 GB/s.
    "a100": Device(
        name="A100 SXM4 80 GB",
        peak=rates(108, 1410 * MHZ, fp32=128, tf32=1024, fp16=2048, bf16=2048, int8=4096, int4=8192),
        bandwidth=pins(5120, 2 * 1593 * MHZ),
        memory=81920 * MIB,
        cache=40 * MIB,
        link=12 * 25e9,
        bus=pcie(4),
    ),
    # NVIDIA: the same white paper and chip; data sheet of the 40 GB module: 1,555 GB/s.
    "a100-40gb": Device(
        name="A100 SXM4 40 GB",
        peak=rates(108, 1410 * MHZ, fp32=128, tf32=1024, fp16=2048, bf16=2048, int8=4096, int4=8192),
        bandwidth=pins(5120, 2 * 1215 * MHZ),
        memory=40960 * MIB,
        cache=40 * MIB,
        link=12 * 25e9,
        bus=pcie(4),
    ),
    # NVIDIA: H100 architecture white paper (4 tensor cores an SM of 512 multiply-adds in 16 bits; the ordinary cores clock higher than the tensor
    # cores: glennklockwood.com/garden/processors/h100); data sheet: 989 and 67 TFLOP/s, 3.35 TB/s.
    "h100": Device(
        name="H100 SXM5 80 GB",
        peak=rates(132, 1980 * MHZ, fp32=256) | rates(132, 1830 * MHZ, tf32=2048, fp16=4096, bf16=4096, fp8=8192, int8=8192),
        bandwidth=pins(5120, 2 * 2619 * MHZ),
        memory=81559 * MIB,
        cache=50 * MIB,
        link=18 * 25e9,
        bus=pcie(5),
    ),
    # NVIDIA: the same white paper and data sheet: 114 SMs, 756 and 51 TFLOP/s, 2 TB/s, NVLink bridges to one other GPU.
    "h100-pcie": Device(
        name="H100 PCIe 80 GB",
        peak=rates(114, 1755 * MHZ, fp32=256) | rates(114, 1620 * MHZ, tf32=2048, fp16=4096, bf16=4096, fp8=8192, int8=8192),
        bandwidth=pins(5120, 2 * 1593 * MHZ),
        memory=81559 * MIB,
        cache=50 * MIB,
        link=12 * 25e9,
        bus=pcie(5),
    ),
    # NVIDIA: H200 data sheet, the H100's chip and 4.8 TB/s. The driver's 6,144 pins at 2 * 3,201 MHz would be 4.92.
    "h200": Device(
        name="H200 SXM5 141 GB",
        peak=rates(132, 1980 * MHZ, fp32=256) | rates(132, 1830 * MHZ, tf32=2048, fp16=4096, bf16=4096, fp8=8192, int8=8192),
        bandwidth=4.8e12,
        memory=143771 * MIB,
        cache=50 * MIB,
        link=18 * 25e9,
        bus=pcie(5),
    ),
    # NVIDIA: DGX B200 data sheet, an eighth of a system; no clock is published. 64 TB/s for eight are 8 each, where the driver's 7,680 pins at
    # 2 * 3,996 MHz are 7.67 (pytorch/ao, pull request 4002, which also has the L2).
    "b200": Device(
        name="B200 SXM6 180 GB",
        peak={"fp32": 80e12, "tf32": 1125e12, "fp16": 2250e12, "bf16": 2250e12, "fp8": 4500e12, "int8": 4500e12, "fp4": 9000e12},
        bandwidth=8e12,
        memory=183359 * MIB,
        cache=253 * MIB // 2,
        link=18 * 50e9,
        bus=pcie(5),
    ),
    # NVIDIA: Ada architecture white paper, appendix A: 82.6 TFLOP/s in fp32, 165.2 in 16 bits added up in fp32. No NVLink.
    "rtx-4090": Device(
        name="GeForce RTX 4090 24 GB",
        peak=rates(128, 2520 * MHZ, fp32=256, tf32=256, fp16=512, bf16=512, fp8=1024, int8=2048, int4=4096),
        bandwidth=pins(384, 21 * GHZ),
        memory=24564 * MIB,
        cache=72 * MIB,
        link=pcie(4),
        bus=pcie(4),
    ),
    # NVIDIA: GA102 architecture white paper, appendix C (4 tensor cores an SM of 128 multiply-adds in 16 bits): 38.7 and 154.8 TFLOP/s, 768 GB/s. A
    # bridge of four links to one other GPU. With its ECC off, as it is shipped; on, the driver reports 46,068 MiB.
    "rtx-a6000": Device(
        name="RTX A6000 48 GB",
        peak=rates(84, 1800 * MHZ, fp32=256, tf32=512, fp16=1024, bf16=1024, int8=2048, int4=4096),
        bandwidth=pins(384, 16 * GHZ),
        memory=49140 * MIB,
        cache=6 * MIB,
        link=4 * 14.0625e9,
        bus=pcie(4),
    ),
    # NVIDIA: GA102 architecture white paper, appendix A: 35.6 TFLOP/s in fp32, 71 in 16 bits added up in fp32, half the A6000's rate an SM.
    "rtx-3090": Device(
        name="GeForce RTX 3090 24 GB",
        peak=rates(82, 1695 * MHZ, fp32=256, tf32=256, fp16=512, bf16=512, int8=2048, int4=4096),
        bandwidth=pins(384, 19.5 * GHZ),
        memory=24576 * MIB,
        cache=6 * MIB,
        link=4 * 14.0625e9,
        bus=pcie(4),
    ),
    # NVIDIA: GeForce RTX 3060, specifications: 3,584 cores at 1.78 GHz, 12.7 TFLOP/s in fp32, 192 pins at 15 Gbit/s; the 3090's SMs. No NVLink.
    "rtx-3060": Device(
        name="GeForce RTX 3060 12 GB",
        peak=rates(28, 1777 * MHZ, fp32=256, tf32=256, fp16=512, bf16=512, int8=2048, int4=4096),
        bandwidth=pins(192, 15 * GHZ),
        memory=12288 * MIB,
        cache=3 * MIB,
        link=pcie(4),
        bus=pcie(4),
    ),
    # AMD: ROCm documentation, "AMD Instinct MI300 series microarchitecture", table of peak performance; 8 stacks of 1,024 pins at 5.2 Gbit/s,
    # 5.3 TB/s; 7 Infinity Fabric links, one to each other GPU of a node.
    "mi300x": Device(
        name="Instinct MI300X 192 GB",
        peak=rates(304, 2100 * MHZ, fp32=256, tf32=1024, fp16=2048, bf16=2048, fp8=4096, int8=4096),
        bandwidth=pins(8192, 5.2 * GHZ),
        memory=206_141_652_992,
        cache=256 * MIB,
        link=7 * 64e9,
        bus=pcie(5),
    ),
}

if TYPE_CHECKING:
    Gpu = str
else:
    Gpu = Literal[tuple(DEVICES)]
