"""Prompt tokens that an agent's turns read, and what a prefix cache and a sliding window do to the bill.

Turn k reads the fixed part F (instructions, tools, the task) and the k - 1 steps before it, of s tokens each (a call and its result):

    all turns   n F + s n (n - 1) / 2            new among them   F + s (n - 1)

A prefix cache serves what stood at the beginning of an earlier prompt unchanged (RadixAttention, Zheng et al. 2024, arXiv 2312.07104, section 3);
what it serves is billed at a share of the price. A window that drops the oldest step changes everything behind the fixed part, so that from then
on the cache serves the fixed part alone.
"""

from typing import Annotated

from kernels import Bound, Series, kernel


@kernel(
    kind="formula",
    outputs={
        "total": "token",
        "last": "token",
        "new": "token",
        "from_cache": "token",
        "history": "token",
        "billed": "token",
        "saved": "",
        "window_total": "token",
        "window_billed": "token",
        "window_over_cached": "",
        "sweep": Series("turns", "token"),
    },
)
def agent_tokens(
    fixed: Annotated[int, Bound("token", low=1, high=1_000_000)] = 3000,
    step: Annotated[int, Bound("token", low=1, high=1_000_000)] = 1000,
    turns: Annotated[int, Bound(low=1, high=1000)] = 40,
    cached_price: Annotated[float, Bound(low=0.0, high=1.0)] = 0.1,
    window: Annotated[int, Bound(low=0, high=1000)] = 10,
):
    """Prompt tokens over an agent's turns: read in all, new, and billed with a prefix cache, with all steps kept or the last few.

    fixed: of every prompt. step: that each turn appends. cached_price: of a cached token, as a share of a new one's; writing to the cache costs
    nothing extra here, and nothing is evicted. window: steps that a sliding window keeps. billed: in tokens at full price. history: total without
    the fixed part. window_over_cached: the window's bill over that of the whole history, both with the cache. sweep: by turns.
    """

    def read(n: int) -> int:
        return n * fixed + step * n * (n - 1) // 2

    def new(n: int) -> int:
        return fixed + step * (n - 1)

    def billed(n: int) -> float:
        return new(n) + cached_price * (read(n) - new(n))

    def windowed(n: int) -> tuple[int, float]:
        """Tokens read and billed in turn n, with a window."""
        kept = min(n - 1, window)
        prompt = fixed + step * kept
        if n == 1:
            fresh = fixed
        elif n - 1 <= window:
            fresh = step
        else:
            fresh = step * kept
        return prompt, fresh + cached_price * (prompt - fresh)

    window_turns = [windowed(k) for k in range(1, max(turns, 50) + 1)]
    window_total = sum(prompt for prompt, _ in window_turns[:turns])
    window_billed = sum(bill for _, bill in window_turns[:turns])
    shown = range(1, min(max(turns, 2), 50) + 1)
    return {
        "total": read(turns),
        "last": fixed + step * (turns - 1),
        "new": new(turns),
        "from_cache": read(turns) - new(turns),
        "history": step * turns * (turns - 1) // 2,
        "billed": billed(turns),
        "saved": 1 - billed(turns) / read(turns),
        "window_total": window_total,
        "window_billed": window_billed,
        "window_over_cached": window_billed / billed(turns),
        "sweep": {
            "turns": list(shown),
            "no cache": [read(n) for n in shown],
            "cached": [billed(n) for n in shown],
            "window, cached": [sum(bill for _, bill in window_turns[:n]) for n in shown],
        },
    }


@agent_tokens.figure
def draw(result, ax):
    from kernels import plot

    labels = {"window, cached": f"last {result.parameters['window']} steps, cached", "cached": "all steps, cached"}
    plot.height(ax, 220)
    plot.lines(ax, result["sweep"], labels=labels, x_label="turns", y_label="prompt billed at full price")
