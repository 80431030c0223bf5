"""CSV and TSV, as Anki exports notes and as spreadsheets write them.

In: the text of a file. Out: a Haul whose fields are HTML. A text file holds no note types: stock types become ours, others are made of their columns.
"""

from __future__ import annotations

import csv
import re
import sys
from collections.abc import Iterator, Mapping
from html import escape
from pathlib import Path

from generator.elsewhere.files import Files
from generator.elsewhere.found import Found, Haul, Kind, Template
from generator.problems import DeckError, Place, Problem

SEPARATORS = {"comma": ",", "semicolon": ";", "tab": "\t", "space": " ", "pipe": "|", "colon": ":"}
SPECIAL = ("guid", "notetype", "deck", "tags")
STOCK = {  # Anki's types -> ours, and how our sections are called
    "basic": ("basic", ("Front", "Back")),
    "basic (and reversed card)": ("reversed", ("Front", "Back")),
    "basic (optional reversed card)": ("reversed", ("Front", "Back")),
    "basic (type in the answer)": ("typed", ("Front", "Answer")),
    "cloze": ("cloze", ("Text", "Why")),
}
_CSS = ".card {\n  font-family: arial;\n  font-size: 20px;\n  line-height: 1.5;\n  text-align: center;\n}\n"
_FRONTS, _BACKS = ("front", "question", "word", "term"), ("back", "answer", "definition", "meaning", "translation")


def read(path: Path, text: str) -> Haul:
    """The notes of the file. Raises DeckError where it holds none."""
    head: dict[str, str] = {}
    lines = text.removeprefix("\ufeff").splitlines(keepends=True)
    while lines and (match := re.fullmatch(r"#([\w ]+?):(.*)", lines[0].rstrip("\r\n"))):
        head[match[1].strip().lower()] = match[2].strip() or match[2]
        del lines[0]
    separator = _separator(head.get("separator", ""), path, lines)
    csv.field_size_limit(sys.maxsize)
    read = csv.reader(lines, delimiter=separator)
    try:
        rows = [row for row in read if any(cell.strip() for cell in row) and not row[0].startswith("#")]
        columns = [name.strip() for name in next(csv.reader([head["columns"]], delimiter=separator))] if "columns" in head else []
    except csv.Error as error:
        raise DeckError([Problem(Place(path.as_posix(), read.line_num or 1), f"the line is none of a table: {error}")]) from None
    if not columns and rows and _is_head(rows[0]):
        columns = [cell.strip() for cell in rows.pop(0)]
    if not rows:
        raise DeckError([Problem(Place(path.as_posix()), "the file holds no notes", "a line for each, its fields parted by commas or tabs")])
    return _Reader(path, head, columns, rows).haul()


def _separator(named: str, path: Path, lines: list[str]) -> str:
    if named:
        mark = SEPARATORS.get(named.lower(), named[:1].replace("\\", "\t"))
        if mark in '\r\n"':
            raise DeckError([Problem(Place(path.as_posix()), f"{named!r} cannot part the fields of a table", f"one of {', '.join(SEPARATORS)}")])
        return mark
    counts = {mark: sum(mark in line for line in lines[:50]) for mark in ("\t", ",", ";")}
    return max(counts, key=lambda mark: (counts[mark], mark == "\t")) if any(counts.values()) else "\t"


def _is_head(row: list[str]) -> bool:
    """Whether the first row names the columns."""
    names = {*SPECIAL, *_FRONTS, *_BACKS, "text", "extra", "note", "tag"}
    return len(row) > 1 and all(cell.strip().lower() in names for cell in row)


class _Reader:
    def __init__(self, path: Path, head: Mapping[str, str], columns: list[str], rows: list[list[str]]):
        self.path, self.head, self.columns, self.rows = path, head, columns, rows
        self.html = head.get("html", "").lower() == "true"
        self.special = {name: int(head[f"{name} column"]) - 1 for name in SPECIAL if head.get(f"{name} column", "").isdecimal()}
        for number, column in enumerate(columns):
            if column.lower() in (*SPECIAL, "tag"):
                self.special.setdefault("tags" if column.lower() == "tag" else column.lower(), number)
        self.kinds: dict[str, Kind] = {}
        self.lost: dict[str, Problem] = {}

    def haul(self) -> Haul:
        notes = tuple(self._notes())
        if any(note.guid for note in notes):
            message = "a text file does not say which note types learners have"
            self.lost["guid"] = Problem(Place(self.path.as_posix()), message, "import the .apkg to update the notes of those who have them")
        return Haul(notes, "html", self.kinds, Files(self.path.parent), tuple(self.lost.values()))

    def _notes(self) -> Iterator[Found]:
        for number, row in enumerate(self.rows, 1):
            special = {name: row[at].strip() for name, at in self.special.items() if at < len(row)}
            values = [self._field(cell) for at, cell in enumerate(row) if at not in self.special.values()]
            names = [column for at, column in enumerate(self.columns) if at not in self.special.values()]
            kind = special.get("notetype") or self.head.get("notetype", "")
            key, fields = self._fields(kind, names, values)
            deck = special.get("deck") or self.head.get("deck", "")
            if key == "cloze":  # which is headed with what it is about, for its text would tell what is hidden
                fields = {"Front": escape(deck.rpartition("::")[2] or self.path.stem, quote=False), **fields}
            tags = (*self.head.get("tags", "").split(), *special.get("tags", "").split())
            place = Place(self.path.as_posix(), number)
            yield Found(key, fields, tuple(deck.split("::")) if deck else (), tuple(dict.fromkeys(tags)), place, special.get("guid", ""))

    def _field(self, cell: str) -> str:
        return cell if self.html else escape(cell, quote=False).replace("\r\n", "\n").replace("\n", "<br>")

    def _fields(self, kind: str, names: list[str], values: list[str]) -> tuple[str, dict[str, str]]:
        """The key of the note type, and the fields by the names of its sections."""
        cloze = any(re.search(r"\{\{c[0-9]+::", value) for value in values)
        stock = kind.lower() or ("cloze" if cloze else "basic")
        filled = [number for number, value in enumerate(values) if value.strip()]
        if stock in STOCK and (not filled or filled[-1] < len(STOCK[stock][1]) + (stock != "cloze")):
            key, sections = STOCK[stock]
            fields = dict(zip((*sections, "Note"), values))
            if stock == "basic (optional reversed card)":
                key = "reversed" if fields.get("Note") else "basic"
            if stock.startswith("basic ("):
                fields.pop("Note", None)
            return key, fields
        name = kind or self.path.stem
        labels = tuple(names[at] if at < len(names) else ("Front", "Back")[at] if at < 2 else f"Field {at + 1}" for at in range(len(values)))
        made = self.kinds.get(name)
        if made is None or len(made.fields) < len(labels):
            self.kinds[name] = _kind(name, labels, cloze)
        return name, dict(zip(labels, values))


def _kind(name: str, fields: tuple[str, ...], cloze: bool) -> Kind:
    """A note type that asks for the first field and shows the others."""
    shown = f"{{{{cloze:{fields[0]}}}}}" if cloze else f"{{{{{fields[0]}}}}}"
    rest = "\n".join(f"{{{{#{field}}}}}<div>{{{{{field}}}}}</div>{{{{/{field}}}}}" for field in fields[1:])
    back = f'{shown if cloze else "{{FrontSide}}"}\n\n<hr id="answer">\n\n{rest}'
    return Kind(name, 0, cloze, dict.fromkeys(fields), (Template("Cloze" if cloze else "Card 1", shown, back),), _CSS)
