"""FlashAttention's tiles by hand: an online softmax that never sees a whole row, against the softmax that does.

For each tile of keys:  m' = max(m, max S),  l' = e^(m - m') l + sum e^(S - m'),  o' = e^(m - m') o + e^(S - m') V;  at the end  o / l

Dao et al. 2022, arXiv 2205.14135, algorithm 1; Milakov and Gimelshein 2018, arXiv 1805.02867. The same sums in another order: exact in
real numbers, and in floating point off by rounding, as any order is. Both ways run in fp32 and are held against float64.
"""

from typing import Annotated

from kernels import Bound, Free, kernel


@kernel(
    kind="simulation",
    outputs={"tiled_error": "", "plain_error": "", "dropped_error": "", "kept": ""},
    tolerance=0.5,
)
def tiled_attention(
    tokens: Annotated[int, Bound("token", low=16, high=8192), Free(512, 2048)] = 1024,
    head_dim: Annotated[int, Bound(low=8, high=256)] = 64,
    tile: Annotated[int, Bound("token", low=1, high=8192), Free(64, 256)] = 128,
    seed: int = 0,
):
    """Largest error, over the largest output, of tiled and of plain attention in fp32 against float64, for one head of normal numbers.

    dropped_error: of tiles without the factor e^(m - m'), which add up what was scaled by different maxima. kept: the scores alive at once over all
    n^2. tokens: any sequence long enough for several tiles. tile: FlashAttention's are 64 to 256 keys, as on-chip memory allows.
    """
    import torch

    generator = torch.Generator().manual_seed(seed)
    q, k, v = (torch.randn(tokens, head_dim, generator=generator, dtype=torch.float64) for _ in range(3))
    exact = plain(q, k, v)

    def error(result) -> float:
        return ((result.double() - exact).abs().max() / exact.abs().max()).item()

    q, k, v = (t.float() for t in (q, k, v))
    return {
        "tiled_error": error(tiled(q, k, v, tile)),
        "plain_error": error(plain(q, k, v)),
        "dropped_error": error(tiled(q, k, v, tile, rescale=False)),
        "kept": min(tile, tokens) / tokens,
    }


def plain(q, k, v):
    """softmax(q k^T / sqrt(d)) v for [tokens, head], the whole row at once."""
    import torch

    return torch.softmax(q @ k.T / q.shape[-1] ** 0.5, -1) @ v


def tiled(q, k, v, tile: int, rescale: bool = True):
    """The same, a tile of keys at a time: a running maximum m, a running sum, and an output, both rescaled as m rises unless `rescale` is False."""
    import torch

    m, total, o = torch.full((len(q), 1), -torch.inf, dtype=q.dtype), torch.zeros(len(q), 1, dtype=q.dtype), torch.zeros_like(q)
    for start in range(0, len(k), tile):
        scores = q @ k[start : start + tile].T / q.shape[-1] ** 0.5
        highest = torch.maximum(m, scores.amax(-1, keepdim=True))
        powers, shrunk = (scores - highest).exp(), (m - highest).exp() if rescale else 1.0
        m, total, o = highest, shrunk * total + powers.sum(-1, keepdim=True), shrunk * o + powers @ v[start : start + tile]
    return o / total


@tiled_attention.invariant
def tiles_change_rounding_alone(result):
    """Tiled and plain attention are within 1e-5 of float64; without rescaling two whole tiles are off by over 1e-2, one has nothing to rescale."""
    tokens, tile = result.parameters["tokens"], result.parameters["tile"]
    exact = max(result["tiled_error"], result["plain_error"]) < 1e-5
    one = tokens > tile or result["dropped_error"] == result["tiled_error"]
    return exact and one and (tokens < 2 * tile or result["dropped_error"] > 1e-2)
