"""Files from elsewhere into a folder of cards: which format each is, and what is said of the whole.

In: paths, of files or of a vault's folder, and the folder of cards. Out: files in it, and lines for the terminal.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from importlib.util import find_spec
from pathlib import Path

from generator.elsewhere.files import leads_out, outside
from generator.elsewhere.found import Haul, gated
from generator.gate.files import unreadable
from generator.problems import DeckError, Place, Problem
from kernels import files

FORMATS = (".apkg", ".colpkg", ".csv", ".markdown", ".md", ".tsv", ".txt")
LARGEST = 50_000_000  # bytes of a text file
NEEDED = ("markdownify", *(["backports.zstd"] if sys.version_info < (3, 14) else []))


def take(paths: Sequence[Path], cards: Path, now: int) -> str:
    """Writes what the files hold into the folder of cards, and says what came and what did not. Raises DeckError where nothing can."""
    if missing := [name for name in NEEDED if not _is_there(name)]:
        names = " and ".join(missing)
        raise DeckError([Problem(Place(str(path)), f"importing needs {names}", "pip install 'warpdeck[import]'") for path in paths])
    from generator.elsewhere.write import counted, write

    hauls = [one for path in paths for one in _read(path)]
    if not any(haul.notes for _, haul in hauls):
        raise DeckError(
            [Problem(Place(path.as_posix()), "no card was found", "the formats are told in cards/README.md") for path in paths]
            + [one for _, haul in hauls for one in haul.lost]
        )
    written = write([(path, haul) for path, haul in hauls if haul.notes or haul.lost], cards, now, paths[0].resolve().stem)
    files = [path for path in written.files if path.endswith(".md")]
    lines = [f"{written.notes} notes in {len(files)} file{'s' * (len(files) != 1)}: {', '.join(files[:6])}{', ...' * (len(files) > 6)}"]
    lines += [f"{written.known} notes were here already"] * bool(written.known)
    return "\n".join([*lines, *(f"lost  {line}" for line in counted(written.lost))])


def _is_there(module: str) -> bool:
    try:
        return find_spec(module) is not None
    except ModuleNotFoundError:  # not even the package that it is in
        return False


def _read(path: Path) -> Iterator[tuple[Path, Haul]]:
    if path.is_dir():
        here = [one for one in sorted(path.rglob("*")) if not any(part.startswith(".") for part in one.relative_to(path).parts)]
        notes = [file for file in here if file.suffix == ".md"]
        if out := [one for one in here if one.is_symlink() and (one.suffix == ".md" or one.is_dir()) and leads_out(one, path)]:
            raise DeckError(map(outside, out))
        if not notes:
            raise DeckError([Problem(Place(path.as_posix()), "the folder holds no notes", "a vault of Obsidian, say")])
        yield from ((file, gated(_markdown(file, path))) for file in notes)
        return
    suffix = path.suffix.lower()
    if not files.is_there(path):
        raise DeckError([Problem(Place(path.as_posix()), "there is no such file")])
    if suffix in (".apkg", ".colpkg"):
        from generator.elsewhere import apkg

        yield path, apkg.read(path)
    elif suffix in (".csv", ".tsv", ".txt"):
        from generator.elsewhere import table

        yield path, gated(table.read(path, _text(path)))
    elif suffix in (".md", ".markdown"):
        yield path, gated(_markdown(path, None))
    else:
        raise DeckError([Problem(Place(path.as_posix()), f"{suffix or 'this'} is no format that can be imported", f"one of {', '.join(FORMATS)}")])


def _markdown(path: Path, root: Path | None) -> Haul:
    from generator.elsewhere import md2anki, obsidian

    text = _text(path)
    return md2anki.read(path, text) if md2anki.is_one(text) else obsidian.read(path, text, root)


def _text(path: Path) -> str:
    """The text of a file, of which other programs have written some as UTF-16; what no text may hold is taken out of what was read."""
    try:
        content = files.read(path, LARGEST)
    except OSError as error:
        raise DeckError([unreadable(error, path.as_posix())]) from None
    for encoding in ("utf-8-sig", "utf-16") if content[:2] in (b"\xff\xfe", b"\xfe\xff") else ("utf-8-sig",):
        try:
            return content.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise DeckError([Problem(Place(path.as_posix()), "the file is not UTF-8", "save it as UTF-8")])
