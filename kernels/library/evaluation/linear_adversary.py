"""How far a change of at most eps per input moves a linear score w x: along sign(w), and at random.

    adversarial: eps ||w||_1        random signs: standard deviation eps ||w||_2

(Goodfellow et al. 2015, Explaining and Harnessing Adversarial Examples, arXiv 1412.6572, section 3). With ||w||_2 = 1 the
1-norm is sqrt(d) where all weights are equally large, and sqrt(2 d / pi), for large d, where they are normal.
"""

import math
from typing import Annotated, Literal

from kernels import Bound, Series, kernel


@kernel(kind="formula", outputs={"adversarial": "", "random": "", "ratio": "", "sweep": Series("inputs", "")})
def linear_adversary(
    inputs: Annotated[int, Bound(low=1)] = 150_528,
    eps: Annotated[float, Bound(low=0.0)] = 8 / 255,
    weights: Literal["equal", "normal"] = "normal",
):
    """The shift of a linear score whose weight vector has length 1, by the worst change of eps per input and by random signs.

    random is a standard deviation. ratio: worst over random. sweep: both against the number of inputs. 150,528 = 224 * 224 * 3.
    """
    sizes = [10**k for k in range(2, 7)]
    return {
        "adversarial": eps * one_norm(inputs, weights),
        "random": eps,
        "ratio": one_norm(inputs, weights),
        "sweep": {"inputs": sizes, "worst": [eps * one_norm(d, weights) for d in sizes], "random": [eps] * len(sizes)},
    }


def one_norm(inputs: int, weights: str) -> float:
    """The 1-norm of a vector of length 1."""
    return math.sqrt(inputs if weights == "equal" else 2 * inputs / math.pi)


@linear_adversary.figure
def draw(result, ax):
    from kernels import plot

    plot.height(ax, 200)
    plot.lines(ax, result["sweep"], xlog=True, ylog=True, x_label="number of inputs", y_label="shift of the score", highlight="worst")
