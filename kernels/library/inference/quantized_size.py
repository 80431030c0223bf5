"""The true size of a quantised model: its scales and its unquantised rest counted.

A group of `group_size` weights shares one scale (and, in asymmetric formats, one zero point), so that a weight takes

    bits + (scale_bits + zero_bits) / group_size

(Frantar et al. 2022, GPTQ, arXiv 2210.17323, on grouping; Dettmers and Zettlemoyer 2022, arXiv 2212.09720, section 3). What is
quantised are the blocks' matrices; embeddings, output head, biases and norms stay in 16 bits unless `embeddings` says otherwise.
"""

from typing import Annotated, Literal

from kernels import Bound, kernel
from kernels.library.models._models import SHAPES, Model
from kernels.library.models.model_shape import model_shape


@kernel(
    kind="formula",
    outputs={
        "bits_per_weight": "",
        "total": "B",
        "quantized": "B",
        "scales": "B",
        "rest": "B",
        "nominal": "B",
        "bf16": "B",
        "average_bits": "",
        "compression": "",
    },
)
def quantized_size(
    model: Model,
    bits: Annotated[float, Bound(low=1, high=16)],
    group_size: Annotated[int, Bound(low=0)] = 128,
    scale_bits: Annotated[float, Bound(low=0, high=64)] = 16,
    zero_bits: Annotated[float, Bound(low=0, high=64)] = 0,
    embeddings: Literal["16bit", "quantized"] = "16bit",
):
    """The bytes of a weight-quantised model. group_size 0 means scales so few that they do not count (one per tensor).

    bits_per_weight: of a quantised weight, its share of the scale counted. nominal: parameters * bits / 8, what the
    name of the format suggests. average_bits: total over all parameters. compression: bf16 / total.
    """
    parameters = model_shape(model=model)["parameters"]
    touched = SHAPES[model].linear if embeddings == "16bit" else parameters
    overhead = (scale_bits + zero_bits) / group_size if group_size else 0.0
    quantized, scales, rest = touched * bits / 8, touched * overhead / 8, 2 * (parameters - touched)
    total = quantized + scales + rest
    return {
        "bits_per_weight": bits + overhead,
        "total": total,
        "quantized": quantized,
        "scales": scales,
        "rest": rest,
        "nominal": parameters * bits / 8,
        "bf16": 2 * parameters,
        "average_bits": 8 * total / parameters,
        "compression": 2 * parameters / total,
    }


@quantized_size.figure
def draw(result, ax):
    from kernels import plot

    bits = f"{result.parameters['bits']:g}"
    rows = {
        "bf16": {"weights": result["bf16"]},
        f"{bits} bits": {f"{bits}-bit weights": result["quantized"], "scales": result["scales"], "still 16-bit": result["rest"]},
    }
    fills = {"weights": plot.STONE, f"{bits}-bit weights": plot.ACCENT, "scales": plot.SAND, "still 16-bit": plot.STONE}
    plot.stacked_bars(ax, rows, unit="B", fills=fills)
