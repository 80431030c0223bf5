"""What generating an answer reads from memory: the weights at every step, and a cache that grows by a token each.

    step t reads the prompt's and the t - 1 earlier tokens' keys and values:   cache of an answer = k (a p + a (a - 1) / 2)

k bytes a token (models/kv_cache), p tokens of prompt, a of answer (Pope et al. 2022, arXiv 2211.05102, section 2). One sequence, or `batch` alike,
which share the weights and not the cache.
"""

from typing import Annotated

from kernels import Bound, KernelError, Series, kernel
from kernels.library.models._models import SHAPES, Model
from kernels.library.models._passes import read
from kernels.library.models.kv_cache import kv_cache


@kernel(
    kind="formula",
    outputs={
        "per_token": "B",
        "cache": "B",
        "weights": "B",
        "cache_share": "",
        "last_step": "B",
        "doubling": "",
        "equal_context": "token",
        "equal_answer": "token",
        "sweep": Series("context", "B", "token"),
    },
)
def generation_reads(
    model: Model,
    answer: Annotated[int, Bound("token", low=1, high=10**8)] = 32768,
    prompt: Annotated[int, Bound("token", low=0, high=10**8)] = 0,
    batch: Annotated[int, Bound(low=1, high=100_000)] = 1,
):
    """Bytes of cache and weights, all in 16 bits, that an answer's steps read; doubling: cache of twice the answer over this one's.

    equal_context: the context at which a step reads as much cache as weights; equal_answer: the answer, without a prompt, whose steps together do.
    last_step: of cache. sweep: a step's reads by context.
    """
    if SHAPES[model].experts > 1:
        raise KernelError(f"generation_reads: {model} routes tokens to experts: what a step reads depends on the routes (choose a dense model)")
    each = batch * kv_cache(model=model, tokens=1)["per_token"]
    once = 2 * read(model)
    cache = each * steps(answer, prompt)
    lengths = [i * 16384 for i in range(17)]
    return {
        "per_token": each,
        "cache": cache,
        "weights": answer * once,
        "cache_share": cache / (cache + answer * once),
        "last_step": each * (prompt + answer - 1),
        "doubling": steps(2 * answer, prompt) / max(steps(answer, prompt), 1),
        "equal_context": once / each,
        "equal_answer": 2 * once / each + 1,
        "sweep": {"context": lengths, "weights": [once] * len(lengths), "weights and cache": [once + each * n for n in lengths]},
    }


def steps(answer: int, prompt: int) -> int:
    """Cached tokens read, summed over the answer's steps."""
    return answer * prompt + answer * (answer - 1) // 2


@generation_reads.figure
def draw(result, ax):
    from kernels import plot

    plot.lines(
        ax,
        result["sweep"],
        labels={"weights and cache": "all", "weights": "weights"},
        x_label="context",
        y_label="read in a step",
        highlight="weights and cache",
    )
