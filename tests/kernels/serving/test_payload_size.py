"""Encodings against the examples of Protocol Buffers' documentation, the protobuf library itself, and RFC 4648."""

import json
import struct

import pytest

from kernels import plot
from kernels.library.serving.payload_size import packed, payload_size, varint


def test_the_examples_of_the_documentation():
    """protobuf.dev/programming-guides/encoding: 150 is 96 01; "testing" in field 2 is 12 07 ..; packed 3, 270, 86942 in field 6 is 32 06 .."""
    assert varint(150) == bytes.fromhex("9601") and varint(1) == b"\x01"
    assert packed(b"testing", 2) == bytes.fromhex("120774657374696e67")
    assert packed(b"".join(map(varint, (3, 270, 86942))), 6) == bytes.fromhex("3206038e029ea705")


def test_the_protobuf_library_writes_the_same_bytes():
    descriptor_pb2 = pytest.importorskip("google.protobuf.descriptor_pb2")
    from google.protobuf import descriptor_pool, message_factory

    file = descriptor_pb2.FileDescriptorProto(name="t.proto", package="t", syntax="proto3")
    kind = file.message_type.add(name="V")
    for number, (name, code) in enumerate((("floats", 2), ("ids", 13)), 1):
        kind.field.add(name=name, number=number, label=3, type=code)
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    V = message_factory.GetMessageClass(pool.FindMessageTypeByName("t.V"))
    for n in (1, 31, 32, 512, 5000):
        floats = [0.5 * k - 3 for k in range(n)]
        assert V(floats=floats).SerializeToString() == packed(struct.pack(f"<{n}f", *floats))
        ids = [k * 251 for k in range(n)]
        assert V(ids=ids).SerializeToString() == packed(b"".join(map(varint, ids)), 2)


def test_the_sizes_of_512_floats():
    """JSON with Python's usual separators, ", ", took 10,556 and 6,076 bytes in the inventory's own count: 511 spaces less here."""
    got = payload_size()
    assert got["binary"] == 2048 and got["protobuf"] == 2051 and got["grpc"] == 2056 and got["base64"] == 2732
    assert got["json_double"] == pytest.approx(10_556 - 511, rel=0.01) and got["json_float"] == pytest.approx(6_076 - 511, rel=0.02)
    assert got["json_four"] == pytest.approx(12 + 511 + 512 * 6.5, rel=0.01)  # a sign for one in two, d.dddd
    assert got["binary_rate"] == 2048e4


def test_ids_by_their_digits():
    """Uniform below 100,000: five digits for nine in ten; three bytes above 16,383."""
    got = payload_size(vocab=100_000, values=20_000)
    assert got["ids_json"] / 20_000 == pytest.approx(1 + 4.889, rel=0.01)
    assert got["ids_protobuf"] / 20_000 == pytest.approx((128 + 2 * (16384 - 128) + 3 * (100_000 - 16384)) / 1e5, rel=0.01)


def test_one_value_at_either_end():
    for given in ({"values": 1}, {"values": 1, "scale": 1e6}, {"values": 1, "scale": 1e-6}):
        assert payload_size(**given)["json_float"] >= len(json.dumps({"vector": [0.0]}, separators=(",", ":")))


def test_the_figure():
    assert "base64" in plot.draw(payload_size, payload_size()).alt
