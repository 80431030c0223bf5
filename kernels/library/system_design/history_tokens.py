"""What a conversation's history costs, sent anew with each turn, and what summarising it every k turns makes of that.

    all of it      sum over turns j of j t                                          (grows with the square of the turns)
    summarised     the j-th turn after a summary sends s + j t; a summary reads s + k t and writes s

With t tokens a turn and s in a summary, all counted in prices of an input token: an output token costs `output_price` of them, and a token that
the server has in its prefix cache `cached_price` (1: no such cache). Over many turns the cost of a turn is least at

    k = sqrt(2 s (1 + output_price) / (t * cached_price))                where summaries are free of loss, and nothing is cached of a new summary

the square-root law of any fixed charge against a cost that grows (Harris 1913, How many parts to make at once).
"""

import math
from itertools import accumulate
from typing import Annotated

from kernels import Bound, Free, Series, kernel


@kernel(
    kind="formula",
    outputs={
        "full": "token",
        "summarised": "token",
        "sent": "token",
        "summaries": "",
        "over": "",
        "best": "",
        "turn_full": "token",
        "turn_most": "token",
        "growth": Series("turn", "token"),
        "sweep": Series("every", "token"),
    },
)
def history_tokens(
    turns: Annotated[int, Bound(low=1, high=1000)] = 50,
    tokens: Annotated[int, Bound("token", low=1, high=10_000)] = 200,
    every: Annotated[int, Bound(low=1, high=1000)] = 10,
    summary: Annotated[int, Bound("token", low=1, high=10_000)] = 200,
    output_price: Annotated[float, Bound(low=0.0, high=20.0)] = 4.0,
    cached_price: Annotated[float, Bound(low=0.01, high=1.0), Free(0.1, 1.0)] = 1.0,
):
    """Tokens of history that a conversation sends, in prices of an input token, whole or summarised every few turns.

    full: all history with each turn; summarised: with the calls that make summaries; sent: without them. over: full over summarised. best: the
    interval that costs least over many turns, not rounded. turn_full: the last turn's prompt; turn_most: the longest where summaries are made.
    What a token costs that the prefix cache has is the provider's, so cached_price is free. growth: cost so far, by turn;
    sweep: cost of the whole conversation by interval.
    """

    def whole() -> list[float]:
        costs, before = [], 0
        for _ in range(turns):
            costs.append(before * cached_price + tokens)
            before += tokens
        return costs

    def cut(k: int) -> tuple[list[float], list[float], int]:
        """By turn what is sent and what its summary costs, and the longest prompt."""
        costs, charges, cached, fresh, most = [], [], 0, 0, 0
        for turn in range(1, turns + 1):
            costs.append(cached * cached_price + fresh + tokens)
            charges.append(0.0)
            most = max(most, cached + fresh + tokens)
            cached, fresh = cached + fresh + tokens, 0
            if turn % k == 0 and turn < turns:
                charges[-1] = cached * cached_price + summary * output_price
                cached, fresh = 0, summary
        return costs, charges, most

    full, (sent, charges, most) = whole(), cut(every)
    summarised = sum(sent) + sum(charges)
    intervals = sorted({*range(1, min(turns, 41)), min(every, turns)})
    return {
        "full": sum(full),
        "summarised": summarised,
        "sent": sum(sent),
        "summaries": (turns - 1) // every,
        "over": sum(full) / summarised,
        "best": math.sqrt(2 * summary * (1 + output_price) / (tokens * cached_price)),
        "turn_full": turns * tokens,
        "turn_most": most,
        "growth": {
            "turn": list(range(1, turns + 1)),
            "all of it": list(accumulate(full)),
            "summarised": list(accumulate(a + b for a, b in zip(sent, charges))),
        },
        "sweep": {"every": intervals, "cost": [sum(cut(k)[0]) + sum(cut(k)[1]) for k in intervals]},
    }


@history_tokens.figure
def draw(result, ax):
    from kernels import plot

    plot.lines(ax, result["growth"], x_label="turn", y_label="history sent so far", highlight="all of it")
