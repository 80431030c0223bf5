"""Linear attention in both orders of multiplication, with its normaliser and without, beside softmax attention on the same numbers.

    out_i = phi(q_i)^T sum_j phi(k_j) v_j^T / phi(q_i)^T sum_j phi(k_j),      phi(x) = elu(x) + 1

(Katharopoulos et al. 2020, arXiv 2006.16236, equations 4 to 7.) Left to right it has n x n weights, right to left it keeps d x d sums: the same
numbers, at 4 n^2 d FLOP or 4 n d^2. Without the denominator the weights do not sum to one, and the output grows with the number of keys.
"""

from typing import Annotated

from kernels import Bound, Free, Series, kernel

LENGTHS = (64, 256, 1024, 4096)


@kernel(
    kind="simulation",
    outputs={
        "order_error": "",
        "weights_sum": "",
        "sum_over_tokens": "",
        "softmax_gap": "",
        "saving": "",
        "state": "",
        "sweep": Series("tokens", "", "token"),
    },
    tolerance=1e-3,
)
def linear_attention(
    tokens: Annotated[int, Bound("token", low=2, high=8192), Free(512, 4096)] = 1024,
    head_dim: Annotated[int, Bound(low=2, high=256)] = 64,
    seed: int = 0,
):
    """Largest difference of both orders over the largest output; the mean sum of unnormalised weights, also over the tokens; distance to softmax.

    softmax_gap: root mean square difference to softmax attention over the size of softmax's outputs, of normal numbers. saving: FLOP of scores and
    sums left to right over right to left, tokens over head_dim. state: numbers that decoding keeps in place of a cache. tokens: any long text's,
    so free. sweep: the mean sum of the weights by length.
    """
    import torch

    random = torch.Generator().manual_seed(seed)
    q, k, v = (torch.randn(max(tokens, max(LENGTHS)), head_dim, generator=random, dtype=torch.float64) for _ in range(3))
    sums = [(feature(q[:64]) @ feature(k[:n]).sum(0)).mean().item() for n in LENGTHS]
    q, k, v = q[:tokens], k[:tokens], v[:tokens]
    some = slice(0, 256)  # queries: enough for means
    phi_q, phi_k = feature(q[some]), feature(k)
    weights = phi_q @ phi_k.T
    left = (weights @ v) / weights.sum(1, keepdim=True)
    right = (phi_q @ (phi_k.T @ v)) / (phi_q @ phi_k.sum(0))[:, None]
    soft = torch.softmax(q[some] @ k.T / head_dim**0.5, 1) @ v
    total = weights.sum(1).mean().item()
    return {
        "order_error": ((left - right).abs().max() / left.abs().max()).item(),
        "weights_sum": total,
        "sum_over_tokens": total / tokens,
        "softmax_gap": ((left - soft).square().mean() / soft.square().mean()).sqrt().item(),
        "saving": tokens / head_dim,
        "state": head_dim * (head_dim + 1),
        "sweep": {"tokens": LENGTHS, "unnormalised": sums, "normalised": [1.0] * len(LENGTHS)},
    }


def feature(x):
    import torch

    return torch.nn.functional.elu(x) + 1


@linear_attention.invariant
def both_orders_are_the_same_numbers(result) -> bool:
    """To rounding; and weights without a denominator grow with the keys."""
    sums = result["sweep"].values("unnormalised")
    return result["order_error"] < 1e-10 and all(b > 2 * a for a, b in zip(sums, sums[1:]))


@linear_attention.figure
def draw(result, ax):
    from kernels import plot

    labels = {"unnormalised": "without\ndenominator", "normalised": "with it"}
    plot.lines(
        ax, result["sweep"], xlog=True, ylog=True, labels=labels, x_label="tokens", y_label="sum of a query's weights", highlight="unnormalised"
    )
