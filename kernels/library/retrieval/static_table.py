"""A table of word vectors: what it holds, and what looking one word up touches, beside a contextual encoder of BERT's shape.

held      V d numbers                       touched by one token   d
encoder   V d embeddings, and 12 L w^2 weights in L blocks of width w, all of which multiply every token: 2 FLOP each
"""

from typing import Annotated

from kernels import Bound, kernel


@kernel(kind="formula", outputs={"parameters": "", "table": "B", "row": "B", "over_encoder": "", "encoder_flop": "FLOP", "encoder_blocks": ""})
def static_table(
    vocabulary: Annotated[int, Bound(low=1)] = 3_000_000,
    dimension: Annotated[int, Bound(low=1)] = 300,
    value_bytes: Annotated[int, Bound("B", low=1, high=8)] = 4,
    encoder: Annotated[int, Bound(low=1)] = 109_482_240,
    layers: Annotated[int, Bound(low=1, high=1000)] = 12,
    width: Annotated[int, Bound(low=1, high=100_000)] = 768,
):
    """Parameters and bytes of a table of word vectors, and those of a row; over an encoder's parameters.

    encoder: its parameters in all (the default is BERT-base). encoder_blocks: the weights of its blocks' matrices; encoder_flop: of one token in
    them.
    """
    parameters, blocks = vocabulary * dimension, 12 * layers * width**2
    return {
        "parameters": parameters,
        "table": parameters * value_bytes,
        "row": dimension * value_bytes,
        "over_encoder": parameters / encoder,
        "encoder_flop": 2 * blocks,
        "encoder_blocks": blocks,
    }


@static_table.figure
def draw(result, ax):
    from kernels import plot

    given = result.parameters
    held = {
        "word vectors": {"table": result["parameters"]},
        "encoder": {"rest": given["encoder"] - result["encoder_blocks"], "blocks": result["encoder_blocks"]},
    }
    if given["encoder"] < result["encoder_blocks"]:
        held["encoder"] = {"blocks": result["encoder_blocks"]}
    plot.stacked_bars(ax, held, "", fills={"table": plot.SAND, "blocks": plot.ACCENT, "rest": plot.SAND})
