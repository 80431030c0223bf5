"""Absorbing the up-projections of latent attention changes nothing but rounding, unless a rotation stands between the matrices.

    q . (W_UK c) = (W_UK^T q) . c                 by associativity, for every cached token with the same W_UK^T q
    (R_s q) . (R_t W_UK c) = (W_UK^T R_(t-s)^T q) . c    with rotary positions: another matrix for every distance t - s

(DeepSeek-AI 2024, DeepSeek-V2, arXiv 2405.04434, sections 2.1.2 and 2.1.3). Random values in float64.
"""

from typing import Annotated, Literal

from kernels import Bound, KernelError, kernel
from kernels.library.inference.mla_absorb import Layer

LIMIT = 1e-12  # of the largest: rounding in float64, with room for thousands of additions
LARGEST = 2**24  # numbers of all keys, so that several copies of them fit any machine


@kernel(kind="simulation", outputs={"error": "", "equal": ""}, tolerance=1e-6)
def mla_equality(
    rotation: Literal["apart", "between"] = "apart",
    tokens: Annotated[int, Bound("token", low=2, high=4096)] = 256,
    heads: Annotated[int, Bound(low=1, high=128)] = 8,
    head_dim: Annotated[int, Bound(low=2, high=256)] = 128,
    latent: Annotated[int, Bound(low=2, high=1024)] = 512,
    rope: Annotated[int, Bound(low=2, high=128)] = 64,
    seed: int = 0,
):
    """Whether absorbed and expanded attention agree in float64, with rotary positions in dimensions apart or rotating the up-projected keys.

    error: the largest difference, over the largest magnitude: of the outputs where positions stand apart; of the scores where the keys are rotated
    between the two matrices and the absorbed side cannot be. equal: 1 where that is rounding, below 1e-12.
    """
    import torch

    if (numbers := tokens * heads * (head_dim + rope)) > LARGEST:
        raise KernelError(f"mla_equality: tokens * heads * (head_dim + rope) is {numbers}, but must be at most {LARGEST}")
    if head_dim % 2:
        raise KernelError(f"mla_equality: head_dim is {head_dim}, but must be even: a rotation turns pairs")
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        layer = Layer(tokens, 1, heads, head_dim, latent, rope, "fp64", "cpu")
    if rotation == "apart":
        exact, found = layer.expanded_exactly(), layer.absorbed()
    else:
        exact, found = scores(layer, latent)
    error = ((found - exact).abs().max() / exact.abs().max()).item()
    return {"error": error, "equal": int(error < LIMIT)}


@mla_equality.invariant
def only_a_rotation_in_between_tells_them_apart(result):
    """The two agree to rounding where positions stand apart, and differ by far more than that where they do not."""
    return result["equal"] == 1 if result.parameters["rotation"] == "apart" else result["error"] > 0.01


def scores(layer, latent: int):
    """Scores with the up-projected keys rotated by their position, and those of one absorbed query for all."""
    import torch

    keys, _ = layer.expand()
    turned = torch.einsum("bhd,bhtd->bht", layer.query, rotated(keys))
    return turned, torch.einsum("bhd,hdl,btl->bht", layer.query, layer.up_key, layer.cache[..., :latent])


def rotated(keys):
    """Keys [.., tokens, head_dim], each turned by the angles of its position counted back from the query (Su et al. 2021, arXiv 2104.09864)."""
    import torch

    tokens, width = keys.shape[-2:]
    back = torch.arange(tokens, 0, -1, dtype=keys.dtype)
    angle = torch.outer(back, 10000 ** (-torch.arange(0, width, 2, dtype=keys.dtype) / width)).repeat(1, 2)
    low, high = keys.chunk(2, -1)
    return keys * angle.cos() + torch.cat((-high, low), -1) * angle.sin()
