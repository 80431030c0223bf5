"""Pre-norm and post-norm transformers at initialisation: the last FFN's gradient, the output's move under Adam's first step, the stream, by depth.

    pre-norm   x <- x + f(norm(x)), one norm at the end         post-norm   x <- norm(x + f(x))

Xavier weights, causal attention, ReLU FFN of four times the width, cross-entropy on random targets. Xiong et al. 2020 (arXiv 2002.04745), theorem 1:
the last FFN layer's gradient is O(d sqrt(ln d)) post-norm, whatever the depth, and O(d sqrt(ln d / L)) pre-norm with L blocks.
Without attention the stream's variance grows by 8/25 a block, so that the two differ by sqrt((1 + 8/25) / (1 + 8/25 L)).

Adam's first step moves every weight by the learning rate against the sign of its gradient, however large the gradient is (Kingma and Ba 2014, arXiv
1412.6980, algorithm 1, with both moments fresh). What it does to the output is therefore another question than how large the gradient is
(Liu et al. 2020, arXiv 2004.08249).
"""

from __future__ import annotations

from typing import Annotated

from kernels import Bound, Free, KernelError, Series, kernel

HEADS = 4
NAMES = ("top", "bottom", "variance", "cosine", "moved")


@kernel(
    kind="simulation",
    outputs={
        **{f"{place}_{what}": "" for place in ("pre", "post") for what in NAMES},
        **{f"{place}_{what}_shallow": "" for place in ("pre", "post") for what in ("top", "moved")},
        "shallow": "",
        "sweep": Series("layers", ""),
        "moves": Series("layers", ""),
    },
    tolerance=1e-4,
)
def norm_placement(
    layers: Annotated[int, Bound(low=8, high=128)] = 32,
    width: Annotated[int, Bound(low=8, high=256), Free(32, 256)] = 64,
    tokens: Annotated[int, Bound("token", low=2, high=256)] = 16,
    step: Annotated[float, Bound(low=0.0, high=0.1), Free(1e-7, 1e-5)] = 1e-6,
    attention: bool = True,
    seed: int = 0,
):
    """Gradient norm of the last (top) and first (bottom) block's second FFN matrix, the stream's variance, a last block's cosine, the output's move.

    variance: of the residual stream's values after the last block, before the final norm. cosine: between the stream before and after the last block.
    moved: the change of all logits, relative to their size, after one step of Adam on every block. shallow: layers / 8 blocks. sweep: the top's
    gradient norm over the number of blocks; moves: the output's move. width: a toy's, free from 32 to 256. step: the learning rate, free
    around the 1e-6
    of a warm-up's first steps, where the move is still small: at 1e-4 and a width of 256 or more both outputs change by as much as they are large,
    and a ratio of the two says nothing.
    """
    if width % HEADS:
        raise KernelError(f"norm_placement: width is {width}, but must be a multiple of the {HEADS} heads")
    depths = [layers // 8, layers // 4, layers // 2, layers]
    found = {
        (place, depth): dict(zip(NAMES, probe(place, depth, width, tokens, attention, seed, step))) for place in ("pre", "post") for depth in depths
    }
    return {
        **{f"{place}_{name}": found[place, layers][name] for place in ("pre", "post") for name in NAMES},
        **{f"{place}_{name}_shallow": found[place, depths[0]][name] for place in ("pre", "post") for name in ("top", "moved")},
        "shallow": depths[0],
        "sweep": {"layers": depths, **{f"{place}-norm": [found[place, depth]["top"] for depth in depths] for place in ("pre", "post")}},
        "moves": {"layers": depths, **{f"{place}-norm": [found[place, depth]["moved"] for depth in depths] for place in ("pre", "post")}},
    }


@norm_placement.invariant
def post_norm_holds_the_stream_and_pre_norm_lets_it_grow(result):
    """The post-norm stream has a variance of 1 after every block; the pre-norm stream's grows with the blocks."""
    return abs(result["post_variance"] - 1) < 1e-3 and result["pre_variance"] > 2


def probe(place: str, layers: int, width: int, tokens: int, attention: bool, seed: int, step: float = 0.0, texts: int = 4, vocabulary: int = 64):
    """Gradient norms at the top and the bottom, the stream's variance, the last block's cosine and the output's move, for one draw of weights."""
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

    blocks = [[*(xavier(width, width) for _ in range(4)), xavier(width, 4 * width), xavier(4 * width, width)] for _ in range(layers)]
    head = torch.randn(width, vocabulary, generator=random, dtype=torch.float64) / width**0.5
    x = norm(torch.randn(texts, tokens, width, generator=random, dtype=torch.float64))
    targets = torch.randint(0, vocabulary, (texts * tokens,), generator=random)

    def run(blocks, x):
        before = x
        for *square, up, down in blocks:
            before = x
            if attention:
                x = norm(x + attend(x, *square)) if place == "post" else x + attend(norm(x), *square)
            x = norm(x + (x @ up).relu() @ down) if place == "post" else x + (norm(x) @ up).relu() @ down
        return before, x, (norm(x) if place == "pre" else x).reshape(-1, width) @ head

    before, stream, logits = run(blocks, x)
    functional.cross_entropy(logits, targets).backward()
    with torch.no_grad():
        stepped = [[weight if weight.grad is None else weight - step * weight.grad.sign() for weight in block] for block in blocks]
        moved = ((run(stepped, x)[2] - logits).norm() / logits.norm()).item()
    gradients = [block[-1].grad.norm().item() for block in (blocks[-1], blocks[0])]
    cosine = functional.cosine_similarity(before, stream, dim=-1).mean().item()
    return [*gradients, stream.var(-1, unbiased=False).mean().item(), cosine, moved]


@norm_placement.figure
def draw(result, ax):
    from kernels import plot

    plot.lines(ax, result["moves"], xlog=True, ylog=True, x_label="blocks", y_label="change of the output", highlight="pre-norm")
