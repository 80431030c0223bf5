"""Sessions that a store with a time to live holds: more than there are users at a time.

    arrivals = concurrent / length        held = arrivals * (length + ttl)        (Little 1961, Operations Research 9(3), twice)

A session's entries go `ttl` after its last message, so that each stays for its length and the time to live.
"""

from typing import Annotated

from kernels import Bound, Free, kernel


@kernel(
    kind="formula",
    outputs={"arrivals": "1/s", "sessions": "", "over_concurrent": "", "keys": "", "keys_at_once": "", "bytes": "B", "tokens_cache": "B"},
)
def session_store(
    concurrent: Annotated[float, Bound(low=1, high=1e9)] = 10_000.0,
    length: Annotated[float, Bound("s", low=1.0, high=1e6)] = 600.0,
    ttl: Annotated[float, Bound("s", low=0.0, high=1e8), Free(0.0, 3600.0)] = 3600.0,
    messages: Annotated[int, Bound(low=1, high=100_000)] = 10,
    message_bytes: Annotated[float, Bound("B", low=1, high=1e9)] = 1000.0,
    tokens: Annotated[float, Bound("token", low=1, high=1e6)] = 200.0,
    per_token: Annotated[float, Bound("B/token", low=1, high=1e8)] = 131072.0,
):
    """Sessions, keys and bytes in a store that forgets a session a time to live after its last message.

    How long a session is kept after its last message is the plan's to say, from not at all to an hour: ttl is free. keys: one for each message;
    keys_at_once: were only those held that talk now. tokens_cache: what the same messages, `tokens` long each, take as a KV cache of `per_token`
    bytes a token.
    """
    arrivals = concurrent / length
    held = arrivals * (length + ttl)
    return {
        "arrivals": arrivals,
        "sessions": held,
        "over_concurrent": held / concurrent,
        "keys": held * messages,
        "keys_at_once": concurrent * messages,
        "bytes": held * messages * message_bytes,
        "tokens_cache": held * messages * tokens * per_token,
    }


@session_store.figure
def draw(result, ax):
    from kernels import plot

    held = "within their time to live"
    plot.bars(ax, {"talking now": result["keys_at_once"], held: result["keys"]}, "", highlight=held)
