"""Bytes that carry one token of a streamed answer: an event of server-sent events with OpenAI's JSON, and a message of gRPC.

    SSE     "data: " + JSON + two line feeds          (WHATWG, HTML, section 9.2; the JSON has the fields of chat.completion.chunk)
    gRPC    5 bytes + key + length + text             (a message with the text in its only field)

Frames of HTTP, TLS and packets come on top of either, compression is off.
"""

import json
from typing import Annotated

from kernels import Bound, kernel
from kernels.library.serving.payload_size import PREFIX, varint


def event(text: str, model: str, identity: int) -> str:
    chunk = {
        "id": "chatcmpl-" + "a" * identity,
        "object": "chat.completion.chunk",
        "created": 1764360000,
        "model": model,
        "choices": [{"index": 0, "delta": {"content": text}, "finish_reason": None}],
    }
    return "data: " + json.dumps(chunk, separators=(",", ":")) + "\n\n"


@kernel(
    kind="formula",
    outputs={"sse": "B", "grpc": "B", "over_text": "", "per_user": "B/s", "sse_rate": "B/s", "grpc_rate": "B/s"},
)
def token_stream(
    text: Annotated[int, Bound("B", low=1, high=10_000)] = 4,
    model: Annotated[int, Bound("B", low=1, high=1000)] = 8,
    identity: Annotated[int, Bound("B", low=1, high=1000)] = 29,
    streams: Annotated[int, Bound(low=1, high=10_000_000)] = 10_000,
    rate: Annotated[float, Bound("1/s", low=0.01, high=1e5)] = 50.0,
):
    """The bytes of a token's event or message, and of all streams a second.

    text: bytes of a token's text; model, identity: of the model's name and the request's id, which each event repeats. rate: tokens a second of one
    stream. over_text: an event over its text. per_user: of SSE, one stream.
    """
    sse = len(event("x" * text, "m" * model, identity))
    grpc = PREFIX + 1 + len(varint(text)) + text
    return {
        "sse": sse,
        "grpc": grpc,
        "over_text": sse / text,
        "per_user": rate * sse,
        "sse_rate": streams * rate * sse,
        "grpc_rate": streams * rate * grpc,
    }
