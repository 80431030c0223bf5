"""Whether a document fits a context window: pages, words a page, tokens a word, and room for the instructions and the answer."""

from typing import Annotated

from kernels import Bound, Free, kernel


@kernel(kind="formula", outputs={"tokens": "token", "room": "token", "share": "", "spare": "token", "dense": "token", "sparse": "token"})
def document_tokens(
    pages: Annotated[int, Bound(low=1, high=1_000_000)] = 200,
    words: Annotated[float, Bound(low=1.0, high=5000.0), Free(250.0, 500.0)] = 400.0,
    tokens_per_word: Annotated[float, Bound(low=1.0, high=10.0), Free(1.3, 1.6)] = 1.33,
    window: Annotated[int, Bound("token", low=1, high=10**9)] = 128_000,
    reserve: Annotated[int, Bound("token", low=0, high=10**9)] = 4_000,
):
    """A document's tokens, and their share of the window that is left beside `reserve` tokens of instructions and answer.

    words: of a page, from double-spaced to dense, so free. tokens_per_word: of English, 1.33 as a rule of thumb; names, numbers and section signs
    make more, so free. sparse, dense: at 250 words of 1.3 tokens, and at 500 of 1.6.
    """
    tokens = pages * words * tokens_per_word
    room = max(window - reserve, 0)
    return {
        "tokens": tokens,
        "room": room,
        "share": tokens / window,
        "spare": room - tokens,
        "sparse": pages * 250 * 1.3,
        "dense": pages * 500 * 1.6,
    }
