"""One request's time line, and how many requests are in flight.

    latency = TTFT + (n - 1) * TPOT            n output tokens, the first of which ends the TTFT
    in flight = rate * latency                 Little's law: Little 1961, Operations Research 9(3)
    cache = in flight * mean cached tokens * bytes of a token

(TTFT and TPOT as in Zhong et al. 2024, DistServe, arXiv 2401.09670, section 1.) While it decodes, a request holds its prompt and on average half of
its answer; during its TTFT, queueing included, no more than its prompt, which is counted whole.
"""

from typing import Annotated

from kernels import Bound, kernel
from kernels.library.models._models import Model
from kernels.library.models.kv_cache import kv_cache


@kernel(
    kind="formula",
    outputs={
        "latency": "s",
        "decoding": "s",
        "per_user": "token/s",
        "over_all": "token/s",
        "in_flight": "",
        "cached_tokens": "token",
        "cache": "B",
        "cache_at_end": "B",
        "throughput": "token/s",
    },
)
def serving_load(
    ttft: Annotated[float, Bound("s", low=0.0, high=1e4)] = 0.2,
    tpot: Annotated[float, Bound("s", low=1e-6, high=100.0)] = 0.02,
    output: Annotated[int, Bound("token", low=1, high=1_000_000)] = 500,
    prompt: Annotated[int, Bound("token", low=1, high=1_000_000)] = 1000,
    rate: Annotated[float, Bound("1/s", low=1e-6, high=1e6)] = 10.0,
    model: Model = "llama-3-8b",
):
    """A request's latency from its TTFT and TPOT, and by Little's law the requests in flight and the cache that they hold.

    decoding: from the first token to the last. per_user: tokens a second while they stream; over_all: over the whole latency. cached_tokens: of a
    request in flight, on average. cache: of all in flight; cache_at_end: were each at its last token. throughput: of the system, in output tokens.
    """
    decoding = (output - 1) * tpot
    latency = ttft + decoding
    flight = rate * latency
    per_token = kv_cache(model=model, tokens=1)["per_token"]
    cached = (ttft * prompt + decoding * (prompt + output / 2)) / latency if latency else prompt
    return {
        "latency": latency,
        "decoding": decoding,
        "per_user": 1 / tpot,
        "over_all": output / latency if latency else 0.0,
        "in_flight": flight,
        "cached_tokens": cached,
        "cache": flight * cached * per_token,
        "cache_at_end": flight * (prompt + output) * per_token,
        "throughput": rate * output,
    }


@serving_load.figure
def draw(result, ax):
    """The time line of a request of five tokens, not to scale."""
    from kernels import plot

    plot.height(ax, 150)
    ax.axis("off")
    ax.set_xlim(0, 330)
    ax.set_ylim(150, 0)
    start, queue, ticks = 8, 62, (128, 176, 224, 272, 320)
    for left, right, name, fill in ((start, queue, "queue", plot.STONE), (queue, ticks[0], "prefill", plot.SAND)):
        ax.fill_between([left, right - 1], 62, 84, color=fill, linewidth=0)
        ax.text((left + right) / 2, 77, name, ha="center", color=plot.INK, fontsize=plot.SMALL)
    ax.plot([ticks[0], ticks[-1]], [73, 73], color=plot.HAIRLINE, linewidth=2)
    for t in ticks:
        ax.plot([t, t], [62, 84], color=plot.ACCENT, linewidth=2.5)
    for left, right, y, name, color in (
        (start, ticks[0], 42, "TTFT", plot.AMBER),
        (ticks[1], ticks[2], 42, "ITL", plot.ACCENT),
        (start, ticks[-1], 112, "end-to-end latency", plot.INK),
    ):
        ax.annotate("", (left, y), (right, y), arrowprops={"arrowstyle": "<->", "color": color, "linewidth": 1.2, "shrinkA": 0, "shrinkB": 0})
        above = y < 80
        ax.text((left + right) / 2, y - 7 if above else y + 17, name, ha="center", color=color, fontsize=plot.TEXT)
    ax.text(ticks[-1], 58, "tokens", ha="right", color=plot.MUTED, fontsize=plot.SMALL)
    ax.text(start, 100, "sent", ha="left", color=plot.MUTED, fontsize=plot.SMALL)
    return (
        "A request's time line, not to scale: queue, prefill, then five tokens as ticks. TTFT spans queue and prefill up to the first tick, "
        "ITL lies between two neighbouring ticks, end-to-end latency from sending to the last tick."
    )
