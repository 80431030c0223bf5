"""Beam search against greedy decoding and against all sequences, on small random models.

A model gives each prefix a distribution of its own over `vocab` next tokens, the softmax of independent normal logits; or, as a Markov chain of
first order, each last token. The score of a sequence is the sum of its log-probabilities. A beam of width B keeps the B best prefixes of each
length; the best of all vocab^length sequences is found by scoring every one. A beam of width 1 is greedy; the beam is exact once it holds every
prefix.
"""

from typing import Annotated, Literal

from kernels import Bound, Free, KernelError, Series, kernel

WIDTHS = (1, 2, 4, 8, 16, 32)
MOST = 100_000  # sequences that are scored one by one


@kernel(
    kind="simulation",
    outputs={
        **dict.fromkeys(("found_greedy", "found", "found_double", "gap_greedy", "gap", "worse_than_greedy", "worse_when_wider", "common"), ""),
        "sweep": Series("width", ""),
    },
    draws=16,
)
def beam_vs_exact(
    width: Annotated[int, Bound(low=1, high=16)] = 4,
    vocab: Annotated[int, Bound(low=2, high=16)] = 8,
    length: Annotated[int, Bound(low=1, high=8)] = 5,
    spread: Annotated[float, Bound(low=0.1, high=5.0), Free(1.0, 3.0)] = 2.0,
    memory: Literal["whole prefix", "last token"] = "whole prefix",
    models: Annotated[int, Bound(low=1, high=100)] = 50,
    seed: int = 0,
):
    """How often a beam finds the likeliest of all sequences of a length, over small random models.

    spread: standard deviation of the logits, free: how sure a model is. found: share of models whose likeliest sequence the beam of `width` ends
    with; _greedy, _double: width 1, twice the width. gap: nats that its best sequence lacks. worse_than_greedy: models in which the beam's best is
    less likely than greedy's; worse_when_wider: than that of half its width. common: share of places at which all its sequences agree. sweep: found
    over the width.
    """
    if vocab**length > MOST:
        raise KernelError(
            f"beam_vs_exact: {vocab}^{length} sequences are too many to score (at most {MOST:,}: choose fewer tokens or a shorter length)"
        )
    import torch

    numbers = torch.Generator().manual_seed(seed)
    if memory == "last token":
        start, row = (torch.randn(models, n, vocab, generator=numbers) for n in (1, vocab))
        steps = [(spread * (row if k else start)).log_softmax(-1) for k in range(length)]
    else:
        steps = [(spread * torch.randn(models, vocab**k, vocab, generator=numbers)).log_softmax(-1) for k in range(length)]
    steps = [step.double() for step in steps]
    exact = every(steps, vocab).amax(-1)
    best = {b: beam(steps, vocab, b) for b in {*WIDTHS, width, 2 * width, max(1, width // 2)}}
    tops = {b: scores.amax(-1) for b, (scores, _) in best.items()}
    found = {b: (top > exact - 1e-9).double().mean().item() for b, top in tops.items()}
    digits = torch.stack([best[width][1] // vocab**k % vocab for k in range(length)], -1)
    return {
        "found_greedy": found[1],
        "found": found[width],
        "found_double": found[2 * width],
        "gap_greedy": (exact - tops[1]).mean().item(),
        "gap": (exact - tops[width]).mean().item(),
        "worse_than_greedy": (tops[width] < tops[1] - 1e-9).double().mean().item(),
        "worse_when_wider": (tops[width] < tops[max(1, width // 2)] - 1e-9).double().mean().item(),
        "common": (digits == digits[:, :1]).all(1).double().mean().item(),
        "sweep": {"width": WIDTHS, "found": [found[b] for b in WIDTHS]},
    }


def every(steps, vocab: int):
    """The score of every sequence, (models, vocab^length); a step has a row for each prefix or for each last token."""
    scores = steps[0][:, 0]
    for step in steps[1:]:
        rows = step if step.shape[1] == scores.shape[1] else step.repeat(1, scores.shape[1] // vocab, 1)
        scores = (scores[:, :, None] + rows).flatten(1)
    return scores


def beam(steps, vocab: int, width: int):
    """Scores and sequences, as numbers in base vocab, of the beam's last prefixes: (models, at most width)."""
    import torch

    scores, prefixes = torch.zeros(len(steps[0]), 1, dtype=torch.double), torch.zeros(len(steps[0]), 1, dtype=torch.long)
    for step in steps:
        rows = step.gather(1, (prefixes % step.shape[1])[:, :, None].expand(-1, -1, vocab))
        extended = (scores[:, :, None] + rows).flatten(1)
        kept = extended.topk(min(width, extended.shape[1]), -1)
        scores = kept.values
        prefixes = prefixes.gather(1, kept.indices // vocab) * vocab + kept.indices % vocab
    return scores, prefixes


@beam_vs_exact.invariant
def nothing_beats_all_sequences(result) -> bool:
    """The best of all sequences is no less likely than what a search found, and a beam of twice the width finds it about as often or oftener."""
    return result["gap"] >= -1e-9 and result["gap_greedy"] >= -1e-9


@beam_vs_exact.figure
def draw(result, ax):
    from kernels import plot

    p, swept = result.parameters, result["sweep"]
    plot.lines(ax, swept, xlog=True, unit="percent", labels={"found": ""}, x_label="beam width", y_label="likeliest sequence found")
    plot.mark(ax, 1, result["found_greedy"], "greedy", plot.AMBER, "right below")
    plot.mark(ax, p["width"], result["found"], f"width {p['width']}", plot.ACCENT, "right below")
    return (
        f"Share of small random models whose likeliest sequence is found, over the beam's width: greedy {100 * result['found_greedy']:.0f} %, "
        f"width {p['width']} {100 * result['found']:.0f} %, width {WIDTHS[-1]} {100 * swept.values('found')[-1]:.0f} %."
    )
