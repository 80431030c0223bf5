"""A Llama of plain torch modules, operation for operation as Hugging Face's eager one, so that what autograd keeps of it is what theirs keeps.

RMSNorm in fp32, rotary positions, grouped queries, SwiGLU, no biases, an output head of its own unless it is the embedding; the loss in fp32.
(transformers, models/llama/modeling_llama.py; Qwen3 norms queries and keys besides.) An underscore names what is no kernel.
"""

import functools
from typing import Any

from kernels.library.models._models import SHAPES, Shape

MATRICES = ("q", "k", "v", "o", "gate", "up", "down")
DECODERS = tuple(
    name
    for name, shape in SHAPES.items()
    if shape.gated and shape.experts == 1 and shape.biases == "none" and shape.norm == "rms" and not shape.latent
)


@functools.cache
def modules() -> tuple[type, type, type]:
    """Norm, Layer and Decoder; made on first use, because a library file imports where there is no torch."""
    import torch
    from torch import nn
    from torch.nn import functional
    from torch.utils.checkpoint import checkpoint

    class Norm(nn.Module):
        def __init__(self, width: int, **kind: Any) -> None:
            super().__init__()
            self.weight = nn.Parameter(torch.ones(width, **kind))

        def forward(self, x):
            wide = x.float()
            return self.weight * (wide * torch.rsqrt(wide.pow(2).mean(-1, keepdim=True) + 1e-6)).to(x.dtype)

    def rotated(x, cos, sin):
        half = x.shape[-1] // 2
        return x * cos + torch.cat((-x[..., half:], x[..., :half]), -1) * sin

    class Layer(nn.Module):
        """repeated: keys and values of a group are copied for each of its heads, and q, k, v and the output laid out head by head, as
        Hugging Face's sdpa attention did in versions before 4.53; otherwise the kernel groups the queries itself."""

        def __init__(self, shape: Shape, repeated: bool = False, **kind: Any) -> None:
            super().__init__()
            self.head, self.repeated = shape.head_dim, repeated
            self.first, self.second = (Norm(shape.d_model, **kind) for _ in range(2))
            normed = Norm if shape.head_norms else lambda *_, **__: nn.Identity()
            self.q_norm, self.k_norm = (normed(shape.head_dim, **kind) for _ in range(2))
            for name in MATRICES:
                setattr(self, name, nn.Linear(*shape.linear_layers[name], bias=False, **kind))

        def forward(self, x, cos, sin):
            x = x + self.attend(self.first(x), cos, sin)
            h = self.second(x)
            return x + self.down(functional.silu(self.gate(h)) * self.up(h))

        def attend(self, h, cos, sin):
            q, k, v = (part(h).view(*h.shape[:2], -1, self.head) for part in (self.q, self.k, self.v))
            q, k, v = rotated(self.q_norm(q).transpose(1, 2), cos, sin), rotated(self.k_norm(k).transpose(1, 2), cos, sin), v.transpose(1, 2)
            if self.repeated:
                k, v = (part.repeat_interleave(q.shape[1] // k.shape[1], 1) for part in (k, v))
                q, k, v = q.contiguous(), k.contiguous(), v.contiguous()
            mixed = functional.scaled_dot_product_attention(q, k, v, is_causal=True, enable_gqa=not self.repeated)
            return self.o(mixed.transpose(1, 2).reshape(*h.shape[:2], -1))

    class Decoder(nn.Module):
        def __init__(self, shape: Shape, repeated: bool = False, **kind: Any) -> None:
            super().__init__()
            self.shape = shape
            self.embedding = nn.Embedding(shape.vocab, shape.d_model, **kind)
            self.layers = nn.ModuleList(Layer(shape, repeated, **kind) for _ in range(shape.layers))
            self.norm = Norm(shape.d_model, **kind)
            self.head = nn.Linear(shape.d_model, shape.vocab, bias=False, **kind)
            if shape.tied:
                self.head.weight = self.embedding.weight

        def forward(self, text, checkpointed: bool = False):
            """The loss of predicting each token of text [batch, tokens]."""
            x = self.hidden(self.embedding(text), checkpointed)
            return functional.cross_entropy(self.head(self.norm(x)).float().flatten(0, 1), text.flatten())

        def hidden(self, x, checkpointed: bool = False):
            """x [batch, tokens, width] through all layers, each of them checkpointed or none."""
            cos, sin = angles(x, self.shape.head_dim)
            for layer in self.layers:
                x = checkpoint(layer, x, cos, sin, use_reentrant=False) if checkpointed else layer(x, cos, sin)
            return x

    return Norm, Layer, Decoder


def angles(x, head: int, base: float = 5e5) -> tuple[Any, Any]:
    """Cosine and sine of the rotary angles of x [batch, tokens, ..] in its format: [tokens, head]."""
    import torch

    with torch.no_grad():
        slow = base ** (-torch.arange(0, head, 2, device=x.device) / head)
        turns = (torch.arange(x.shape[1], device=x.device)[:, None] * slow).repeat(1, 2)
        return turns.cos().to(x.dtype), turns.sin().to(x.dtype)


def decoder(shape: Shape, repeated: bool = False, *, device: str) -> Any:
    """The whole model in bf16."""
    import torch

    _, _, kind = modules()
    return kind(shape, repeated, dtype=torch.bfloat16, device=device)
