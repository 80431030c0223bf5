"""What more data leaves of the reducible error, by its exponent: of a manifold's dimension, or fitted.

    error ~ D^-alpha,   alpha = 4 / d  for a piecewise straight fit and a squared kind of loss
    f times the data leave f^-alpha of it,   half of it takes 2^(1 / alpha) times the data

(Sharma and Kaplan 2020, arXiv 2004.10802; Bahri et al. 2021, arXiv 2102.06701, where the exponent lies between 1/d and 4/d by smoothness and loss.)
"""

import math
from typing import Annotated

from kernels import Bound, Free, Series, kernel

SHOWN = (4, 16, 64)


@kernel(kind="formula", outputs={"exponent": "", "left": "", "gain": "", "halving": "", "halving_digits": "", "sweep": Series("data", "")})
def dimension_scaling(
    dimension: Annotated[float, Bound(low=1.0, high=1000.0), Free(4.0, 100.0)] = 16.0,
    power: Annotated[float, Bound(low=1.0, high=4.0)] = 4.0,
    factor: Annotated[float, Bound(low=1.0, high=1e6)] = 10.0,
):
    """The exponent power / dimension, what `factor` times the data leave of the error and take off it, and how many times the data halve it.

    dimension: of the data's manifold; estimates for images and texts lie between several and a hundred, so free. halving_digits: its logarithm.
    sweep: the error by data, 1 at the start, for some dimensions.
    """
    exponent = power / dimension
    grid = [10.0 ** (i / 2) for i in range(9)]
    return {
        "exponent": exponent,
        "left": factor**-exponent,
        "gain": 1 - factor**-exponent,
        "halving": 2 ** (1 / exponent),
        "halving_digits": math.log10(2) / exponent,
        "sweep": {"data": grid, **{f"d{d}": [x ** (-power / d) for x in grid] for d in SHOWN}},
    }
