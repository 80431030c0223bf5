"""The activations that a transformer keeps for its backward pass, layer by layer, and what recomputation leaves of them.

For a layer of a GPT in 16 bits with dropout, s tokens, batch b, width h, a heads (Korthikanti et al. 2022, Reducing Activation
Recomputation in Large Transformer Models, arXiv 2205.05198, equations 1 to 6):

    naive          s b h (34 + 5 a s / h)      the second term: softmax, its dropout mask and output, s x s for every head
    flash          34 s b h + 4 a s b          the matrix is never stored, one fp32 number a row is (Dao et al. 2022, arXiv 2205.14135)
    selective      34 s b h                    the matrix is computed again
    checkpointed   2 s b h                     the layer's input alone, and one whole layer at a time while it is computed again

The 34: attention 11 (input, q, k, v, the projection's input, a mask), MLP 19 (input, 4h before and after GELU, a mask), two norms 4.
"""

from typing import Annotated

from kernels import Bound, KernelError, Series, kernel

WAYS = ("naive", "flash", "checkpointed")


@kernel(
    kind="formula",
    outputs={
        **{f"{way}_layer": "B" for way in WAYS},
        **dict.fromkeys((*WAYS, "selective", "segments"), "B"),
        "best_segment": "",
        "matrix_share": "",
        "sweep": Series("segment", "B"),
    },
)
def activation_memory(
    width: Annotated[int, Bound(low=1)],
    heads: Annotated[int, Bound(low=1)],
    layers: Annotated[int, Bound(low=1, high=100_000)],
    tokens: Annotated[int, Bound("token", low=1)] = 2048,
    batch: Annotated[int, Bound(low=1)] = 1,
):
    """The activations that one device keeps for the backward pass of a GPT in 16 bits: naive or fused attention, and checkpointed.

    layer: of one layer. checkpointed: the inputs of all layers, and one layer whole. segments: the least that equal segments of several
    layers reach, each computed again as one; best_segment: its length. matrix_share: the attention matrices' part of naive.
    sweep: memory over the layers a segment holds.
    """
    if width % heads:
        raise KernelError(f"activation_memory: width is {width}, but must be a multiple of the {heads} heads")
    linear, inputs = 34 * tokens * batch * width, 2 * tokens * batch * width
    layer = {"naive": linear + 5 * heads * tokens**2 * batch, "flash": linear + 4 * heads * tokens * batch, "checkpointed": inputs}
    lengths = [k for k in range(1, layers + 1) if layers % k == 0]
    kept = {k: layers // k * inputs + k * layer["flash"] for k in lengths}
    best = min(kept, key=lambda k: kept[k])
    return {
        **{f"{way}_layer": size for way, size in layer.items()},
        "naive": layers * layer["naive"],
        "flash": layers * layer["flash"],
        "checkpointed": kept[1],
        "selective": layers * linear,
        "segments": kept[best],
        "best_segment": best,
        "matrix_share": 1 - linear / layer["naive"],
        "sweep": {"segment": lengths, "kept": list(kept.values())},
    }


@activation_memory.figure
def draw(result, ax):
    from kernels import plot

    names = {"naive": "attention matrix stored", "flash": "fused attention", "checkpointed": "every layer checkpointed"}
    plot.bars(ax, {text: result[way] for way, text in names.items()}, "B", highlight=names["flash"])
