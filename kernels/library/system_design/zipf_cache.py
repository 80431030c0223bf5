"""What a cache of answers saves, where questions follow Zipf's law and each answer is kept for a time.

    p_i = i^-s / sum_j j^-s        n_i = repeatable * rate * p_i * T        hits of question i = n_i / (1 + n_i)
    saved = repeatable * sum_i p_i hits_i

A miss stores the answer and the next T seconds are hits, so that of n_i + 1 calls one is a miss: exact where calls are a Poisson process
(renewal theory; Jung, Berger and Balakrishnan 2003, Modeling TTL-based Internet caches, INFOCOM). The cache is large enough for all questions,
and finds each of them in whatever words: a bound for a real one, which also has to recognise them.
"""

from typing import Annotated

from kernels import Bound, Free, Series, kernel

SKEWS = tuple(k / 4 for k in range(9))


@kernel(kind="formula", outputs={"hit": "", "saved": "", "top_share": "", "kept": "", "sweep": Series("skew", "")})
def zipf_cache(
    intents: Annotated[int, Bound(low=1, high=10_000)] = 5000,
    skew: Annotated[float, Bound(low=0.0, high=3.0), Free(0.6, 1.2)] = 0.9,
    rate: Annotated[float, Bound("1/s", low=1e-9, high=1e6)] = 0.05,
    ttl: Annotated[float, Bound("s", low=1.0, high=1e8)] = 86400.0,
    repeatable: Annotated[float, Bound(low=0.0, high=1.0), Free(0.3, 0.7)] = 0.5,
):
    """The share of calls that a cache of answers takes over, at the most, by how skewed the questions are.

    rate: of all calls. hit: of the questions that may be answered from a cache; repeatable: their share of all calls, the rest being about the
    person or the conversation. top_share: of such calls, what the hundredth part of the intents asks. kept: answers in the cache on average. Both
    the skew and the share of repeatable calls are the service's own, so they are free. sweep: saved, by skew.
    """

    def shares(s: float) -> list[float]:
        weights = [i**-s for i in range(1, intents + 1)]
        total = sum(weights)
        return [w / total for w in weights]

    calls = repeatable * rate * ttl  # that may be answered from a cache, while an answer is kept

    def hits(p: list[float]) -> float:
        return sum(x * (calls * x) / (1 + calls * x) for x in p)

    p = shares(skew)
    hit = hits(p)
    return {
        "hit": hit,
        "saved": repeatable * hit,
        "top_share": sum(p[: max(1, intents // 100)]),
        "kept": sum(calls * x / (1 + calls * x) for x in p),
        "sweep": {"skew": SKEWS, "saved": [repeatable * hits(shares(s)) for s in SKEWS]},
    }


@zipf_cache.figure
def draw(result, ax):
    from kernels import plot

    share, skew = result.parameters["repeatable"], result.parameters["skew"]
    plot.lines(ax, result["sweep"], labels={"saved": ""}, unit="percent", x_label="Zipf exponent of the questions", y_label="calls saved at most")
    plot.hline(ax, share, f"repeatable: {100 * share:.0f} %")
    plot.mark(ax, skew, result["saved"], f"{100 * result['saved']:.0f} % at {skew:g}", plot.ACCENT, "right below")
