"""A row of attention in which every key is masked: what becomes of the other tokens, and of the gradients of the whole batch.

    softmax of -inf everywhere: max = -inf, and -inf - (-inf) = NaN
    NaN - inf = NaN, so an added mask does not hide a score that is NaN; and 0 * NaN = NaN, so neither a weight of zero in the next block
    nor a loss that leaves the row out keeps it away

With the dtype's lowest finite number in place of -inf the row is uniform instead; added twice (a causal and a padding mask) it overflows to -inf.
"""

from __future__ import annotations

from typing import Annotated

from kernels import Bound, KernelError, kernel

OUTPUTS = (
    "row_nan",
    "real_nan_first",
    "real_nan_second",
    "gradients_nan",
    "gradients_nan_filled",
    "lowest_weight",
    "lowest_twice_nan",
    "guarded_nan",
    "guarded_error",
)


@kernel(kind="simulation", outputs=dict.fromkeys(OUTPUTS, ""), tolerance=1e-6)
def empty_row(
    texts: Annotated[int, Bound(low=2, high=256)] = 8,
    tokens: Annotated[int, Bound("token", low=2, high=512)] = 16,
    pads: Annotated[int, Bound("token", low=1, high=512)] = 4,
    width: Annotated[int, Bound(low=2, high=512)] = 32,
    seed: int = 0,
):
    """Shares of NaN. One text has `pads` in front under a causal mask: its first row, its real tokens after one and after two blocks of attention.

    gradients: one text of `texts` is empty and left out of the loss; NaN in the gradients of W_q, W_k and W_v with -inf added, and with masked_fill.
    lowest_weight: the largest weight in the row with the lowest fp32 number instead. lowest_twice_nan: NaN in the row when that is added twice.
    guarded: the empty text may see its first place; NaN in the gradients, and their relative difference from leaving the text out.
    """
    import torch

    if pads >= tokens:
        raise KernelError(f"empty_row: pads is {pads}, but must be less than tokens, {tokens}: real ones are behind them")
    random = torch.Generator().manual_seed(seed)
    x = torch.randn(texts, tokens, width, generator=random)
    matrices = [torch.randn(width, width, generator=random) / width**0.5 for _ in range(3)]
    causal = torch.ones(tokens, tokens, dtype=torch.bool).tril()
    empty = torch.ones(texts, tokens, tokens, dtype=torch.bool)
    empty[0] = False
    guarded = empty.clone()
    guarded[0, :, 0] = True

    first = x[:1] + attention(x[:1], matrices, causal & (torch.arange(tokens) >= pads))
    second = attention(first, matrices, causal & (torch.arange(tokens) >= pads))

    def gradients(x, seen, left_out: int, fill: bool = False):
        trained = [matrix.clone().requires_grad_() for matrix in matrices]
        attention(x, trained, seen, fill)[left_out:].square().sum().backward()
        return torch.cat([matrix.grad.flatten() for matrix in trained])

    alone, safe = gradients(x[1:], empty[1:], 0), gradients(x, guarded, 1)
    lowest = torch.finfo(torch.float32).min
    scores = (x[0] @ matrices[0]) @ (x[0] @ matrices[1]).T / width**0.5

    def nan(values) -> float:
        return values.isnan().double().mean().item()

    return {
        "row_nan": nan(first[0, 0]),
        "real_nan_first": nan(first[0, pads:]),
        "real_nan_second": nan(second[0, pads:]),
        "gradients_nan": nan(gradients(x, empty, 1)),
        "gradients_nan_filled": nan(gradients(x, empty, 1, fill=True)),
        "lowest_weight": (scores + lowest).softmax(-1).double().max().item(),
        "lowest_twice_nan": nan((scores + lowest + lowest).softmax(-1)),
        "guarded_nan": nan(safe),
        "guarded_error": ((safe - alone).norm() / alone.norm()).item(),
    }


@empty_row.invariant
def a_nan_spreads_in_the_second_block_alone(result):
    """After one block the empty row alone is NaN, after two every real token is; a row that may see one key leaves no NaN behind."""
    return (result["row_nan"], result["real_nan_first"], result["real_nan_second"], result["guarded_nan"]) == (1, 0, 1, 0)


def attention(x, matrices, seen, fill: bool = False):
    """x [texts, tokens, width]; matrices: W_q, W_k and W_v; seen: may query i look at key j. The mask is added to the scores, or filled in."""
    import torch

    w_q, w_k, w_v = matrices
    scores = (x @ w_q) @ (x @ w_k).transpose(-1, -2) / x.shape[-1] ** 0.5
    scores = scores.masked_fill(~seen, -torch.inf) if fill else scores + torch.zeros(seen.shape).masked_fill(~seen, -torch.inf)
    return scores.softmax(-1) @ (x @ w_v)
