"""Pre-norm and post-norm transformers at initialisation: the gradient of the last FFN matrix, and the residual stream, by depth.

    pre-norm   x <- x + f(norm(x)), one norm at the end         post-norm   x <- norm(x + f(x))

Xavier weights, causal attention, ReLU FFN of four times the width, cross-entropy on random targets. Xiong et al. 2020 (arXiv 2002.04745), theorem 1:
the last FFN layer's gradient is O(d sqrt(ln d)) post-norm, whatever the depth, and O(d sqrt(ln d / L)) pre-norm with L blocks.
Without attention the stream's variance grows by 8/25 a block, so that the two differ by sqrt((1 + 8/25) / (1 + 8/25 L)).
"""

from __future__ import annotations

from typing import Annotated

from kernels import Bound, Series, kernel

HEADS = 4


@kernel(
    kind="simulation",
    outputs={
        **{f"{place}_{what}": "" for place in ("pre", "post") for what in ("top", "bottom", "variance", "cosine")},
        "pre_top_shallow": "",
        "post_top_shallow": "",
        "shallow": "",
        "sweep": Series("layers", ""),
    },
    tolerance=1e-4,
)
def norm_placement(
    layers: Annotated[int, Bound(low=8, high=128)] = 32,
    width: Annotated[int, Bound(low=8, high=256)] = 64,
    tokens: Annotated[int, Bound("token", low=2, high=256)] = 16,
    attention: bool = True,
    draws: Annotated[int, Bound(low=1, high=128)] = 32,
    seed: int = 0,
):
    """Gradient norm of the last (top) and first (bottom) block's second FFN matrix, the stream's variance and a last block's cosine, mean over draws.

    variance: of the residual stream's values after the last block, before the final norm. cosine: between the stream before and after the last block.
    shallow: layers / 8 blocks, with the gradient at the top of such a model. sweep: the top's gradient norm over the number of blocks.
    """
    depths = [layers // 8, layers // 4, layers // 2, layers]
    found = {
        (place, depth): [sum(values) / draws for values in zip(*(probe(place, depth, width, tokens, attention, seed + n) for n in range(draws)))]
        for place in ("pre", "post")
        for depth in depths
    }
    names = ("top", "bottom", "variance", "cosine")
    deep = {f"{place}_{name}": value for place in ("pre", "post") for name, value in zip(names, found[place, layers])}
    return {
        **deep,
        "pre_top_shallow": found["pre", depths[0]][0],
        "post_top_shallow": found["post", depths[0]][0],
        "shallow": depths[0],
        "sweep": {"layers": depths, **{f"{place}-norm": [found[place, depth][0] for depth in depths] for place in ("pre", "post")}},
    }


def probe(place: str, layers: int, width: int, tokens: int, attention: bool, seed: int, texts: int = 4, vocabulary: int = 64):
    """Gradient norms at the top and the bottom, the stream's variance, the last block's cosine, for one draw of weights."""
    import torch
    from torch.nn import functional

    random = torch.Generator().manual_seed(seed)

    def xavier(rows: int, columns: int):
        limit = (6 / (rows + columns)) ** 0.5
        return (limit * (2 * torch.rand(rows, columns, generator=random, dtype=torch.float64) - 1)).requires_grad_()

    def norm(x):
        return functional.layer_norm(x, (width,))

    def attend(x, q, k, v, o):
        heads = [(x @ w).view(texts, tokens, HEADS, width // HEADS).transpose(1, 2) for w in (q, k, v)]
        return functional.scaled_dot_product_attention(*heads, is_causal=True).transpose(1, 2).reshape(texts, tokens, width) @ o

    blocks = [([xavier(width, width) for _ in range(4)], xavier(width, 4 * width), xavier(4 * width, width)) for _ in range(layers)]
    head = torch.randn(width, vocabulary, generator=random, dtype=torch.float64) / width**0.5
    x = norm(torch.randn(texts, tokens, width, generator=random, dtype=torch.float64))
    targets = torch.randint(0, vocabulary, (texts * tokens,), generator=random)
    before = x
    for square, up, down in blocks:
        before = x
        if attention:
            x = norm(x + attend(x, *square)) if place == "post" else x + attend(norm(x), *square)
        x = norm(x + (x @ up).relu() @ down) if place == "post" else x + (norm(x) @ up).relu() @ down
    stream = x
    functional.cross_entropy((norm(x) if place == "pre" else x).reshape(-1, width) @ head, targets).backward()
    gradients = [down.grad.norm().item() for *_, down in (blocks[-1], blocks[0])]
    cosine = functional.cosine_similarity(before, stream, dim=-1).mean().item()
    return [*gradients, stream.var(-1, unbiased=False).mean().item(), cosine]


@norm_placement.figure
def draw(result, ax):
    from kernels import plot

    plot.lines(ax, result["sweep"], xlog=True, x_label="blocks", y_label="gradient norm at the last block", highlight="pre-norm")
