"""What a cached prefix saves of the prefill, and of the time to the first token.

    FLOP of p tokens = p * products + attention * p (p + 1) / 2        left = FLOP(p) - FLOP(shared)        TTFT = rest + FLOP / (peak * reached)

(Kaplan et al. 2020, arXiv 2001.08361, section 2.1, for the FLOP; Zheng et al. 2023, SGLang, arXiv 2312.07104, for prefixes.) New tokens still
attend to the prefix; the output head, which the last token alone needs, is left out. `rest` is what no cache of prefixes touches: network, queue,
retrieval, the first step of decoding.
"""

from typing import Annotated

from kernels import Bound, Free, KernelError, Series, kernel
from kernels.library.machines._devices import DEVICES, Gpu
from kernels.library.models._models import SHAPES, Model
from kernels.library.models._passes import attended, multiplied
from kernels.library.models.kv_cache import kv_cache

SHARES = tuple(k / 20 for k in range(20))


@kernel(
    kind="formula",
    outputs={
        "share": "",
        "saved": "",
        "prefill": "s",
        "prefill_left": "s",
        "ttft": "s",
        "ttft_left": "s",
        "ttft_cut": "",
        "cache": "B",
        "sweep": Series("share", ""),
    },
)
def prefix_reuse(
    prompt: Annotated[int, Bound("token", low=1, high=1_000_000)] = 3000,
    shared: Annotated[int, Bound("token", low=0, high=1_000_000)] = 2000,
    rest: Annotated[float, Bound("s", low=0.0, high=100.0), Free(0.0, 0.2)] = 0.2,
    reached: Annotated[float, Bound(low=0.01, high=1.0)] = 0.5,
    model: Model = "llama-3-8b",
    gpu: Gpu = "h100",
    gpus: Annotated[int, Bound(low=1, high=64)] = 1,
):
    """The prefill that a shared prefix saves, of one prompt, and what becomes of its time to the first token.

    share: of the prompt's tokens. saved: of the prefill's FLOP. *_left: with the prefix in the cache. ttft_cut: the share by which TTFT falls.
    cache: of the prefix, in bf16. sweep: TTFT's fall by the share of the prompt that is shared. Whether TTFT is the engine's
    alone or the user's is a matter of words, so the rest is free. gpus share the arithmetic; communication is left out.
    """
    if shared >= prompt:
        raise KernelError(f"prefix_reuse: {shared} of {prompt} tokens are shared (at least the last token must be new)")
    shape = SHAPES[model]
    products, attention, rate = 2.0 * (multiplied(shape) - shape.vocab * shape.d_model), attended(shape), DEVICES[gpu].half * reached * gpus

    def flops(p: float) -> float:
        return p * products + attention * p * (p + 1) / 2

    whole = flops(prompt)

    def cut(p: float) -> float:
        return flops(p) / rate / (rest + whole / rate)

    return {
        "share": shared / prompt,
        "saved": flops(shared) / whole,
        "prefill": whole / rate,
        "prefill_left": (whole - flops(shared)) / rate,
        "ttft": rest + whole / rate,
        "ttft_left": rest + (whole - flops(shared)) / rate,
        "ttft_cut": cut(shared),
        "cache": shared * kv_cache(model=model, tokens=1)["per_token"],
        "sweep": {"share": SHARES, "cut": [cut(s * prompt) for s in SHARES]},
    }


@prefix_reuse.figure
def draw(result, ax):
    from kernels import plot

    rows = {
        "nothing cached": {"the rest": result.parameters["rest"], "prefill": result["prefill"]},
        "prefix cached": {"the rest": result.parameters["rest"], "prefill": result["prefill_left"]},
    }
    plot.stacked_bars(ax, rows, "s")
