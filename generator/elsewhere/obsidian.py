"""Notes of Obsidian, with the conventions of its flashcard plugins: Spaced Repetition, Flashcards, Obsidian_to_Anki.

In: the text of a file. Out: a Haul whose fields are Markdown.

    front::back   front:::back          on one line, the second both ways
    ? and ??                            on a line of their own between front and back, the second both ways
    Q: and A:                           at the beginning of lines; an answer ends with its paragraph
    > [!question] front                 a callout, the rest of which is the back
    ## front #card                      a heading, its section the back; #card-reverse both ways
    ==hidden==  ==hidden==^[hint][^1]   and {{c1::hidden}} in a paragraph: a cloze
    START type front Back: back END     a block of Obsidian_to_Anki
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from generator.elsewhere.dialect import footnotes
from generator.elsewhere.files import Files
from generator.elsewhere.found import Found, Haul
from generator.problems import DeckError, Place, Problem
from generator.text.spans import scan

_SCHEDULE = re.compile(r"[ \t]*<!--(?:SR:|ID:)[^>]*-->")
_BLOCK_ID = re.compile(r"[ \t]+\^[A-Za-z0-9-]+[ \t]*$|^\^[A-Za-z0-9-]+[ \t]*$", re.MULTILINE)
_TAG = re.compile(r"(?<![\w&#\\(/])#([^\W\d_][\w/-]*|[\w/-]*[^\W\d_][\w/-]*)")
_TAGS_ONLY = re.compile(rf"(?:{_TAG.pattern}\s*)+")
_CARD_TAGS = {"card": "basic", "card-spaced": "basic", "card-reverse": "reversed", "card-basic": "basic"}
_DECK_TAG = re.compile(r"flash-?cards?(?:/|$)")
_QUESTION = re.compile(r"(?:[-*+][ \t]+)?(?:\*\*)?(?:Q|Question)(?:\*\*)?:(?:\*\*)?[ \t]*(.*)", re.IGNORECASE)
_ANSWER = re.compile(r"(?:[-*+][ \t]+)?(?:\*\*)?(?:A|Answer)(?:\*\*)?:(?:\*\*)?[ \t]*(.*)", re.IGNORECASE)
_CALLOUT = re.compile(r">[ \t]*\[!(?:question|faq|help|flashcards?|cards?|anki)\][+-]?[ \t]*(.*)", re.IGNORECASE)
_HEADING = re.compile(r"(#{1,6})[ \t]+(.*)")
_HIDDEN = re.compile(r"==(?=[^\s=])(.+?)(?<=[^\s=])==(?:\^\[([^\[\]]+)\])?(?:\[\^([0-9]+)\])?")
_CLOZE = re.compile(r"\{\{c[0-9]+::")
_HEAD = re.compile(r"---[ \t]*\n(.*?)^---[ \t]*(?:\n|\Z)", re.DOTALL | re.MULTILINE)
_BLOCK = re.compile(r"\s*(?:[-*+][ \t]|[0-9]+[.)][ \t]|>|\||```|~~~|\$\$|#)")
_ITEM = re.compile(r"(?:[-*+]|[0-9]+[.)])[ \t]+(?:\[[ xX]\][ \t]+)?")


def read(path: Path, text: str, root: Path | None = None) -> Haul:
    """The cards of the file. root: the vault, whose folders are decks."""
    reader = _Reader(path, root)
    notes = tuple(reader.notes(text.replace("\r\n", "\n")))
    return Haul(notes, "markdown", media=Files(path.parent, root), lost=tuple(reader.lost))


class _Reader:
    def __init__(self, path: Path, root: Path | None):
        self.path, self.lost = path, list[Problem]()
        self.deck = path.parent.relative_to(root).parts if root else ()
        self.tags: tuple[str, ...] = ()
        self.heading = path.stem
        self.type = ""

    def notes(self, text: str) -> Iterator[Found]:
        head = _HEAD.match(text)
        if head:
            self._front_matter(head[1])
        start = head.end() if head else 0
        line = text.count("\n", 0, start) + 1
        body = _BLOCK_ID.sub("", _SCHEDULE.sub("", re.sub(r"%%.*?%%", lambda m: "\n" * m[0].count("\n"), text[start:], flags=re.DOTALL)))
        body = footnotes(body)
        paragraphs = list(_paragraphs(body, line))
        at = 0
        while at < len(paragraphs):
            used, found = self._card(paragraphs, at)
            yield from found
            at += used

    def _front_matter(self, text: str) -> None:
        from generator.read import yaml

        try:
            root = yaml.load(text, self.path.as_posix(), 2)
        except DeckError as error:
            self.lost += error.problems
            return
        about = root.plain if isinstance(root.value, dict) else {}
        tags = about.get("tags") or about.get("tag") or []
        words = re.split(r"[,\s]+", tags) if isinstance(tags, str) else [str(tag) for tag in tags]
        self._tagged([word.removeprefix("#") for word in words if word])
        if deck := about.get("cards-deck") or about.get("deck"):
            self.deck = tuple(str(deck).replace("::", "/").split("/"))

    def _tagged(self, tags: list[str]) -> None:
        """Tags that hold from here on: those of flashcards name a deck."""
        decks = [tag.partition("/")[2] for tag in tags if _DECK_TAG.match(tag)]
        if any(decks):
            self.deck = tuple(next(filter(None, decks)).split("/"))
        self.tags = tuple(dict.fromkeys((*self.tags, *(_tag(tag) for tag in tags if not _DECK_TAG.match(tag)))))

    # ------------------------------------------------------------------------------------------------- cards

    def _card(self, paragraphs: list[tuple[int, list[str]]], at: int) -> tuple[int, list[Found]]:
        """How many paragraphs the next card takes, and what it is."""
        line, lines = paragraphs[at]
        if (deck := re.fullmatch(r"TARGET DECK:?[ \t]*(.*)", lines[0])) and (name := deck[1] or " ".join(lines[1:])):
            self.deck = tuple(name.split("::"))
            return 1, []
        if files := re.fullmatch(r"FILE TAGS:?[ \t]*(.*)", lines[0]):
            self._tagged((files[1] or " ".join(lines[1:])).split())
            return 1, []
        if _TAGS_ONLY.fullmatch(" ".join(lines)):
            self._tagged(_TAG.findall(" ".join(lines)))
            return 1, []
        if heading := _HEADING.fullmatch(lines[0]):
            return self._under_heading(paragraphs, at, heading)
        if lines[0].strip() == "START":
            return self._block(paragraphs, at)
        if callout := _CALLOUT.match(lines[0]):
            inside = [re.sub(r"^>[ \t]?", "", one) for one in lines[1:]]
            front = callout[1] or (inside.pop(0) if inside else "")
            return 1, [self._found("basic", front, "\n".join(inside), line)]
        if _QUESTION.match(lines[0]):
            return self._asked(paragraphs, at)
        marks = [number for number, one in enumerate(lines) if one.strip() in ("?", "??")]
        if marks and 0 < marks[0] < len(lines) - 1:
            return 1, [self._of_lines(lines, marks[0], line)]
        if _TAGS_ONLY.fullmatch(lines[0].strip()) and len(lines) > 1:
            self._tagged(_TAG.findall(lines[0]))
            paragraphs[at] = line + 1, lines[1:]
            return 0, []
        return 1, self._in_lines(lines, line)

    def _under_heading(self, paragraphs: list[tuple[int, list[str]]], at: int, heading: re.Match[str]) -> tuple[int, list[Found]]:
        line, lines = paragraphs[at]
        kind = next((_CARD_TAGS[tag] for tag in _TAG.findall(heading[2]) if tag in _CARD_TAGS), "")
        self.heading = _TAG.sub("", heading[2]).strip()
        if not kind:
            if len(lines) > 1:
                paragraphs[at] = line + 1, lines[1:]
                return 0, []
            return 1, []
        body, used = ["\n".join(lines[1:])], 1
        for _, following in paragraphs[at + 1 :]:
            if _HEADING.fullmatch(following[0]):
                break
            body.append("\n".join(following))
            used += 1
        return used, [self._found(kind, heading[2], "\n\n".join(filter(None, body)), line)]

    def _asked(self, paragraphs: list[tuple[int, list[str]]], at: int) -> tuple[int, list[Found]]:
        """Questions and answers that begin with Q: and A:; the answer may stand in the paragraph behind its question."""
        line, lines = paragraphs[at]
        used = 1
        if not any(map(_ANSWER.match, lines)) and at + 1 < len(paragraphs) and _ANSWER.match(paragraphs[at + 1][1][0]):
            lines, used = [*lines, *paragraphs[at + 1][1]], 2
        found: list[Found] = []
        front: list[str] = []
        back: list[str] | None = None
        began = line
        for number, one in enumerate([*lines, "Q:"]):
            if (question := _QUESTION.match(one)) and (back is not None or not front):
                if front and back is not None:
                    found.append(self._found("basic", "\n".join(front), "\n".join(back), began))
                front, back, began = [question[1]], None, line + number
            elif (answer := _ANSWER.match(one)) and back is None:
                back = [answer[1]]
            else:
                (front if back is None else back).append(one)
        if not found:
            self.lost.append(Problem(Place(self.path.as_posix(), line), "a question without an answer", "A: begins the line of the answer"))
        return used, found

    def _block(self, paragraphs: list[tuple[int, list[str]]], at: int) -> tuple[int, list[Found]]:
        """START, the note type, its fields, Tags:, END."""
        line = paragraphs[at][0]
        lines: list[str] = []
        used = 0
        for _, following in paragraphs[at:]:
            used += 1
            lines += [*following, ""]
            if any(one.strip() == "END" for one in following):
                break
        inside = lines[1 : next((number for number, one in enumerate(lines) if one.strip() == "END"), len(lines))]
        kind, fields, name, tags = inside[0].strip() if inside else "", {"": ""}, "", list[str]()
        for one in inside[1:]:
            if one.startswith("Tags:"):
                tags = one.removeprefix("Tags:").split()
            elif part := re.match(r"([A-Z][\w ]*):[ \t]*(.*)", one):
                name = part[1]
                fields[name] = part[2]
            else:
                fields[name] = f"{fields[name]}\n{one}".strip()
        texts = [text for name, text in fields.items() if text or name]
        texts += [""] * (2 - len(texts))
        if kind.lower() == "cloze":
            found = self._cloze(texts[0], line, tags)
        else:
            found = self._found("reversed" if "reversed" in kind.lower() else "basic", texts[0], "\n\n".join(filter(None, texts[1:])), line, tags)
        return used, [found]

    def _of_lines(self, lines: list[str], mark: int, line: int) -> Found:
        kind = "reversed" if lines[mark].strip() == "??" else "basic"
        return self._found(kind, "\n".join(lines[:mark]), "\n".join(lines[mark + 1 :]), line)

    def _in_lines(self, lines: list[str], line: int) -> list[Found]:
        """The cards that stand each on a line, or the cloze that the paragraph is."""
        found: list[Found] = []
        rest: list[str] = []
        for number, one in enumerate(lines):
            if parted := _parted(one):
                front, kind, back = parted
                found.append(self._found(kind, _ITEM.sub("", front.strip(), count=1), back, line + number))
            else:
                rest.append(one)
        text = "\n".join(rest)
        if _HIDDEN.search(_bare(text)) or _CLOZE.search(text):
            found.append(self._cloze(text, line))
        return found

    def _found(self, kind: str, front: str, back: str, line: int, tags: list[str] | None = None) -> Found:
        front, more = _untagged(front)
        back, last = _untagged(back)
        front, back = _broken(front), _broken(back)
        decks = [tag.partition("/")[2] for tag in (*more, *last) if _DECK_TAG.match(tag) and "/" in tag]
        own = [_tag(tag) for tag in (*(tags or ()), *more, *last) if not _DECK_TAG.match(tag) and tag not in _CARD_TAGS]
        deck = tuple(decks[0].split("/")) if decks else self.deck
        return Found(kind, {"Front": front, "Back": back}, deck, tuple(dict.fromkeys((*self.tags, *own))), Place(self.path.as_posix(), line))

    def _cloze(self, text: str, line: int, tags: list[str] | None = None) -> Found:
        plain = self._found("cloze", text, "", line, tags)
        numbers = iter(range(1, 1000))

        def hidden(match: re.Match[str]) -> str:
            number = int(match[3]) if match[3] else next(numbers)
            return f"{{{{c{number}::{match[1]}{f'::{match[2]}' if match[2] else ''}}}}}"

        return plain._replace(fields={"Front": self.heading, "Text": _HIDDEN.sub(hidden, plain.fields["Front"])})


def _paragraphs(text: str, line: int) -> Iterator[tuple[int, list[str]]]:
    """(first line, lines) of each run of lines without a blank one; one inside a fence, math or a comment parts nothing."""
    held = [(span.start, span.end) for span in scan(text)[0] if span.kind in ("fence", "math") or text.startswith("<!--", span.start)]
    lines: list[str] = []
    first = at = 0
    for number, one in enumerate(text.split("\n"), line):
        inside = any(start < at < end for start, end in held)
        if one.strip() or inside:
            first = first if lines else number
            lines.append(one)
        elif lines:
            yield first, lines
            lines = []
        at += len(one) + 1
    if lines:
        yield first, lines


def _bare(text: str) -> str:
    """The text with blanks in place of code and math."""
    return "".join(text[s.start : s.end] if s.kind == "text" else " " * (s.end - s.start) for s in scan(text)[0])


def _parted(line: str) -> tuple[str, str, str] | None:
    """Front, type and back of a line with :: or ::: outside code, math and clozes."""
    bare = re.sub(r"\{\{.*?\}\}", lambda match: " " * len(match[0]), _bare(line))
    mark = re.search(r"(?<!:):::?(?!:)", bare)
    if mark is None or not line[: mark.start()].strip() or not line[mark.end() :].strip():
        return None
    return line[: mark.start()], "reversed" if len(mark[0]) == 3 else "basic", line[mark.end() :].strip()


def _broken(text: str) -> str:
    """The text with a mark for each line break inside a paragraph, which Obsidian shows and Markdown does not."""
    held = [(span.start, span.end) for span in scan(text)[0] if span.kind in ("fence", "math")]
    lines, at = text.split("\n"), 0
    for number, (one, following) in enumerate(zip(lines, [*lines[1:], ""])):
        at += len(one) + 1
        apart = not one.strip() or not following.strip() or _BLOCK.match(one) or _BLOCK.match(following) or one.endswith(("  ", "<br>"))
        if not apart and not any(start < at <= end or start == at for start, end in held):
            lines[number] = f"{one}<br>"
    return "\n".join(lines)


def _untagged(text: str) -> tuple[str, list[str]]:
    """The text without the tags that it begins or ends with, and these."""
    tags: list[str] = []
    text = text.strip()
    while found := re.match(rf"{_TAG.pattern}(?:\s+|$)", text):
        tags.append(found[1])
        text = text[found.end() :]
    while found := re.search(rf"(?:^|\s){_TAG.pattern}$", text):
        tags.append(found[1])
        text = text[: found.start()].rstrip()
    return text, tags


def _tag(name: str) -> str:
    """Obsidian's nested tag as Anki's."""
    return name.strip("/").replace("/", "::")
