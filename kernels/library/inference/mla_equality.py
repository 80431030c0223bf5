"""Absorbing the up-projections of latent attention changes nothing but rounding, unless a rotation stands between the matrices.

    q . (W_UK c) = (W_UK^T q) . c                 by associativity, for every cached token with the same W_UK^T q
    (R_s q) . (R_t W_UK c) = (W_UK^T R_(t-s)^T q) . c    with rotary positions: another matrix for every distance t - s

(DeepSeek-AI 2024, DeepSeek-V2, arXiv 2405.04434, sections 2.1.2 and 2.1.3). Random values in float64.
"""

from typing import Annotated

from kernels import Bound, kernel
from kernels.library.inference.mla_absorb import Layer


@kernel(kind="simulation", outputs={"error": "", "rotated_error": "", "rotated_correlation": ""}, tolerance=1e-6)
def mla_equality(
    tokens: Annotated[int, Bound("token", low=2, high=4096)] = 256,
    heads: Annotated[int, Bound(low=1, high=128)] = 8,
    head_dim: Annotated[int, Bound(low=2, high=256)] = 128,
    latent: Annotated[int, Bound(low=2, high=1024)] = 512,
    rope: Annotated[int, Bound(low=2, high=128)] = 64,
    seed: int = 0,
):
    """The largest difference between absorbed and expanded attention in float64, over the largest output, with and without a rotation in between.

    error: DeepSeek-V2's form, rotary positions in dimensions of their own. rotated_error: of the scores, over the largest, where the
    up-projected keys are rotated by their position and the absorbed side cannot be; rotated_correlation: of the two sets of scores.
    """
    import torch

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        layer = Layer(tokens, 1, heads, head_dim, latent, rope, "fp64", "cpu")
    exact = layer.expanded_exactly()
    keys, _ = layer.expand()
    turned = torch.einsum("bhd,bhtd->bht", layer.query, rotated(keys))
    folded = torch.einsum("bhd,hdl,btl->bht", layer.query, layer.up_key, layer.cache[..., :latent])
    return {
        "error": (layer.absorbed() - exact).abs().max() / exact.abs().max(),
        "rotated_error": (folded - turned).abs().max() / turned.abs().max(),
        "rotated_correlation": torch.corrcoef(torch.stack((folded.flatten(), turned.flatten())))[0, 1],
    }


def rotated(keys):
    """Keys [.., tokens, head_dim], each turned by the angles of its position counted back from the query (Su et al. 2021, arXiv 2104.09864)."""
    import torch

    tokens, width = keys.shape[-2:]
    back = torch.arange(tokens, 0, -1, dtype=keys.dtype)
    angle = torch.outer(back, 10000 ** (-torch.arange(0, width, 2, dtype=keys.dtype) / width)).repeat(1, 2)
    low, high = keys.chunk(2, -1)
    return keys * angle.cos() + torch.cat((-high, low), -1) * angle.sin()
