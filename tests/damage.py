"""Damage to files, by chance: what a disk, a cut connection, a merge or a hand does to bytes."""

from __future__ import annotations

from random import Random


def flipped(content: bytes, chance: Random) -> bytes:
    """One bit is another."""
    at = chance.randrange(len(content))
    return content[:at] + bytes([content[at] ^ 1 << chance.randrange(8)]) + content[at + 1 :]


def mangled(content: bytes, chance: Random) -> bytes:
    """A bit or a byte is another, some are gone, twice there or new, a number is, or the end is cut off."""
    at = chance.randrange(len(content))
    to = at + chance.randrange(1, 40)
    digits = [place for place in range(at, min(to, len(content))) if content[place : place + 1].isdigit()]
    new = chance.choice(
        (b"1e999", b"1" + b"0" * 30, b"null", b"true", b"[" * 20_000, b"{}", b'"mod": 1, ', b"\0", b"\n", b"\xed\xa0\x80", b"\xff", b"-")
    )
    return chance.choice(
        (
            flipped(content, chance),
            content[:at] + bytes([chance.randrange(256)]) + content[at + 1 :],
            content[:at] + content[to:],
            content[:at] + content[at:to] + content[at:],
            content[:at] + new + content[at:],
            content[:at] + new + content[to:],
            content[: digits[0]] + b"%d" % chance.randrange(10) + content[digits[0] + 1 :] if digits else content[:at],
            content[:at],
        )
    )
