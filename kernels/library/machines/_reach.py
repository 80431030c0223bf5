"""What well-kept kernels reach of a data sheet: one row a published measurement, a rate of one operation on one GPU.

A data sheet bounds a time from below; no kernel gets all of it. The share that a row's kernel reached is its rate over the peak in 16 bits where
arithmetic bounds the operation, over the memory's bandwidth where reading and writing do. So every prediction says two things:

    time       least: the longest of FLOP / peak, bytes / bandwidth and launches          declared Lower("s")
    expected   the same with peak and bandwidth each times the share that is reached       a Spread: from the highest share published to the lowest

`[[run.time | ms]]` prints the bound, `[[run.expected | ms range]]` what kernels take, and `[[run.reach | percent range]]` the share that decides.
The ends are those of the GPU's own rows, and of all GPUs' where it has none; with one row both are the same. The middle is halfway between.

    product            large dense products of matrices, 16 bits       arithmetic
    stream             copies, elementwise operations, norms, softmax: every tensor read or written once, far larger than the L2      memory
    attention          FlashAttention's forward pass over thousands of tokens, heads of 128                                          arithmetic
    latent attention   decode on a latent cache, absorbed                                                                            both
    decode             a whole step of a dense model in 16 bits at batch 1, compiled and replayed from graphs                         memory
    quantised decode   the same with weights of 8 and 4 bits                                                                          memory
    experts            a mixture's grouped products with gathering, activation and weighting                                         arithmetic

An operation that is bound by what has no row of it takes that from `product` and `stream`. Convolutions have no row that was opened, and so no
expected time. A launch takes at least 0.6 us replayed from a graph (ahrefs/ocannl issue 488, RTX 5070 Ti) and 3 to 9 us from Python
(meta-pytorch/tritonbench pull request 1017, GB200).

H800 SXM is H100 SXM with slower links. "A100, 330 W" is an A100 SXM4 80 GB below its 400 W. Sources were opened on 28 November 2026 but for the
rows that say otherwise.
"""

from dataclasses import dataclass
from typing import Literal

from kernels import Spread
from kernels.library.machines._devices import DEVICES

Operation = Literal["product", "stream", "attention", "latent attention", "decode", "quantised decode", "experts"]
Limit = Literal["arithmetic", "memory"]

MAMF = "github.com/stas00/ml-engineering at 744d01e, compute/accelerator, maximum achievable matmul FLOPS, bf16"
BENCHMARKS = "github.com/qhduan/transformers-benchmarks, README, matrix multiplication fp16"
GPT_FAST = "github.com/pytorch-labs/gpt-fast at 0f925b5, README, A100, 330 W"
TORCHAO = "github.com/pytorch/ao, torchao/quantization/README.md of 2025, H100, Llama-3.1-8B"
FLASH_MLA = "github.com/deepseek-ai/FlashMLA at 066b5ba, README and docs/20250422-new-kernel-deep-dive.md, H800 SXM"


@dataclass(frozen=True)
class Reached:
    """A published rate: FLOP/s under arithmetic, B/s under memory."""

    operation: Operation
    gpu: str
    limit: Limit
    rate: float
    source: str
    opened: bool = True

    @property
    def share(self) -> float:
        """Of the data sheet's peak in 16 bits, or of its bandwidth."""
        device = DEVICES[self.gpu]
        return self.rate / (device.half if self.limit == "arithmetic" else device.bandwidth)


