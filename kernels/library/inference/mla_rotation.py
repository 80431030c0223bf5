"""What becomes of attention scores whose up-projected keys should have been rotated by their position, and were not.

The true score of a token at distance t from the query is q . R_t k, the folded one q . k. For random q and k, whose components are independent,
the two correlate by the share of R_t that is the identity, the mean of the rotation's cosines; over distances 1 .. n

    correlation = 1/n sum_t 2/d sum_i cos(t * base^(-2 i / d))        i = 0 .. d/2 - 1

(rotary positions: Su et al. 2021, arXiv 2104.09864, with its base of 10,000; DeepSeek-AI 2024, DeepSeek-V2, arXiv 2405.04434, section 2.1.3). The
tests hold it against random latents, projections and queries.
"""

import math
from typing import Annotated

from kernels import Bound, KernelError, Series, kernel

LENGTHS = (16, 64, 256, 1024, 4096, 16384)


@kernel(kind="formula", outputs={"correlation": "", "at_distance": "", "sweep": Series("tokens", "", "token")})
def mla_rotation(
    tokens: Annotated[int, Bound("token", low=1, high=65536)] = 4096,
    head_dim: Annotated[int, Bound(low=2, high=1024)] = 128,
    base: Annotated[float, Bound(low=1.0)] = 10000.0,
):
    """The expected correlation of scores with and without the keys' rotation, over so many cached tokens, for random queries and keys.

    at_distance: of the scores of the token `tokens` back alone. sweep: correlation over the number of cached tokens.
    """
    if head_dim % 2:
        raise KernelError(f"mla_rotation: head_dim is {head_dim}, but must be even: a rotation turns pairs")
    rates = [base ** (-2 * i / head_dim) for i in range(head_dim // 2)]

    def mean(n: int) -> float:
        """Over the distances 1 .. n: the sum of cos(t w) is sin(n w / 2) cos((n + 1) w / 2) / sin(w / 2)."""
        return sum(math.sin(n * w / 2) * math.cos((n + 1) * w / 2) / math.sin(w / 2) for w in rates) / n / len(rates)

    lengths = sorted({*LENGTHS, tokens})
    return {
        "correlation": mean(tokens),
        "at_distance": sum(math.cos(tokens * w) for w in rates) / len(rates),
        "sweep": {"tokens": lengths, "correlation": [mean(n) for n in lengths]},
    }


@mla_rotation.figure
def draw(result, ax):
    from kernels import plot

    plot.lines(ax, result["sweep"], xlog=True, labels={"correlation": ""}, x_label="cached tokens", y_label="correlation of the scores")
