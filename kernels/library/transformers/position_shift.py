"""What happens to an attention score when query and key are moved together: rotary, sinusoidal and learned positions.

    rotary       (R_m q) . (R_n k) = q . R_(n-m) k                          only the distance counts (RoFormer, arXiv 2104.09864, equation 16)
    sinusoidal   p_m . p_n = sum_i cos((m - n) / base^(2i/d))               only the distance counts, of the positions alone
    added        (x + p_m) W_q . (y + p_n) W_k                              content and projections come between, and it no longer does

(Vaswani et al. 2017, arXiv 1706.03762, section 3.5, for the sinusoids.)
"""

from typing import Annotated

from kernels import Bound, Free, KernelError, kernel

OUTPUTS = ("rotary", "rotary_moved", "rotary_change", "rotary_others", "sines", "sines_moved", "sines_change", "added_change", "learned_change")


@kernel(kind="simulation", outputs=dict.fromkeys((*OUTPUTS, "formula_error"), ""), tolerance=1e-6)
def position_shift(
    width: Annotated[int, Bound(low=2, high=1024), Free(64, 128)] = 128,
    query: Annotated[int, Bound("token", low=0, high=10**6)] = 10,
    key: Annotated[int, Bound("token", low=0, high=10**6)] = 3,
    shift: Annotated[int, Bound("token", low=0, high=10**6)] = 1000,
    content: Annotated[float, Bound(low=0.0, high=100.0), Free(0.5, 2.0)] = 1.0,
    pairs: Annotated[int, Bound(low=1, high=10_000), Free(100, 2000)] = 500,
    seed: int = 0,
):
    """One random pair's score before and after the move, and the root mean square change over many, relative to the scores' own, in fp64.

    rotary_others: how much the scores of other vectors at the same positions differ, relative to their own. sines: the dot product of two sinusoidal
    encodings. added: encodings added to random embeddings, then random projections. learned: the same with a random table. formula_error: the
    rotation against x cos + rotate(x) sin with the half-split rotate. width: heads in use are 64 or 128 wide; content: the embeddings' entries,
    whose scale is 1 in the first transformer and half or double as well in others; pairs: the sample, free from a hundred to thousands.
    """
    import torch

    if width % 2:
        raise KernelError(f"position_shift: width is {width}, but must be even: positions turn pairs")
    generator = torch.Generator().manual_seed(seed)

    def normal(*shape):
        return torch.randn(*shape, generator=generator, dtype=torch.float64)

    q, k, x, y = (normal(pairs, width) for _ in range(4))
    x, y = content * x, content * y
    w_q, w_k = (normal(width, width) / width**0.5 for _ in range(2))
    table = 2**-0.5 * normal(4, width)  # as large as the sinusoids: query, key, and both moved

    def change(old, new) -> float:
        return ((new - old).square().mean() / old.square().mean()).sqrt().item()

    def added(p_q, p_k):
        return (((x + p_q) @ w_q) * ((y + p_k) @ w_k)).sum(-1)

    rope = [(turned(q, query + s) * turned(k, key + s)).sum(-1) for s in (0, shift)]
    sines = [(sinusoid(query + s, width) * sinusoid(key + s, width)).sum() for s in (0, shift)]
    sums = [added(sinusoid(query + s, width), sinusoid(key + s, width)) for s in (0, shift)]
    learned = [added(table[0], table[1]), added(table[2], table[3])]
    return {
        "rotary": rope[0][0].item(),
        "rotary_moved": rope[1][0].item(),
        "rotary_change": change(*rope),
        "rotary_others": change(rope[0], rope[0].roll(1)) if pairs > 1 else 0.0,
        "sines": sines[0].item(),
        "sines_moved": sines[1].item(),
        "sines_change": change(*sines),
        "added_change": change(*sums),
        "learned_change": change(*learned),
        "formula_error": (turned(q, query) - halves(q, query)).abs().max().item(),
    }


def turned(x, position: int, base: float = 10_000.0):
    """Each pair (x_i, x_{i + d/2}) as a complex number, times e^{i position base^(-2i/d)}."""
    import torch

    angles = position * base ** (-torch.arange(0, x.shape[-1], 2, dtype=x.dtype) / x.shape[-1])
    z = torch.complex(*x.chunk(2, -1)) * torch.polar(torch.ones_like(angles), angles)
    return torch.cat([z.real, z.imag], -1)


def sinusoid(position: int, width: int, base: float = 10_000.0):
    """sin and cos of position / base^(2i/d); their order does not matter to a dot product."""
    import torch

    angles = position * base ** (-torch.arange(0, width, 2, dtype=torch.float64) / width)
    return torch.cat([angles.sin(), angles.cos()])


def halves(x, position: int, base: float = 10_000.0):
    """x cos + rotate(x) sin with rotate(a, b) = (-b, a), as Llama's code in transformers has it."""
    import torch

    angles = (position * base ** (-torch.arange(0, x.shape[-1], 2, dtype=x.dtype) / x.shape[-1])).repeat(2)
    first, second = x.chunk(2, -1)
    return x * angles.cos() + torch.cat([-second, first], -1) * angles.sin()


@position_shift.invariant
def only_the_distance_counts_for_rotations_and_for_bare_sinusoids(result):
    """Moving both tokens changes neither a rotary score nor the product of two sinusoidal encodings, and the two ways to rotate agree."""
    return max(result["rotary_change"], result["sines_change"], result["formula_error"]) < 1e-9
