"""The FLOP of a transformer block's forward pass by class of operator: matrix products, softmax, norms.

Ivanov et al. 2021, Data Movement Is All You Need, arXiv 2007.00072, section 3, sort a BERT layer's operators into tensor contractions,
statistical normalisations (softmax and layer norm together) and element-wise ones. This kernel keeps softmax and norms apart.

Per element: LayerNorm 7 (mean, subtract, square, mean, scale, weight, bias), RMSNorm 4 (square, mean, scale, weight), softmax 6 for
each score (scale, maximum, subtract, exponential, sum, divide). Element-wise operators, far less than a percent, are left out.
"""

from typing import Annotated

from kernels import Bound, kernel
from kernels.library.models._models import SHAPES, Model

NORM = {"layer": 7, "rms": 4}
SOFTMAX = 6


@kernel(
    kind="formula",
    outputs={
        "products": "FLOP/token",
        "softmax": "FLOP/token",
        "norms": "FLOP/token",
        "products_share": "",
        "softmax_share": "",
        "norms_share": "",
        "normalisations_share": "",
    },
)
def operator_flops(model: Model, sequence: Annotated[int, Bound("token", low=1)], causal: bool = False):
    """FLOP per token of one block, forward, by class, and each class's share of the three together.

    normalisations_share: softmax and norms together. causal: only the half of the scores that is not masked.
    """
    shape = SHAPES[model]
    keys = sequence / 2 if causal else sequence
    matrices = sum((shape.active_experts if shape.copies(layer) > 1 else 1) * i * o for layer, (i, o) in shape.linear_layers.items())
    flops = {
        "products": 2 * matrices + 4 * shape.heads * shape.head_dim * keys,
        "softmax": SOFTMAX * shape.heads * keys,
        "norms": 2 * NORM[shape.norm] * shape.d_model,
    }
    total = sum(flops.values())
    return {
        **flops,
        **{f"{name}_share": value / total for name, value in flops.items()},
        "normalisations_share": (flops["softmax"] + flops["norms"]) / total,
    }
