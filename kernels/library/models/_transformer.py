"""A GPT of plain torch modules, small enough to train within seconds: what the memory measurements run.

Pre-norm blocks, fused attention, a GELU MLP of four times the width, dropout after each sublayer, no biases, the output head tied
to the embedding. Without a vocabulary it is the blocks alone, on hidden states. An underscore names what is no kernel.
"""

from __future__ import annotations

import functools
from typing import Any

HEAD = 64


@functools.cache
def modules() -> tuple[type, type]:
    """Block and Transformer; made on first use, because a library file imports where there is no torch."""
    import torch
    from torch import nn
    from torch.nn import functional
    from torch.utils.checkpoint import checkpoint

    class Block(nn.Module):
        def __init__(self, width: int, dropout: float, **kind: Any) -> None:
            super().__init__()
            self.heads = width // HEAD
            self.first, self.second = (nn.LayerNorm(width, bias=False, **kind) for _ in range(2))
            self.qkv, self.out = (nn.Linear(width, n * width, bias=False, **kind) for n in (3, 1))
            self.up, self.down = (nn.Linear(width, 4 * width, bias=False, **kind), nn.Linear(4 * width, width, bias=False, **kind))
            self.dropout = nn.Dropout(dropout)

        def forward(self, x):
            x = x + self.dropout(self.attend(self.first(x)))
            return x + self.dropout(self.down(functional.gelu(self.up(self.second(x)))))

        def attend(self, x):
            batch, tokens, width = x.shape
            q, k, v = self.qkv(x).view(batch, tokens, 3, self.heads, HEAD).permute(2, 0, 3, 1, 4)
            mixed = functional.scaled_dot_product_attention(q, k, v, is_causal=True)
            return self.out(mixed.transpose(1, 2).reshape(batch, tokens, width))

    class Transformer(nn.Module):
        def __init__(self, width: int, layers: int, vocabulary: int, dropout: float, **kind: Any) -> None:
            super().__init__()
            self.embedding: Any = nn.Embedding(vocabulary, width, **kind) if vocabulary else None
            self.blocks = nn.ModuleList(Block(width, dropout, **kind) for _ in range(layers))
            self.norm: Any = nn.LayerNorm(width, bias=False, **kind) if vocabulary else None

        def forward(self, x, segment: int = 0):
            """segment: that many blocks at a time are checkpointed; 0 keeps everything."""
            x = x if self.embedding is None else self.embedding(x)
            for start in range(0, len(self.blocks), segment or len(self.blocks)):
                some = nn.Sequential(*self.blocks[start : start + (segment or len(self.blocks))])
                x = checkpoint(some, x, use_reentrant=False) if segment else some(x)
            return x if self.embedding is None else functional.linear(self.norm(x), self.embedding.weight)

    torch.manual_seed(0)
    return Block, Transformer


def transformer(width: int, layers: int, vocabulary: int = 0, *, dropout: float = 0.0, dtype: Any, device: str) -> Any:
    """A module of random weights; the embedding's are small enough for the tied head."""
    import torch

    _, kind = modules()
    torch.manual_seed(0)
    model = kind(width, layers, vocabulary, dropout, dtype=dtype, device=device)
    if vocabulary:
        torch.nn.init.normal_(model.embedding.weight, std=0.02)
    return model


def parameters(width: int, layers: int, vocabulary: int = 0) -> int:
    """12 h^2 and two norms a block; the embedding, which is the head too, and the last norm."""
    return layers * (12 * width**2 + 2 * width) + (vocabulary * width + width if vocabulary else 0)
