"""Two variants on the same questions: is the gain more than chance? The exact sign test, and the test that forgets the pairing.

Of n questions b were right before and are wrong now, c the other way round. Were the variants equally good, each of the b + c would be a fair coin:

    p = min(1, 2 P(X >= max(b, c))),   X ~ Binomial(b + c, 1/2)        z, unpaired: gain / sqrt(p1 (1 - p1) / n + p2 (1 - p2) / n)

(McNemar 1947, Psychometrika 12, 153, in its exact form.)
"""

import math
from typing import Annotated

from kernels import Bound, Free, Series, kernel

SIZES = (10, 20, 30, 40, 50, 70, 100)


@kernel(kind="formula", outputs={"gained": "", "lost": "", "p_value": "", "z": "", "p_unpaired": "", "needed": "", "sweep": Series("questions", "")})
def paired_gain(
    questions: Annotated[int, Bound(low=5, high=5000)] = 50,
    before: Annotated[float, Bound(low=0.0, high=1.0)] = 0.6,
    after: Annotated[float, Bound(low=0.0, high=1.0)] = 0.8,
    broken: Annotated[float, Bound(low=0.0, high=1.0), Free(0.0, 0.1)] = 0.05,
):
    """Questions gained and lost, the sign test's p, the unpaired z and its p.

    broken: the share of questions that the change turns from right to wrong, which accuracies do not tell, so free from none to one in ten;
    never more than were right before or are wrong after.
    needed: the fewest questions, in tens, from which on the sign test stays under 5 %; 0 where 500 are too few.
    """
    broken = min(broken, before, 1 - after)
    gained, lost, p = sign(questions, before, after, broken)
    variance = (before * (1 - before) + after * (1 - after)) / questions
    z = (after - before) / math.sqrt(variance) if variance > 0 else 0.0
    enough = [n for n in range(10, 501, 10) if sign(n, before, after, broken)[2] < 0.05]
    short = [n for n in range(10, 501, 10) if n not in enough]
    first = (max(short) + 10 if short else 10) if enough and (not short or max(short) < 500) else 0
    return {
        "gained": gained,
        "lost": lost,
        "p_value": p,
        "z": z,
        "p_unpaired": math.erfc(abs(z) / math.sqrt(2)),
        "needed": first,
        "sweep": {"questions": SIZES, "p": [sign(n, before, after, broken)[2] for n in SIZES]},
    }


def sign(questions: int, before: float, after: float, broken: float) -> tuple[int, int, float]:
    """(gained, lost, p): counts rounded to whole questions."""
    lost = math.floor(broken * questions + 0.5)
    gained = max(math.floor((after - before) * questions + 0.5) + lost, 0)
    n, most = gained + lost, max(gained, lost)
    tail = sum(math.comb(n, k) for k in range(most, n + 1))
    return gained, lost, min(1.0, 2 * tail / 2**n)


@paired_gain.figure
def draw(result, ax):
    from kernels import plot

    plot.lines(ax, result["sweep"], labels={"p": ""}, x_label="questions in the test", y_label="p of the sign test")
    plot.hline(ax, 0.05, "5 %")
    questions = result.parameters["questions"]
    if questions in SIZES:
        plot.mark(ax, questions, result["p_value"], f"{questions} questions", plot.ACCENT, "right above")
