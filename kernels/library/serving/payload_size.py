"""Bytes of the same vector as JSON and in binary: what an inference request carries, by its encoding.

    protobuf    key varint((1 << 3) | 2), varint(length), values packed: 4 bytes a float; a message on the wire of gRPC has 5 bytes before it
    base64      4 * ceil(n / 3) characters for n bytes

(Protocol Buffers, "Encoding": base 128 varints, packed repeated fields; RFC 4648, section 4; gRPC over HTTP/2, length-prefixed message.) JSON is
Python's: numbers by their shortest text that gives back the same float64 or the same float32, or with four decimals; separators without spaces. Token
ids are whole numbers, packed as varints. Headers of HTTP are left out, and no compression is used.
"""

import base64
import json
from typing import Annotated

from kernels import Bound, Free, kernel
from kernels.library.models._models import SHAPES

PREFIX = 5  # bytes before a message of gRPC: a flag and a length of four


def varint(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def packed(payload: bytes, field: int = 1) -> bytes:
    """A field of wire type 2, length-delimited: key, length, payload."""
    return varint(field << 3 | 2) + varint(len(payload)) + payload


@kernel(
    kind="simulation",
    outputs={
        **dict.fromkeys(("binary", "base64", "protobuf", "grpc", "json_double", "json_float", "json_four", "ids_json", "ids_protobuf"), "B"),
        **dict.fromkeys(("double_over_protobuf", "float_over_protobuf", "four_over_protobuf", "base64_over_protobuf", "ids_over_protobuf"), ""),
        **dict.fromkeys(("binary_rate", "double_rate", "float_rate"), "B/s"),
    },
)
def payload_size(
    values: Annotated[int, Bound(low=1, high=100_000)] = 512,
    rate: Annotated[float, Bound("1/s", low=1e-3, high=1e7)] = 10_000.0,
    vocab: Annotated[int, Bound(low=2, high=1_000_000)] = SHAPES["llama-3-8b"].vocab,
    scale: Annotated[float, Bound(low=1e-6, high=1e6), Free(0.04, 1.0)] = 1.0,
    seed: int = 0,
):
    """The body of a request with so many float32 values, normal with mean 0, and of one with as many token ids, by encoding.

    scale: the values' standard deviation; 1 for features, about 0.04 for coordinates of a normed vector of 512, so it is free between these.
    grpc: protobuf with the prefix of its message. json_double: as Python prints a float32 that became a float64; json_float: the shortest text of the
    float32; json_four: four decimals. ids: uniform below vocab. *_rate: bytes a second at the rate.
    """
    import torch

    random = torch.Generator().manual_seed(seed)
    x = torch.randn(values, generator=random, dtype=torch.float32) * scale
    ids = torch.randint(vocab, (values,), generator=random).tolist()
    raw = x.numpy().astype("<f4").tobytes()
    message = packed(raw)
    numbers = x.numpy()
    texts = {
        "json_double": json.dumps({"vector": x.double().tolist()}, separators=(",", ":")),
        "json_float": '{"vector":[' + ",".join(repr(float(str(v))) for v in numbers) + "]}",
        "json_four": '{"vector":[' + ",".join(f"{v:.4f}" for v in numbers.tolist()) + "]}",
    }
    sizes = {name: len(text.encode()) for name, text in texts.items()}
    coded, spelled = packed(b"".join(map(varint, ids))), json.dumps({"tokens": ids}, separators=(",", ":")).encode()
    based = len(base64.b64encode(raw))
    return {
        "binary": len(raw),
        "base64": based,
        "protobuf": len(message),
        "grpc": len(message) + PREFIX,
        **sizes,
        "ids_json": len(spelled),
        "ids_protobuf": len(coded),
        "double_over_protobuf": sizes["json_double"] / len(message),
        "float_over_protobuf": sizes["json_float"] / len(message),
        "four_over_protobuf": sizes["json_four"] / len(message),
        "base64_over_protobuf": based / len(message),
        "ids_over_protobuf": len(spelled) / len(coded),
        "binary_rate": rate * len(raw),
        "double_rate": rate * sizes["json_double"],
        "float_rate": rate * sizes["json_float"],
    }


@payload_size.invariant
def base64_is_four_thirds(result) -> bool:
    """Four characters for each three bytes begun, and the message no more than eight bytes above its values."""
    return result["base64"] == 4 * -(-result["binary"] // 3) and 0 < result["protobuf"] - result["binary"] <= 8


@payload_size.figure
def draw(result, ax):
    from kernels import plot

    plot.bars(
        ax,
        {
            "protobuf": result["protobuf"],
            "base64": result["base64"],
            "JSON, 4 decimals": result["json_four"],
            "JSON, float32": result["json_float"],
            "JSON, float64": result["json_double"],
        },
        "B",
        highlight="protobuf",
    )
