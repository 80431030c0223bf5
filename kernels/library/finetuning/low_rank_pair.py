"""The sizes of a LoRA pair on one matrix: W + (alpha / r) B A with W of shape (out, in), B of (out, r) and A of (r, in).

The pair has r (in + out) parameters (Hu et al. 2021, arXiv 2106.09685, section 4.1, where inputs are columns: h = W x + B A x). Where
inputs are rows, h = x W + x A B, both shapes are the transposed ones. It is as large as the matrix itself at r = in out / (in + out).
"""

from typing import Annotated

from kernels import Bound, kernel


@kernel(
    kind="formula",
    outputs=dict.fromkeys(("dense", "pair", "share", "a_rows", "a_columns", "b_rows", "b_columns", "even_rank"), ""),
)
def low_rank_pair(d_in: Annotated[int, Bound(low=1)] = 4096, d_out: Annotated[int, Bound(low=1)] = 4096, rank: Annotated[int, Bound(low=1)] = 8):
    """Parameters of one matrix and of its LoRA pair, the pair's shapes for column inputs, and the rank at which it saves nothing."""
    dense, pair = d_in * d_out, rank * (d_in + d_out)
    return {
        "dense": dense,
        "pair": pair,
        "share": pair / dense,
        "a_rows": rank,
        "a_columns": d_in,
        "b_rows": d_out,
        "b_columns": rank,
        "even_rank": dense / (d_in + d_out),
    }
