"""What k retrieved chunks cost before the first token: tokens, the least time of the prefill, and the cache that they hold.

    tokens = k c + rest        time = max(2 B a weight / bandwidth, FLOP / peak, launching)        (Pope et al. 2022, arXiv 2211.05102)

One request on one GPU in bf16. FLOP: two for each multiplied weight and token, and the causal attention of the prompt to itself.
"""

from typing import Annotated

from kernels import Bound, Lower, Series, kernel
from kernels.library.machines._devices import Gpu
from kernels.library.models._models import Model
from kernels.library.models.kv_cache import kv_cache
from kernels.library.serving._serving import server

CHUNKS = (0, 1, 2, 3, 5, 8, 10, 15, 20, 30, 40, 50)


@kernel(
    kind="prediction",
    outputs={
        "tokens": "token",
        "context": "token",
        "prefill": Lower("s"),
        "prefill_bare": Lower("s"),
        "per_chunk": Lower("s"),
        "cache": "B",
        "over_bare": "",
        "sweep": Series("chunks", "s"),
    },
)
def rag_context(
    chunks: Annotated[int, Bound(low=1, high=1000)] = 5,
    chunk: Annotated[int, Bound("token", low=1, high=10_000)] = 512,
    rest: Annotated[int, Bound("token", low=1, high=100_000)] = 200,
    model: Model = "llama-3-8b",
    gpu: Gpu = "h100",
    launching: Annotated[float, Bound("s", low=0, high=0.05)] = 0.0,
):
    """Tokens of the prompt, the least time until it is read, and the KV cache of it.

    rest: question and instructions. launching: seconds of launches, below which no pass is. prefill_bare: without any chunk; over_bare: how often
    as long it takes with them; per_chunk: what they add, each on average. sweep: by chunks.
    """
    made = server(model, gpu)

    def reading(tokens: int) -> float:
        return max(launching, made.prefill([tokens]))

    tokens = chunks * chunk + rest
    prefill, bare = reading(tokens), reading(rest)
    return {
        "tokens": tokens,
        "context": chunks * chunk,
        "prefill": prefill,
        "prefill_bare": bare,
        "per_chunk": (prefill - bare) / chunks,
        "cache": kv_cache(model=model, tokens=tokens)["total"],
        "over_bare": prefill / bare,
        "sweep": {"chunks": list(CHUNKS), "prefill": [reading(k * chunk + rest) for k in CHUNKS]},
    }


@rag_context.figure
def draw(result, ax):
    from kernels import plot

    plot.lines(ax, result["sweep"], labels={"prefill": ""}, x_label=f"chunks of {result.parameters['chunk']} tokens", y_label="least prefill")
    chunks = result.parameters["chunks"]
    if chunks <= CHUNKS[-1]:
        plot.mark(ax, chunks, result["prefill"], f"{chunks} chunks: {plot.show(result['prefill'], 's')}", plot.ACCENT, "right below")
