"""A token's event against one that is written out by hand, as servers print it."""

import json

import pytest

from kernels.library.serving.token_stream import event, token_stream

PRINTED = (
    'data: {"id":"chatcmpl-aaaaaaaaaaaaaaaaaaaaaaaaaaaaa","object":"chat.completion.chunk","created":1764360000,"model":"mmmmmmmm",'
    '"choices":[{"index":0,"delta":{"content":"xxxx"},"finish_reason":null}]}\n\n'
)


@pytest.mark.oracle("token_stream", "an event and a message written out by hand")
def test_an_event_written_out():
    got = token_stream()
    assert got["sse"] == len(PRINTED) and event("xxxx", "mmmmmmmm", 29) == PRINTED
    assert got["grpc"] == len(b"\x00\x00\x00\x00\x06" + b"\x0a\x04xxxx")
    assert got["sse_rate"] == pytest.approx(10_000 * got["per_user"]) and got["per_user"] == 50 * len(PRINTED)


@pytest.mark.parametrize("text", [1, 127, 128, 10_000])
def test_longer_texts(text):
    assert json.loads(event("x" * text, "m", 1)[6:])["choices"][0]["delta"]["content"] == "x" * text
    assert token_stream(text=text)["grpc"] == 5 + 1 + (1 if text < 128 else 2) + text
