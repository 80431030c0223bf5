"""What a character may be, in whatever an author writes and whatever learners get.

In: a text. Out: what of it must not be there. Line breaks and tabs are text; other control characters are not (U+001F parts Anki's fields,
U+0000 ends strings), nor are halves of surrogate pairs (no UTF-8 has them), noncharacters, and the private use area, whose first
characters are marks of ours. Characters that only cannot be seen, such as those that turn the direction of writing, are text: a
message shows them as escapes (`visible` in problems.py).
"""

from __future__ import annotations

import re

# Looked for by what may stand there, in the plane of nearly all text, since that takes a third of the time.
_PLANES = "".join(f"{chr(plane + 0xFFFE)}{chr(plane + 0xFFFF)}" for plane in range(0x10000, 0x110000, 0x10000))
_UNWANTED = re.compile(f"[^\t\n -~\xa0-\ud7ff\uf900-\ufdcf\ufdf0-\ufffd](?<![^\x00-\x1f\x7f-\x9f\ud800-\uf8ff\ufdd0-\ufdef\ufffe\uffff{_PLANES}])")


_UNWANTED_ASCII = re.compile("[^\t\n -~]")


def unwanted(text: str) -> re.Match[str] | None:
    """The first character that no text may hold."""
    return (_UNWANTED_ASCII if text.isascii() else _UNWANTED).search(text)


def named(character: str) -> str:
    """An unwanted character as a message has it: "the control character U+001F"."""
    sort = (
        "control character"
        if character < "\xa0"
        else "surrogate"
        if "\ud800" <= character <= "\udfff"
        else "private-use character"
        if "\ue000" <= character <= "\uf8ff"
        else "noncharacter"
    )
    return f"the {sort} U+{ord(character):04X}"


def without_unwanted(text: str) -> str:
    """A text from elsewhere without them."""
    return _UNWANTED.sub("", text) if _UNWANTED.search(text) else text
