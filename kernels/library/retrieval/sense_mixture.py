"""What one vector for two senses is: a mixture, in counts exactly, and in vectors as far as they superpose.

Of a word's occurrences a share a is in sense 1. With r_i(c) = P(c | sense i) / P(c), its PMI with a context c is

    ln(a r_1(c) + (1 - a) r_2(c))                      exactly, since counts add

and with v = a s_1 + (1 - a) s_2 of unit sense vectors with cosine q between them (linear superposition: Arora et al. 2018, arXiv 1601.03764)

    cos(v, s_1) = (a + (1 - a) q) / |v|,   |v|^2 = a^2 + (1 - a)^2 + 2 a (1 - a) q
"""

import math
from typing import Annotated

from kernels import Bound, Series, kernel

SHARES = [i / 40 for i in range(41)]


@kernel(
    kind="formula",
    outputs={"own_pmi": "", "word_pmi": "", "drop": "", "major_cosine": "", "minor_cosine": "", "sweep": Series("share of the sense", "")},
)
def sense_mixture(
    share: Annotated[float, Bound(low=0.001, high=0.999)] = 0.1,
    own_ratio: Annotated[float, Bound(low=1e-6, high=1e6)] = 100.0,
    other_ratio: Annotated[float, Bound(low=0.0, high=1e6)] = 0.0,
    between: Annotated[float, Bound(low=-0.9, high=1.0)] = 0.0,
):
    """PMI and cosine of a word of two senses with what belongs to one of them, which is a `share` of its occurrences.

    own_ratio, other_ratio: how many times as often a context occurs with either sense as anywhere. between: cosine of the senses' vectors.
    own_pmi: the PMI that the sense alone would have; drop: by how much the word's lies below it. minor_cosine: of the word with the sense,
    major_cosine: with the other one. sweep: the cosine with the sense over its share.
    """
    own, word = math.log(own_ratio), math.log(share * own_ratio + (1 - share) * other_ratio)
    return {
        "own_pmi": own,
        "word_pmi": word,
        "drop": own - word,
        "major_cosine": with_first(1 - share, between),
        "minor_cosine": with_first(share, between),
        "sweep": {
            "share of the sense": SHARES,
            "this sense": [with_first(a, between) for a in SHARES],
            "the other": [with_first(1 - a, between) for a in SHARES],
        },
    }


def with_first(a: float, q: float) -> float:
    """The cosine of a s_1 + (1 - a) s_2 with s_1."""
    return (a + (1 - a) * q) / math.sqrt(a * a + (1 - a) ** 2 + 2 * a * (1 - a) * q)


@sense_mixture.figure
def draw(result, ax):
    from kernels import plot

    share, minor = result.parameters["share"], result["minor_cosine"]
    plot.lines(ax, result["sweep"], x_label="share of the occurrences in this sense", y_label="cosine of the word's vector with a sense")
    plot.mark(ax, share, minor, f"{plot.show(minor, '')} at {plot.show(share, 'percent')}", plot.AMBER, "right above", name="the share asked")
