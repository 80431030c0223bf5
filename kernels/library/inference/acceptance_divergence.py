"""How the acceptance rate of drafted tokens falls as the draft's distribution departs from the target's.

A token x drafted from q is accepted with probability min(1, p(x) / q(x)), so that on average

    a = sum_x min(p(x), q(x)) = 1 - TV(p, q)         (Leviathan et al. 2023, arXiv 2211.17192, definition 3.2 to corollary 3.6)

and a rejected one is replaced by a sample of max(0, p - q), normalised, which makes the result p exactly. Here the target's logits are
normal, and the draft's are the same with normal noise on top: the noise is how far the models diverge.
"""

from typing import Annotated

from kernels import Bound, Free, Series, kernel

NOISES = (0.0, 0.25, 0.5, 1.0, 1.5, 2.0, 3.0, 4.0, 6.0)


@kernel(
    kind="simulation",
    outputs={
        "acceptance": "",
        "total_variation": "",
        "divergence": "",
        "same_best": "",
        "output_gap": "",
        "sweep": Series("noise", ""),
    },
    tolerance=1e-6,
)
def acceptance_divergence(
    noise: Annotated[float, Bound(low=0.0, high=20.0)] = 2.0,
    vocab: Annotated[int, Bound(low=2, high=50_000), Free(1000, 30_000)] = 4000,
    spread: Annotated[float, Bound(low=0.0, high=10.0), Free(1.0, 4.0)] = 2.0,
    contexts: Annotated[int, Bound(low=1, high=2000)] = 100,
    seed: int = 0,
):
    """The acceptance rate where a draft's logits are the target's plus noise.

    noise: standard deviation of the noise; spread: of the target's logits. divergence: KL(p, q) in nats; same_best: share of contexts with the same
    likeliest token. output_gap: total variation between p and what accepting and redrawing give, the largest over contexts. sweep: acceptance
    against noise.

    The logits of no model are normal, so that neither their spread (1 to 4, from flat to peaked) nor the size of the vocab is fixed: both are free.
    """
    import torch

    random = torch.Generator().manual_seed(seed)
    target = spread * torch.randn(contexts, vocab, generator=random, dtype=torch.float64)
    error = torch.randn(contexts, vocab, generator=random, dtype=torch.float64)
    p, q = target.softmax(1), (target + noise * error).softmax(1)
    overlap = torch.minimum(p, q)
    acceptance = overlap.sum(1).mean()
    rest = (p - q).clamp(min=0)
    out = overlap + (1 - overlap.sum(1, keepdim=True)) * rest / rest.sum(1, keepdim=True).clamp(min=1e-300)
    return {
        "acceptance": acceptance,
        "total_variation": 0.5 * (p - q).abs().sum(1).mean(),
        "divergence": (p * (p.log() - q.log())).sum(1).mean(),
        "same_best": (p.argmax(1) == q.argmax(1)).double().mean(),
        "output_gap": 0.5 * (out - p).abs().sum(1).max(),
        "sweep": {"noise": NOISES, "acceptance": [torch.minimum(p, (target + n * error).softmax(1)).sum(1).mean() for n in NOISES]},
    }


@acceptance_divergence.invariant
def acceptance_is_one_minus_total_variation(result):
    """The overlap of two distributions and their total variation distance add up to 1."""
    return abs(result["acceptance"] + result["total_variation"] - 1) < 1e-9


@acceptance_divergence.invariant
def what_comes_out_is_the_target(result):
    """Accepted drafts and redrawn rejections add up to the target's own distribution, however bad the draft."""
    return result["output_gap"] < 1e-9


@acceptance_divergence.invariant
def more_noise_never_helps(result):
    """Over one draw's contexts the acceptance falls as the noise grows, from 1 without any."""
    points = result["sweep"].values("acceptance")
    return points == sorted(points, reverse=True) and abs(points[0] - 1) < 1e-9


def played(p, q, samples: int, random):
    """Tokens drafted from q, each accepted or replaced by the rule; what comes out, and which were accepted."""
    import torch

    draft = drawn(q, samples, random)
    accepted = torch.rand(samples, generator=random, dtype=torch.float64) * q[draft] < p[draft]
    rest = (p - q).clamp(min=0)
    if not rest.sum() > 0:  # the draft is the target
        return draft, accepted
    return torch.where(accepted, draft, drawn(rest / rest.sum(), samples, random)), accepted


def drawn(probability, samples: int, random):
    """That many tokens, each where the cumulated probabilities pass a uniform number."""
    import torch

    at = torch.rand(samples, generator=random, dtype=torch.float64)
    return torch.searchsorted(probability.cumsum(0), at).clamp(max=len(probability) - 1)


def distance(tokens, p):
    """The total variation between the frequencies of the tokens and p."""
    return 0.5 * (tokens.bincount(minlength=len(p)).double() / len(tokens) - p).abs().sum()


@acceptance_divergence.figure
def draw(result, ax):
    from kernels import plot

    plot.lines(
        ax,
        result["sweep"],
        labels={"acceptance": ""},
        x_label=f"noise on the draft's logits (target's own sd: {result.parameters['spread']:g})",
        y_label="acceptance rate",
    )
    plot.mark(ax, result.parameters["noise"], result["acceptance"], f"{result['acceptance']:.2f}", plot.ACCENT, "right above")