REACHED = (
    Reached("product", "a100", "arithmetic", 271.2e12, MAMF),
    Reached("product", "a100", "arithmetic", 230e12, BENCHMARKS),
    Reached("product", "h100", "arithmetic", 794.5e12, MAMF),
    Reached("product", "h100", "arithmetic", 721.6e12, "github.com/triton-lang/triton issue 2339, cuBLAS fp16, 2048 x 8192 x 8192"),
    Reached("product", "h200", "arithmetic", 794.5e12, f"{MAMF}: as the H100"),
    Reached("product", "h200", "arithmetic", 684.8e12, "github.com/NVIDIA/tilus pull request 154, cuBLAS, 8192 cubed, the NVL card of 600 W"),
    Reached("product", "b200", "arithmetic", 1745e12, MAMF),
    Reached("product", "mi300x", "arithmetic", 668.4e12, MAMF),
    Reached("product", "v100", "arithmetic", 95e12, BENCHMARKS),
    Reached("product", "rtx-a6000", "arithmetic", 95e12, BENCHMARKS),
    Reached("product", "rtx-4090", "arithmetic", 161e12, BENCHMARKS),
    Reached("stream", "a100", "memory", 1.70e12, f"{GPT_FAST}: the peak bandwidth that was seen"),
    Reached("stream", "a100", "memory", 1.482e12, "github.com/NVIDIA/cccl pull request 7019, BabelStream's mul, 2^28 bytes in 362.2 us"),
    Reached("stream", "a100-40gb", "memory", 1.434e12, "github.com/ekondis/mixbench issue 18, 0.125 FLOP/B"),
    Reached("stream", "h100", "memory", 3.01e12, "github.com/Dao-AILab/quack at ca5369b, media/2025-07-10-membound-sol.md, softmax"),
    Reached("stream", "h100", "memory", 2.573e12, "github.com/NVIDIA/nccl issue 1264, the driver's copy within a GPU"),
    Reached("stream", "b200", "memory", 6.721e12, "github.com/NVIDIA/cccl pull request 7391, add, fp16, 2^28 elements"),
    Reached("stream", "mi300x", "memory", 4.2e12, "github.com/ROCm/legacy-rocm-build issue 5070, rocprofiler's roofline"),
    Reached("stream", "mi300x", "memory", 3.911e12, "github.com/ROCm/rocm-systems pull request 2934, what its test expects"),
    Reached("attention", "a100", "arithmetic", 230e12, "FlashAttention-2, arXiv 2307.08691, section 4.1", opened=False),
    Reached("attention", "h100", "arithmetic", 620.7e12, "github.com/pytorch/benchmark pull request 2391, FlashAttention-3, 16384 tokens"),
    Reached("attention", "h100", "arithmetic", 581.9e12, "github.com/meta-pytorch/tritonbench issue 141, cuDNN, 8192 tokens"),
    Reached("attention", "b200", "arithmetic", 1460e12, f"{FLASH_MLA}: as NVIDIA reports for its own, dense prefill"),
    Reached("latent attention", "h100", "arithmetic", 660e12, FLASH_MLA),
    Reached("latent attention", "h100", "arithmetic", 580e12, f"{FLASH_MLA}: the version before"),
    Reached("latent attention", "h100", "memory", 3.0e12, FLASH_MLA),
    Reached("decode", "a100", "memory", 1.397e12, f"{GPT_FAST}: Llama-2-7B"),
    Reached("decode", "a100", "memory", 1.482e12, f"{GPT_FAST}: Llama-2-70B on two, each"),
    Reached("decode", "h100", "memory", 1.905e12, f"{TORCHAO}: bf16"),
    Reached("decode", "rtx-4090", "memory", 0.859e12, "github.com/pytorch-labs/gpt-fast issue 27, Llama-2-7B, 65 tokens/s of 13.2 GB"),
    Reached("quantised decode", "a100", "memory", 1.323e12, f"{GPT_FAST}: Llama-2-70B in int8"),
    Reached("quantised decode", "a100", "memory", 0.863e12, f"{GPT_FAST}: Llama-2-7B in int4"),
    Reached("quantised decode", "h100", "memory", 1.495e12, f"{TORCHAO}: int8"),
    Reached("quantised decode", "h100", "memory", 1.019e12, f"{TORCHAO}: int4 in groups of 64"),
    Reached("experts", "h100", "arithmetic", 242.1e12, "github.com/ByteDance-Seed/VeOmni pull request 460, torch._grouped_mm, 128 experts"),
    Reached("experts", "h100", "arithmetic", 180.7e12, "github.com/ByteDance-Seed/VeOmni pull request 460, torch._grouped_mm, 512 experts"),
)
ELSE: dict[Limit, Operation] = {"arithmetic": "product", "memory": "stream"}


def reach(operation: Operation, gpu: str, limit: Limit) -> Spread:
    """The share of the data sheet that published kernels of an operation reach."""
    rows = [row for row in REACHED if (row.operation, row.limit) == (operation, limit)]
    if not rows:
        return reach(ELSE[limit], gpu, limit)
    shares = [row.share for row in rows if row.gpu == gpu] or [row.share for row in rows]
    return between(min(shares), max(shares))


def least(gpu: str, flops: float, moved: float, launching: float = 0.0, gpus: int = 1) -> float:
    """Seconds that the data sheet does not let an operation in 16 bits go below; with several GPUs peaks and bandwidths add up."""
    device = DEVICES[gpu]
    return max(flops / (gpus * device.half), moved / (gpus * device.bandwidth), launching)


def expected(operation: Operation, gpu: str, flops: float, moved: float, launching: float = 0.0, gpus: int = 1) -> Spread:
    """Seconds that published kernels of the operation would take."""
    arithmetic, memory = reach(operation, gpu, "arithmetic"), reach(operation, gpu, "memory")
    return between(
        least(gpu, flops / arithmetic.high, moved / memory.high, launching, gpus),
        least(gpu, flops / arithmetic.low, moved / memory.low, launching, gpus),
    )


def total(*times: Spread) -> Spread:
    """Of operations one after another."""
    return between(sum(time.low for time in times), sum(time.high for time in times))


def between(low: float, high: float) -> Spread:
    return Spread((low + high) / 2, low, high)
