"""What speculative decoding gains as the batch grows: each further sequence's check is arithmetic that no longer hides behind reading the weights.

    speed-up(b) = (1 + a + .. + a^g) * pass(target, b, 1) / (g pass(draft, b, 1) + pass(target, b, g + 1))

pass(m, b, n) is the least time of a step of b sequences and n positions each (decode_roofline: the largest of bytes over bandwidth, FLOP over peak
and launching); a and g as in Leviathan et al. 2023, arXiv 2211.17192. Long contexts make the step wait for caches, whose reading the positions of a
check share, so that batches may be larger (Sadhukhan et al. 2024, MagicDec, arXiv 2408.11049). Sampling and communication are left out.
"""

from typing import Annotated

from kernels import Bound, Lower, Series, kernel
from kernels.library.inference.decode_roofline import decode_roofline
from kernels.library.inference.speculative_speedup import expected
from kernels.library.machines._devices import Gpu
from kernels.library.models._models import Model

BATCHES = tuple(2**k for k in range(11))


@kernel(
    kind="prediction",
    outputs={
        "step": Lower("s"),
        "speedup": "",
        "speedup_one": "",
        "verify_ratio": "",
        "cost_ratio": "",
        "loses_from": "",
        "sweep": Series("batch", ""),
    },
)
def speculative_batch(
    target: Model = "llama-3-70b",
    draft: Model = "llama-3.2-1b",
    draft_tokens: Annotated[int, Bound(low=1, high=64)] = 4,
    acceptance: Annotated[float, Bound(low=0.0, high=1.0)] = 0.7,
    context: Annotated[int, Bound("token", low=0, high=1_000_000)] = 1000,
    batch: Annotated[int, Bound(low=1, high=100_000)] = 256,
    gpus: Annotated[int, Bound(low=1, high=1024)] = 4,
    gpu: Gpu = "h100",
    launching: Annotated[float, Bound("s", low=0, high=0.05)] = 0.0,
):
    """The speed-up of drafting by how many sequences are decoded together, by the data sheet; draft and target share the GPUs.

    step: without drafts. verify_ratio: a check over a step without drafts, at that batch; cost_ratio: a draft's step over it.
    loses_from: the smallest power of two, up to 1,024, at which drafting is slower than not, 0 where there is none.
    """

    def time(model, b: int, positions: int = 1) -> float:
        made = decode_roofline(model=model, batch=b, context=context, gpu=gpu, gpus=gpus, positions=positions, launching=launching)
        return made["time"]

    def parts(b: int) -> tuple[float, float]:
        step = time(target, b)
        return time(draft, b) / step, time(target, b, draft_tokens + 1) / step

    def gain(b: int) -> float:
        cost, verify = parts(b)
        return expected(acceptance, draft_tokens) / (draft_tokens * cost + verify)

    cost, verify = parts(batch)
    gains = [gain(b) for b in BATCHES]
    return {
        "step": time(target, batch),
        "speedup": gain(batch),
        "speedup_one": gains[0],
        "verify_ratio": verify,
        "cost_ratio": cost,
        "loses_from": next((b for b, g in zip(BATCHES, gains) if g < 1), 0),
        "sweep": {"batch": BATCHES, "speed-up": gains},
    }


@speculative_batch.figure
def draw(result, ax):
    from kernels import plot

    batch, speedup = result.parameters["batch"], result["speedup"]
    plot.lines(ax, result["sweep"], xlog=True, labels={"speed-up": ""}, x_label="sequences decoded together", y_label="speed-up")
    plot.hline(ax, 1.0, "without drafts")
    if batch <= 1024:
        plot.mark(ax, batch, speedup, f"{speedup:.2g} times at {batch}", plot.AMBER if speedup < 1 else plot.ACCENT, "left below")
