"""Vectors in a cone: a common part lifts every cosine, and subtracting the mean takes it away again.

Unit vectors x_i = m + r_i with r_i at right angles to m and f = |m|^2, so that |r_i|^2 = 1 - f:

    cos(x_i, x_j) = f + (1 - f) cos(r_i, r_j)

The r_i of unrelated texts have cosine 0 on average, so the mean cosine is f, and a pair's cosine after centring is (cos - f) / (1 - f). An affine
map, the same for all pairs: their order stays. Real embeddings have unequal lengths, and a mean that is not at right angles to every rest.
"""

from typing import Annotated

from kernels import Bound, KernelError, Series, kernel

CENTRED = [i / 20 for i in range(-6, 21)]


@kernel(kind="formula", outputs={"centred": "", "mean": "", "range": "", "angle": "", "rescaled": "", "sweep": Series("centred cosine", "")})
def cone_cosine(
    common: Annotated[float, Bound(low=0.0, high=0.999)] = 0.6,
    cosine: Annotated[float, Bound(low=-1.0, high=1.0)] = 0.8,
    other_common: Annotated[float, Bound(low=0.0, high=0.999)] = 0.1,
):
    """The cosine of a pair once the common part of all vectors is subtracted, and what the same pair would show in another cone.

    common: the mean cosine of unrelated pairs, which is the squared length of the mean vector; other_common: the same of another model. range:
    what is left between unrelated and equal. angle: of each vector to the axis, in degrees. rescaled: the cosine in the other model of a pair
    whose centred cosine is the same. sweep: the cosine over the centred one.
    """
    import math

    if cosine < 2 * common - 1:
        raise KernelError(f"cone_cosine: with {common:g} in common a pair's cosine must be {2 * common - 1:g} or more")
    centred = (cosine - common) / (1 - common)
    return {
        "centred": centred,
        "mean": common,
        "range": 1 - common,
        "angle": math.degrees(math.acos(math.sqrt(common))),
        "rescaled": other_common + (1 - other_common) * centred,
        "sweep": {
            "centred cosine": CENTRED,
            **{f"mean {share:g}": [share + (1 - share) * c for c in CENTRED] for share in sorted({0.0, other_common, common})},
        },
    }


@cone_cosine.figure
def draw(result, ax):
    from kernels import plot

    plot.lines(ax, result["sweep"], labels={"mean 0": "mean 0"}, x_label="cosine after subtracting the mean", y_label="cosine as it is", zero=False)
    given = result.parameters
    plot.mark(ax, result["centred"], given["cosine"], f"{given['cosine']:g}", plot.AMBER, "left above", name="the pair")
