"""A text that is longer than an encoder's window: what truncation leaves out, and what windows that overlap take to cover it.

windows = 1 + ceil((T - w) / (w - o)),   T tokens, w of them in a window, o shared by neighbours
"""

from typing import Annotated

from kernels import Bound, KernelError, kernel


@kernel(kind="formula", outputs={"lost": "", "lost_tokens": "token", "windows": "", "embedded_tokens": "token", "overhead": "", "room": "token"})
def window_cover(
    tokens: Annotated[int, Bound("token", low=1, high=100_000_000)] = 3000,
    window: Annotated[int, Bound("token", low=2, high=10_000_000)] = 512,
    special: Annotated[int, Bound("token", low=0, high=100)] = 2,
    overlap: Annotated[int, Bound("token", low=0, high=1_000_000)] = 50,
):
    """The share of a text that a truncating encoder never reads, and the windows that cover all of it.

    special: tokens of the window that are not the text's ([CLS] and [SEP]). overhead: tokens that are read twice, over the text's own.
    """
    room = window - special
    if room < 1 or overlap >= room:
        raise KernelError(f"window_cover: a window of {window} tokens has room for {room} of the text, so the overlap must be smaller")
    lost = max(0, tokens - room)
    windows = 1 + -(-lost // (room - overlap))
    embedded = tokens + (windows - 1) * overlap
    return {
        "lost": lost / tokens,
        "lost_tokens": lost,
        "windows": windows,
        "embedded_tokens": embedded,
        "overhead": embedded / tokens - 1,
        "room": room,
    }


@window_cover.figure
def draw(result, ax):
    from kernels import plot

    read = result.parameters["tokens"] - result["lost_tokens"]
    plot.stacked_bars(
        ax, {"the text": {"read": read, "never read": result["lost_tokens"]}}, "token", fills={"read": plot.SKY, "never read": plot.ROSE}
    )
