"""Does padding change what a transformer says of the last real token? Left and right, masked or not, with and without position ids.

Two blocks of single-head attention and a ReLU MLP, pre-norm, random weights, fp64; positions from a random table or rotary. The text alone is
what the others are held against. Causal masks let i see j <= i; padding masks hide the pads as keys (each place may see itself, so no row is empty).
"""

from __future__ import annotations

from typing import Annotated

from kernels import Bound, Free, KernelError, kernel

OUTPUTS = (
    "left_right_ids",
    "left_default_ids",
    "left_default_ids_rotary",
    "left_unmasked",
    "right_unmasked",
    "right_last_place",
    "encoder_masked",
    "encoder_unmasked",
)


@kernel(kind="simulation", outputs=dict.fromkeys(OUTPUTS, ""), tolerance=1e-6)
def padded_decoder(
    tokens: Annotated[int, Bound(low=2, high=256), Free(6, 48)] = 12,
    pads: Annotated[int, Bound(low=1, high=256), Free(2, 24)] = 4,
    width: Annotated[int, Bound(low=8, high=512), Free(32, 128)] = 64,
    texts: Annotated[int, Bound(low=1, high=256)] = 8,
    seed: int = 0,
):
    """Root mean square change of the last token's output, relative to its size, mean over random texts.

    left: padded in front, masked unless it says otherwise; right_ids: positions count from the first real token, default_ids: from the first place.
    right_unmasked: causal, pads behind and no padding mask, read at the last real token; right_last_place: masked, read at the last place.
    encoder: pads behind, not causal. All with learned positions unless it says rotary. tokens, pads and width are a toy's: short texts, fewer pads or
    several times as many, and narrow layers.
    """
    import torch

    if width % 2:
        raise KernelError(f"padded_decoder: width is {width}, but must be even: positions turn pairs")
    random = torch.Generator().manual_seed(seed)

    def normal(*shape):
        return torch.randn(*shape, generator=random, dtype=torch.float64)

    total = tokens + pads
    shapes = [(width, width)] * 4 + [(width, 2 * width), (2 * width, width)]
    layers = [[normal(*shape) / shape[0] ** 0.5 for shape in shapes] for _ in range(2)]
    table, text, pad = normal(total, width), normal(texts, tokens, width), normal(1, 1, width).expand(texts, pads, width)
    left, right = torch.cat([pad, text], 1), torch.cat([text, pad], 1)
    count, late = torch.arange(total), (torch.arange(total) - pads).clamp(min=0)
    real_left, real_right = count >= pads, count < tokens

    def run(x, ids, real=None, causal=True, rotary=False):
        size = x.shape[1]
        seen = torch.ones(size, size, dtype=torch.bool)
        if causal:
            seen = seen.tril()
        if real is not None:
            seen = seen & real | torch.eye(size, dtype=torch.bool)
        return decoder(x if rotary else x + table[ids], layers, seen, ids if rotary else None)

    def change(found, expected) -> float:
        return round(((found - expected).square().mean() / expected.square().mean()).sqrt().item(), 9)  # what is left below is rounding

    first = count[:tokens]
    alone, rotary, both_ways = run(text, first)[:, -1], run(text, first, rotary=True)[:, -1], run(text, first, causal=False)[:, -1]
    return {
        "left_right_ids": change(run(left, late, real_left)[:, -1], alone),
        "left_default_ids": change(run(left, count, real_left)[:, -1], alone),
        "left_default_ids_rotary": change(run(left, count, real_left, rotary=True)[:, -1], rotary),
        "left_unmasked": change(run(left, late)[:, -1], alone),
        "right_unmasked": change(run(right, count)[:, tokens - 1], alone),
        "right_last_place": change(run(right, count, real_right)[:, -1], alone),
        "encoder_masked": change(run(right, count, real_right, causal=False)[:, tokens - 1], both_ways),
        "encoder_unmasked": change(run(right, count, causal=False)[:, tokens - 1], both_ways),
    }


@padded_decoder.invariant
def what_is_masked_changes_nothing(result):
    """With its mask and its positions right, or behind a causal mask, padding changes no real token's output."""
    return max(result[name] for name in ("left_right_ids", "left_default_ids_rotary", "right_unmasked", "encoder_masked")) < 1e-9


def decoder(x, layers, seen, ids=None):
    """x [texts, places, width] after all blocks; seen [places, places]: may query i look at key j; ids: rotary positions."""
    import torch
    from torch.nn import functional

    width = x.shape[-1]
    for q, k, v, o, up, down in layers:
        y = functional.layer_norm(x, (width,))
        queries, keys = (y @ q, y @ k) if ids is None else (turned(y @ q, ids), turned(y @ k, ids))
        weights = (queries @ keys.transpose(-1, -2) / width**0.5).masked_fill(~seen, -torch.inf).softmax(-1)
        x = x + weights @ (y @ v) @ o
        x = x + (functional.layer_norm(x, (width,)) @ up).relu() @ down
    return functional.layer_norm(x, (width,))


def turned(x, ids, base: float = 10_000.0):
    """Each pair (x_i, x_{i + d/2}) at place p, rotated by ids[p] base^(-2i/d)."""
    import torch

    angles = ids[:, None] * base ** (-torch.arange(0, x.shape[-1], 2, dtype=x.dtype) / x.shape[-1])
    a, b = x.chunk(2, -1)
    return torch.cat([a * angles.cos() - b * angles.sin(), a * angles.sin() + b * angles.cos()], -1)


@padded_decoder.figure
def draw(result, ax):
    from kernels import plot

    shown = {
        "left, ids from the first token": "left_right_ids",
        "left, no mask": "left_unmasked",
        "right, read at the last place": "right_last_place",
    }
    plot.bars(ax, {name: round(result[output], 1) for name, output in shown.items()}, "percent", highlight="left, ids from the first token")
