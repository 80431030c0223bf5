"""What speculative decoding gains: a small model drafts g tokens, the large one checks them all in one pass.

Each draft is accepted with probability a, independently; the first rejection ends the round, and the large model always adds one
token of its own. A round therefore yields

    1 + a + a^2 + ... + a^g = (1 - a^(g+1)) / (1 - a)    tokens          (Leviathan et al. 2023, arXiv 2211.17192, equation 1)

and costs g c + 1 passes of the large model, c being the draft's time over the large model's (theorem 3.8):

    speedup = (1 - a^(g+1)) / ((1 - a) (g c + 1))

It assumes that checking g + 1 tokens takes no longer than producing one: true while decoding is bound by memory.
"""

from typing import Annotated

from kernels import Bound, Series, kernel


def expected(acceptance: float, draft_tokens: int) -> float:
    """The mean number of tokens that one round yields. The sum is exact where a = 1, the quotient is not defined there."""
    return sum(acceptance**k for k in range(draft_tokens + 1))


def gain(acceptance: float, draft_tokens: int, cost_ratio: float) -> float:
    return expected(acceptance, draft_tokens) / (draft_tokens * cost_ratio + 1)


def even(draft_tokens: int, cost_ratio: float) -> float:
    """The acceptance at which the speedup is 1, by bisection: the gain grows with a, from at most 1 at a = 0 to at least 1 at a = 1."""
    low, high = 0.0, 1.0
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if gain(middle, draft_tokens, cost_ratio) < 1 else (low, middle)
    return high


@kernel(
    kind="formula",
    outputs={
        "expected_tokens": "",
        "speedup": "",
        "break_even": "",
        "best_draft_tokens": "",
        "best_speedup": "",
        "operations": "",
        "sweep": Series("acceptance", ""),
    },
)
def speculative_speedup(
    acceptance: Annotated[float, Bound(low=0, high=1)],
    draft_tokens: Annotated[int, Bound(low=1, high=256)],
    cost_ratio: Annotated[float, Bound(low=0, high=1)],
    draft_operations: Annotated[float, Bound(low=0, high=1)] = 0.0,
):
    """Tokens per round, speedup and break-even of speculative decoding. cost_ratio: a draft pass' time / a target pass' time.

    break_even: the acceptance at which the speedup is exactly 1. best_draft_tokens: the number of drafts (1 to 256) that is
    fastest at this acceptance and cost, or 0 where drafting always loses. operations: arithmetic done over what plain decoding
    does (theorem 3.11), draft_operations being the draft's arithmetic per token over the target's. sweep: speedup against acceptance.
    """
    best = max(range(257), key=lambda g: (gain(acceptance, g, cost_ratio), -g))
    grid = [k / 50 for k in range(51)]
    return {
        "expected_tokens": expected(acceptance, draft_tokens),
        "speedup": gain(acceptance, draft_tokens, cost_ratio),
        "break_even": even(draft_tokens, cost_ratio),
        "best_draft_tokens": best,
        "best_speedup": gain(acceptance, best, cost_ratio),
        "operations": (draft_tokens * draft_operations + draft_tokens + 1) / expected(acceptance, draft_tokens),
        "sweep": {"acceptance": grid, "speedup": [gain(a, draft_tokens, cost_ratio) for a in grid]},
    }


@speculative_speedup.figure
def draw(result, ax):
    from kernels import plot

    plot.lines(ax, result["sweep"], labels={"speedup": ""}, x_label="acceptance rate", y_label="speedup")
    plot.hline(ax, 1.0, "plain decoding")
    even, acceptance, speedup = result["break_even"], result.parameters["acceptance"], result["speedup"]
    if abs(even - acceptance) > 0.08:
        plot.mark(ax, even, 1.0, f"break-even {even:.2f}", plot.MUTED, "right below" if even < 0.5 else "left above")
    plot.mark(
        ax, acceptance, speedup, f"{speedup:.2f} times", plot.ACCENT if speedup >= 1 else plot.RED, "left above" if speedup > 1 else "right below"
    )
