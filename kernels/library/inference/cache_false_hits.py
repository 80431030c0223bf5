"""Wrong answers among the hits of a semantic cache: Bayes' rule, in which no temperature stands.

    hits = t r + (1 - t) f        wrong share = (1 - t) f / hits

t: lookups that have a question of the same meaning in the cache; r: of these, how many are recognised; f: of the others, how many are taken for
such. The lookup compares prompts, and returns a text that was drawn before: how it was drawn does not enter.
"""

from typing import Annotated

from kernels import Bound, Series, kernel

SHARES = tuple(k / 50 for k in range(1, 51))


@kernel(kind="formula", outputs={"hits": "", "wrong": "", "right": "", "sweep": Series("twins", "")})
def cache_false_hits(
    twins: Annotated[float, Bound(low=0.001, high=1.0)] = 0.1,
    recognised: Annotated[float, Bound(low=0.01, high=1.0)] = 0.9,
    mistaken: Annotated[float, Bound(low=0.0, high=1.0)] = 0.02,
):
    """The share of a semantic cache's hits that answer another question.

    hits: of all lookups. wrong, right: of the hits. sweep: the wrong share over how many lookups have a twin in the cache.
    """
    hits, wrong = of(twins, recognised, mistaken)
    return {
        "hits": hits,
        "wrong": wrong,
        "right": 1 - wrong,
        "sweep": {"twins": SHARES, "wrong": [of(t, recognised, mistaken)[1] for t in SHARES]},
    }


def of(twins: float, recognised: float, mistaken: float) -> tuple[float, float]:
    false = (1 - twins) * mistaken
    hits = twins * recognised + false
    return hits, false / hits
