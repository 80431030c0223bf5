"""Which biases of an attention layer do anything: softmax forgets a key's bias, and a value's bias comes out as a constant.

    q_i . (k_j + b)  = q_i . k_j + q_i . b          the same for every j, so the softmax over j cancels it
    sum_j a_ij (v_j + b) = sum_j a_ij v_j + b       because the weights a_ij of a row sum to 1

With rotary positions (Su et al. 2021, RoFormer, arXiv 2104.09864) the key's bias is rotated with its key, q_i . R(j - i) b depends on j, and it
no longer cancels: it becomes a preference for certain distances.
"""

from typing import Annotated

from kernels import Bound, Free, KernelError, kernel

OUTPUTS = ("key", "query", "value", "value_shifted", "key_rotary", "query_rotary")


@kernel(kind="simulation", outputs=dict.fromkeys(OUTPUTS, ""), draws=128, tolerance=1e-6)
def attention_bias(
    tokens: Annotated[int, Bound(low=2, high=1024), Free(16, 1024)] = 64,
    width: Annotated[int, Bound(low=2, high=256), Free(64, 128)] = 64,
    size: Annotated[float, Bound(low=0.0, high=10.0), Free(0.3, 3.0)] = 1.0,
    seed: int = 0,
):
    """How much a random bias on key, query or value changes one causal head's output, relative to the output's own norm, in fp64.

    value_shifted: what is left once the value's bias is subtracted from the output. key_rotary, query_rotary: with rotary positions. Queries, keys
    and values are normal. tokens: of a sentence to a page, so free from 16 to 1,024; width: of the heads in use, 64 and 128; size: of the bias, over
    that of the vectors that it is added to; free from a third to three times, for a trained bias may be small or large.
    """
    import torch

    if width % 2:
        raise KernelError(f"attention_bias: width is {width}, but must be even: rotary positions turn pairs")
    generator = torch.Generator().manual_seed(seed)
    q, k, v = (torch.randn(tokens, width, generator=generator, dtype=torch.float64) for _ in range(3))
    b = size * torch.randn(width, generator=generator, dtype=torch.float64)
    plain, turned = attend(q, k, v), attend(rotary(q), rotary(k), v)

    def change(new, old) -> float:
        return ((new - old).norm() / old.norm()).item()

    return {
        "key": change(attend(q, k + b, v), plain),
        "query": change(attend(q + b, k, v), plain),
        "value": change(attend(q, k, v + b), plain),
        "value_shifted": change(attend(q, k, v + b) - b, plain),
        "key_rotary": change(attend(rotary(q), rotary(k + b), v), turned),
        "query_rotary": change(attend(rotary(q + b), rotary(k), v), turned),
    }


def attend(q, k, v):
    """softmax(q k^T / sqrt d) v with the causal mask; each (tokens, width)."""
    scores = q @ k.T / q.shape[-1] ** 0.5
    ahead = scores.new_ones(scores.shape).triu(1).bool()
    return scores.masked_fill(ahead, float("-inf")).softmax(-1) @ v


def rotary(x, base: float = 10_000.0, start: int = 0):
    """Each pair (x_i, x_{i + d/2}) of the token at position p turned by p base^(-2i/d)."""
    import torch

    tokens, width = x.shape
    rates = base ** (-torch.arange(0, width, 2, dtype=x.dtype) / width)
    angles = torch.outer(torch.arange(start, start + tokens, dtype=x.dtype), rates)
    first, second = x.chunk(2, -1)
    return torch.cat([first * angles.cos() - second * angles.sin(), second * angles.cos() + first * angles.sin()], -1)


@attention_bias.invariant
def softmax_forgets_a_key_s_bias_and_a_value_s_comes_out_whole(result):
    """Without rotary positions a key's bias changes nothing, and a value's adds itself to the output: both to rounding."""
    return max(result["key"], result["value_shifted"]) < 1e-9 * (1 + result.parameters["size"])
