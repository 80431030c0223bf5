"""New tokens on latent attention, one layer: is it cheaper to attend on latents (absorbed), or to rebuild keys and values first?

n new tokens stand behind a cached prefix of t. Each attends to the prefix and, causally, to the new ones up to itself: n t + n (n + 1) / 2 pairs.

    absorbed   n * project + pairs * absorbed         every new query is projected, nothing is rebuilt
    rebuilt    (t + n) * rebuild + pairs * naive      every token's keys and values are made once, also the new ones'

Projecting a query and rebuilding a token are the same two matrices, so project = rebuild (mla_cache), and both ways cost the same at

    n t + n (n + 1) / 2 = t * rebuild / (absorbed - naive)

(DeepSeek-AI 2024, DeepSeek-V2, arXiv 2405.04434, section 2.1). Without a prefix the right side is 0: rebuilding is cheaper from the first token on.
"""

from typing import Annotated

from kernels import Bound, Series, kernel
from kernels.library.inference.mla_cache import V2, mla_cache

PREFIXES = tuple(2**k for k in range(4, 18))


@kernel(
    kind="formula",
    outputs={"absorbed": "FLOP", "rebuilt": "FLOP", "absorbed_over_rebuilt": "", "break_even": "token", "sweep": Series("prefix", "token", "token")},
)
def mla_prefill(
    new: Annotated[int, Bound("token", low=1)] = 4096,
    prefix: Annotated[int, Bound("token", low=0)] = 0,
    heads: Annotated[int, Bound(low=1)] = V2.heads,
    head_dim: Annotated[int, Bound(low=1)] = V2.head_dim,
    latent: Annotated[int, Bound(low=1)] = V2.latent,
    rope: Annotated[int, Bound(low=0)] = V2.rope,
):
    """FLOP of one MLA layer's attention for so many new tokens behind a cached prefix, absorbed and rebuilt; defaults are DeepSeek-V2's shapes.

    break_even: the number of new tokens at which both cost the same, 0 without a prefix. sweep: break_even over the prefix.
    """
    own = mla_cache(heads=heads, head_dim=head_dim, latent=latent, rope=rope)
    pairs = new * prefix + new * (new + 1) / 2
    absorbed = new * own["query_flops"] + pairs * own["absorbed_flops"]
    rebuilt = (prefix + new) * own["expand_flops"] + pairs * own["naive_flops"]
    most = own["break_even_queries"]

    def even(cached: int) -> float:
        """The positive root of n^2 / 2 + (t + 1/2) n = most t."""
        half = cached + 0.5
        return (half**2 + 2 * most * cached) ** 0.5 - half

    return {
        "absorbed": absorbed,
        "rebuilt": rebuilt,
        "absorbed_over_rebuilt": absorbed / rebuilt,
        "break_even": even(prefix),
        "sweep": {"prefix": PREFIXES, "break-even": [even(cached) for cached in PREFIXES]},
    }


@mla_prefill.figure
def draw(result, ax):
    from kernels import plot

    plot.lines(ax, result["sweep"], xlog=True, labels={"break-even": ""}, x_label="cached prefix", y_label="new tokens: both cost the same")
    ax.text(0.04, 0.9, "rebuilding is cheaper", transform=ax.transAxes, color=plot.MUTED)
    ax.text(0.96, 0.08, "absorbing is cheaper", transform=ax.transAxes, color=plot.MUTED, ha="right")
