"""Contrastive search: the model's confidence in a candidate, minus how much it resembles what was written before.

    score = (1 - alpha) p(v) - alpha max_j cos(h_v, h_j)             (Su et al. 2022, arXiv 2202.06417, section on contrastive search)

Of the k likeliest tokens the one with the highest score is taken. With a plus sign it would reward resemblance, that is repetition.
"""

from typing import Annotated

from kernels import Bound, kernel

Unit = Annotated[float, Bound(low=0.0, high=1.0)]
Cosine = Annotated[float, Bound(low=-1.0, high=1.0)]


@kernel(kind="formula", outputs=dict.fromkeys(("repeat", "fresh", "repeat_plus", "fresh_plus", "lead", "even_alpha"), ""))
def contrastive_score(
    repeat_probability: Unit = 0.5,
    repeat_similarity: Cosine = 0.95,
    fresh_probability: Unit = 0.3,
    fresh_similarity: Cosine = 0.4,
    alpha: Unit = 0.6,
):
    """Scores of two candidates, one that repeats and one that does not, with the penalty subtracted and, as often misquoted, added.

    lead: of the fresh one. even_alpha: where both score the same, 0 where none does.
    """
    scores = {
        name + sign: (1 - alpha) * p + factor * alpha * similarity
        for name, p, similarity in (("repeat", repeat_probability, repeat_similarity), ("fresh", fresh_probability, fresh_similarity))
        for sign, factor in (("", -1), ("_plus", 1))
    }
    surer, nearer = repeat_probability - fresh_probability, repeat_similarity - fresh_similarity
    even = surer / (surer + nearer) if surer * nearer > 0 else 0.0
    return {**scores, "lead": scores["fresh"] - scores["repeat"], "even_alpha": even}
