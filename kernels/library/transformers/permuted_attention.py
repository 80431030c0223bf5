"""Attention without positions, its tokens shuffled: what a mask changes.

    no mask:   attention(P x) = P attention(x)  for every permutation P
    causal:    a token's output depends on which tokens stand before it

(Vaswani et al. 2017, arXiv 1706.03762, section 3.5, adds positions for this reason; Haviv et al. 2022, arXiv 2203.16634, train causal models
without any.) Random weights, residual connections, fp64; all tokens but the last are shuffled, and the last one's output compared.
"""

from typing import Annotated

from kernels import Bound, Free, kernel


@kernel(kind="simulation", outputs={"unmasked": "", "all_outputs": "", "causal_one": "", "causal_two": ""})
def permuted_attention(
    tokens: Annotated[int, Bound("token", low=3, high=256), Free(8, 64)] = 16,
    width: Annotated[int, Bound(low=4, high=512), Free(16, 128)] = 32,
    seed: int = 0,
):
    """How much outputs change when the tokens before the last are shuffled, root mean square, relative to the outputs.

    unmasked: the last token's output, two layers without a mask. all_outputs: every output against the shuffled ones, likewise.
    causal_one, causal_two: the last token's under a causal mask, one and two layers. tokens, width: any toy's, so free.
    """
    import torch

    random = torch.Generator().manual_seed(seed)
    x = torch.randn(tokens, width, generator=random, dtype=torch.float64)
    layers = [[torch.randn(width, width, generator=random, dtype=torch.float64) / width**0.5 for _ in range(3)] for _ in range(2)]
    order = torch.cat([torch.randperm(tokens - 1, generator=random), torch.tensor([tokens - 1])])
    if torch.equal(order, torch.arange(tokens)):
        order = torch.cat([torch.arange(tokens - 1).roll(1), torch.tensor([tokens - 1])])

    def change(before, after) -> float:
        return ((after - before).square().mean() / before.square().mean()).sqrt().item()

    plain, mixed = run(x, layers, False), run(x[order], layers, False)
    one, one_mixed = run(x, layers[:1], True), run(x[order], layers[:1], True)
    two, two_mixed = run(x, layers, True), run(x[order], layers, True)
    return {
        "unmasked": change(plain[-1], mixed[-1]),
        "all_outputs": change(plain[order], mixed),
        "causal_one": change(one[-1], one_mixed[-1]),
        "causal_two": change(two[-1], two_mixed[-1]),
    }


def run(x, layers, causal: bool):
    """x through single-head attention layers with residual connections."""
    import torch

    for w_q, w_k, w_v in layers:
        scores = (x @ w_q) @ (x @ w_k).T / x.shape[1] ** 0.5
        if causal:
            scores = scores.masked_fill(torch.ones_like(scores).triu(1).bool(), -torch.inf)
        x = x + torch.softmax(scores, 1) @ (x @ w_v)
    return x


@permuted_attention.invariant
def without_a_mask_outputs_are_shuffled_alike(result) -> bool:
    """To rounding; one causal layer's last output does not change either, since it sees the same set; two layers' does."""
    return max(result["unmasked"], result["all_outputs"], result["causal_one"]) < 1e-9 < 1e-6 < result["causal_two"]
