"""How the acceptance rate of drafted tokens falls as the draft's distribution departs from the target's.

A token x drafted from q is accepted with probability min(1, p(x) / q(x)), so that on average

    a = sum_x min(p(x), q(x)) = 1 - TV(p, q)         (Leviathan et al. 2023, arXiv 2211.17192, definition 3.2 to corollary 3.6)

and a rejected one is replaced by a sample of max(0, p - q), normalised, which makes the result p exactly. Here the target's logits are
normal, and the draft's are the same with normal noise on top: the noise is how far the models diverge.
"""

from typing import Annotated

from kernels import Bound, Series, kernel

NOISES = (0.0, 0.25, 0.5, 1.0, 1.5, 2.0, 3.0, 4.0, 6.0)


@kernel(
    kind="simulation",
    outputs={
        "acceptance": "",
        "total_variation": "",
        "divergence": "",
        "same_best": "",
        "played_acceptance": "",
        "output_error": "",
        "sampling_error": "",
        "sweep": Series("noise", ""),
    },
    tolerance=1e-6,
)
def acceptance_divergence(
    noise: Annotated[float, Bound(low=0.0, high=20.0)] = 2.0,
    vocab: Annotated[int, Bound(low=2, high=10_000)] = 1000,
    spread: Annotated[float, Bound(low=0.0, high=10.0)] = 2.0,
    contexts: Annotated[int, Bound(low=1, high=2000)] = 500,
    samples: Annotated[int, Bound(low=1000, high=2_000_000)] = 400_000,
    seed: int = 0,
):
    """The acceptance rate where a draft's logits are the target's plus noise, and the rejection rule played out against the target's distribution.

    spread: standard deviation of the target's logits. divergence: KL(p, q) in nats; same_best: share of contexts with the same
    likeliest token. In the first context `samples` tokens are drafted and accepted or replaced: played_acceptance is how many were
    accepted, output_error the total variation between what came out and p, sampling_error that of as many samples of p itself.
    sweep: acceptance against noise.
    """
    import torch

    random = torch.Generator().manual_seed(seed)
    target = spread * torch.randn(contexts, vocab, generator=random, dtype=torch.float64)
    error = torch.randn(contexts, vocab, generator=random, dtype=torch.float64)
    p, q = target.softmax(1), (target + noise * error).softmax(1)
    out, accepted = played(p[0], q[0], samples, random)
    plain = drawn(p[0], samples, random)
    acceptance = torch.minimum(p, q).sum(1).mean()
    return {
        "acceptance": acceptance,
        "total_variation": 0.5 * (p - q).abs().sum(1).mean(),
        "divergence": (p * (p.log() - q.log())).sum(1).mean(),
        "same_best": (p.argmax(1) == q.argmax(1)).double().mean(),
        "played_acceptance": accepted.double().mean(),
        "output_error": distance(out, p[0]),
        "sampling_error": distance(plain, p[0]),
        "sweep": {"noise": NOISES, "acceptance": [torch.minimum(p, (target + n * error).softmax(1)).sum(1).mean() for n in NOISES]},
    }


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
