"""Ring attention: from which block on sending keys and values hides behind the products that they are for.

    a block of c tokens a GPU:   products 4 c^2 h d / F   >=   sending 2 c h_kv d b / B      <=>      c >= F b h_kv / (2 h B)

b bytes a number, F the GPU's rate, B the link's in one direction. With as many key-value heads as heads and b = 2 this is F / B (Liu et al. 2023,
arXiv 2310.01889, section 3 and table 2); fewer key-value heads send less for the same products. Under a causal mask balanced over the GPUs half of
the products are left (Brandon et al. 2023, Striped Attention, arXiv 2311.09431), and the block doubles. Both rates are those of data sheets.
"""

from typing import Annotated, Literal

from kernels import Bound, Series, kernel
from kernels.library.machines._clusters import CLUSTERS


@kernel(
    kind="formula",
    outputs={"block": "token", "sending": "s", "products": "s", "ratio": "", "rate": "FLOP/s", "link": "B/s", "sweep": Series("block", "", "token")},
)
def ring_attention(
    cluster: Literal["dgx-a100", "dgx-h100", "dgx-h200", "dgx-b200"] = "dgx-h100",
    path: Literal["inside", "across"] = "across",
    tokens: Annotated[int, Bound("token", low=1, high=10**8)] = 8192,
    heads: Annotated[int, Bound(low=1, high=1024)] = 32,
    kv_heads: Annotated[int, Bound(low=1, high=1024)] = 32,
    head_dim: Annotated[int, Bound(low=1, high=1024)] = 128,
    bytes: Annotated[float, Bound(low=0.5, high=4.0)] = 2.0,
    causal: bool = False,
):
    """The smallest block a GPU whose products last as long as sending it, between GPUs of a node or of several; both times for `tokens` a GPU.

    ratio: sending over products; above 1 the ring waits. sweep: that by block.
    """
    c = CLUSTERS[cluster]
    rate, link = c.device.half, c.inside if path == "inside" else c.across
    per_pair = (2 if causal else 4) * heads * head_dim  # FLOP of a query and a key in all heads
    per_token = 2 * kv_heads * head_dim * bytes
    block = rate * per_token / (per_pair * link)
    blocks = [2**p for p in range(9, 18)]
    return {
        "block": block,
        "sending": tokens * per_token / link,
        "products": tokens**2 * per_pair / rate,
        "ratio": block / tokens,
        "rate": rate,
        "link": link,
        "sweep": {"block": blocks, "ratio": [block / n for n in blocks]},
    }


@ring_attention.figure
def draw(result, ax):
    from kernels import plot

    plot.lines(ax, result["sweep"], xlog=True, ylog=True, labels={"ratio": ""}, x_label="tokens a GPU", y_label="sending over products")
    plot.hline(ax, 1, "hidden below")
    plot.mark(ax, result["block"], 1, f"{plot.show(result['block'], '')} tokens", plot.ACCENT, "right above")
