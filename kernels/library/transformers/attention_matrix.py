"""The attention scores when they are written out: one number for every pair of tokens, head, layer and sequence.

    per head = tokens * tokens * bytes

FlashAttention never holds them whole (Dao et al. 2022, arXiv 2205.14135, section 3): this is the memory that it saves.
The softmax's output is as large again; kept for the backward pass, both stay.
"""

from typing import Annotated, Literal

from kernels import Bound, kernel

BYTES = {"fp32": 4, "fp16": 2, "bf16": 2, "fp8": 1}


@kernel(kind="formula", outputs={"per_head": "B", "per_layer": "B", "total": "B"})
def attention_matrix(
    tokens: Annotated[int, Bound("token", low=1)],
    heads: Annotated[int, Bound(low=1)],
    layers: Annotated[int, Bound(low=1)] = 1,
    batch: Annotated[int, Bound(low=1)] = 1,
    dtype: Literal["fp32", "fp16", "bf16", "fp8"] = "bf16",
):
    """The bytes of the tokens x tokens score matrix: of one head, of one layer with its heads and batch, of all layers."""
    per_head = tokens**2 * BYTES[dtype]
    per_layer = per_head * heads * batch
    return {
        "per_head": per_head,
        "per_layer": per_layer,
        "total": per_layer * layers,
    }
