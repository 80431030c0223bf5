"""Three texts padded to one length: places wasted, and the loss if it is averaged over places instead of tokens.

waste = 1 - (a + b + c) / (3 length)        scores: squares in place of lengths
mean over places = loss * (a + b + c) / (3 length)      if pads add a loss of zero
"""

from __future__ import annotations

from typing import Annotated

from kernels import Bound, KernelError, kernel

Length = Annotated[int, Bound("token", low=1)]


@kernel(
    kind="formula",
    outputs={"length": "", "tokens": "", "places": "", "waste": "", "shortest_waste": "", "scores_waste": "", "mean_over_places": ""},
)
def padded_batch(
    first: Length = 5,
    second: Length = 8,
    third: Length = 3,
    padded_to: Annotated[int, Bound("token", low=0)] = 0,
    loss: Annotated[float, Bound(low=0)] = 3.0,
):
    """Tokens, places and the wasted share; padded_to: 0 for the longest. shortest_waste: the waste within the shortest row.

    scores_waste: the wasted share of the score matrices. mean_over_places: the mean loss that is reported where every real token's is `loss`.
    """
    rows = (first, second, third)
    length = padded_to or max(rows)
    if length < max(rows):
        raise KernelError(f"padded_batch: padded_to is {padded_to}, but must be 0 or at least {max(rows)}, the longest text")
    tokens, places = sum(rows), len(rows) * length
    return {
        "length": length,
        "tokens": tokens,
        "places": places,
        "waste": 1 - tokens / places,
        "shortest_waste": 1 - min(rows) / length,
        "scores_waste": 1 - sum(row**2 for row in rows) / (places * length),
        "mean_over_places": loss * tokens / places,
    }
