"""The text of a file, judged before anything looks into it.

In: a path. Out: text that holds nothing it may not (`characters`), with plain line ends and in the form in which Anki stores it; or a problem.
"""

from __future__ import annotations

import errno
import os
import unicodedata

from generator.gate import characters
from generator.problems import Place, Problem
from kernels import files

LARGEST = 5_000_000  # bytes of a file that is written by hand


def text_of(path: str | os.PathLike[str], shown: str, problems: list[Problem]) -> str | None:
    """The text of a file that is shown to a person as `shown`; None where there is none, which is added to `problems`."""
    try:
        data = files.read(path, LARGEST)
    except OSError as error:
        problems.append(unreadable(error, shown))
        return None
    return decoded(data, shown, problems)


def unreadable(error: OSError, shown: str) -> Problem:
    """A file that cannot be read, as a problem."""
    return Problem(Place(shown), f"the file cannot be read: {error.strerror}", _HINTS.get(error.errno or 0, ""))


_HINTS = {
    errno.EACCES: "check its permissions",
    errno.EPERM: "check its permissions",
    errno.ENOENT: "a broken link?",
    errno.ELOOP: "a link that leads to itself",
    errno.EFBIG: "part it into several",
}


def decoded(data: bytes, shown: str, problems: list[Problem]) -> str | None:
    """The same of what a file holds."""
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        what = "it begins as UTF-16" if data.startswith((b"\xff\xfe", b"\xfe\xff")) else f"byte 0x{data[error.start]:02X}"
        message = f"the file is not UTF-8: {what}"
        problems.append(Problem(Place(shown, data.count(b"\n", 0, error.start) + 1), message, "save it as UTF-8"))
        return None
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    if found := characters.unwanted(text):
        problems.append(Problem(Place(shown, text.count("\n", 0, found.start()) + 1), f"the text holds {characters.named(found[0])}", "delete it"))
        return None
    return text if unicodedata.is_normalized("NFC", text) else unicodedata.normalize("NFC", text)
