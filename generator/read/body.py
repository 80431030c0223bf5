"""The notes of one file: its headings, what stands under them, and everything in the text that can be judged without a value.

In: the Markdown behind the front matter. Out: Drafts, notes without what the front matter says of them. Apart from folder.py,
which knows files and folders, while this knows lines.
"""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_right
from collections.abc import Collection, Mapping
from itertools import chain
from pathlib import Path
from typing import NamedTuple

from generator.look.notetypes import HEADING, SOURCE, NoteType
from generator.notes import Text
from generator.problems import Place, Problem, nearest
from generator.read import html, media
from generator.read.frontmatter import ID, ID_RULE
from generator.read.habits import embed_hint, habits
from generator.read.tables import tables
from generator.text.spans import Span, scan

LONGEST = 20_000  # characters of one field; two phone screens hold two thousand
DEEPEST = 12  # levels of lists and quotations, as _LEVELS and _INDENT count them
DEEPEST_BRACKETS = 24
MOST_HEADINGS = 50_000  # lines of a file that begin with #, three times what 5 MB of short notes have
MOST_PROBLEMS = 10_000  # of a file's text, after which nobody looks for more


class Draft(NamedTuple):
    """A note as its text gives it."""

    id: str
    type: str
    fields: Mapping[str, Text]
    place: Place


class Body(NamedTuple):
    """What a file's text holds.

    drafts: the sound notes. ids: those of all notes, sound or not, with their places. aliases: names that stand in references.
    images: the paths of pictures, sounds and films. empty: whether there is no note and no text. named: whether each note has an id as ids are.
    """

    drafts: tuple[Draft, ...]
    ids: tuple[tuple[str, Place], ...]
    aliases: frozenset[str]
    images: tuple[str, ...]
    empty: bool
    named: bool = True


class Scope(NamedTuple):
    """Where a body stands, and what it may name; runs is None where the front matter is broken."""

    path: str
    first_line: int
    directory: Path
    cards: Path
    types: Mapping[str, NoteType]
    runs: Collection[str] | None


def body(text: str, scope: Scope, problems: list[Problem], warnings: list[Problem]) -> Body:
    """The notes of the text; its mistakes are added to `problems`. Of a text that is no cards at all, the first are enough."""
    headings = text.count("\n#") + text.startswith("#")
    if headings > MOST_HEADINGS:
        hint = "part the file into several"
        problems.append(Problem(Place(scope.path, scope.first_line), f"{headings} lines begin with #, and at most {MOST_HEADINGS} are read", hint))
        return _UNREAD
    try:
        return _body(text, scope, problems, warnings)
    except _TooMany:
        problems.append(Problem(problems[-1].place, f"{MOST_PROBLEMS} problems were found, and no more are looked for", "mend the first ones"))
        return _UNREAD


class _TooMany(Exception):
    """More problems than anybody will read."""


_UNREAD = Body((), (), frozenset(), (), False, False)


def _body(text: str, scope: Scope, problems: list[Problem], warnings: list[Problem]) -> Body:
    found, errors = scan(text)
    page = _Page(text, _blanked(text, [s for s in found if s.kind == "html" and text.startswith("<!--", s.start)]), scope, problems)
    for error in errors:
        page.problem(error.offset, error.message, error.hint)
    masked = _masked(text, found)
    findings, elements = html.elements(text, found, masked)
    more, images = html.links(masked, text)
    for finding in (*findings, *more):
        page.problem(finding.offset, finding.message, finding.hint)
    for finding in chain(habits(masked, text), tables(masked)):
        page.problem(finding.offset, finding.message, finding.hint)
    wrong = {path: media.problem(path, scope.directory, scope.cards) for path in {image.path for image in images}}
    for image in images:
        if told := wrong[image.path]:
            page.problem(image.offset, *told)
    for path, first in {image.path: image.offset for image in reversed(images)}.items():
        if not wrong[path] and (told := media.warning(path, scope.directory, scope.cards)):
            warnings.append(Problem(page.place(first), *told))
    _check_embeds(masked, page)
    _check_brackets(masked, page)
    _check_nesting(masked, page)
    headings = _headings(masked, elements, page)
    _check_underlines(masked, page, headings[0].start if headings else len(text))
    _warn_of_hidden(masked, found, elements, page, warnings)
    drafts, ids = _drafts(headings, page)
    beside = (embed.partition(":")[0] for embed in _EMBED.findall(text)) if "![[" in text else ()  # a measurement's run, behind the first bar
    aliases = frozenset(_WORD.findall(" ".join([*_REFERENCE.findall(text), *beside])))
    named = len(ids) == sum(heading.level == 1 for heading in headings) and all(ID.fullmatch(id) for id, _ in ids)
    return Body(drafts, ids, aliases, tuple(sorted(wrong)), not headings and not page.bare.strip(), named)


class _Page:
    """The text with the places of its lines. bare: the same without its comments, blanks in their place.

    below: the same behind a line break, in which the break before a line, which is found at once, stands where the text has the line.
    """

    def __init__(self, text: str, bare: str, scope: Scope, problems: list[Problem]):
        self.text, self.bare, self.scope, self.problems = text, bare, scope, problems
        self.below = f"\n{text}"
        self.most = len(problems) + MOST_PROBLEMS
        self.lines = [match.start() for match in re.finditer("\n", text)]

    def place(self, offset: int) -> Place:
        return Place(self.scope.path, self.scope.first_line + bisect_right(self.lines, offset - 1))

    def problem(self, offset: int, message: str, hint: str = "") -> None:
        if len(self.problems) >= self.most:
            raise _TooMany
        self.problems.append(Problem(self.place(offset), message, hint))

    def content(self, start: int, end: int) -> tuple[str, int]:
        """What stands in the text from start to end, without blank lines around it, and where it begins."""
        content = self.text[start:end].rstrip()
        leading = _LEADING.match(content)
        skipped = leading.end() if leading else 0
        return content[skipped:], start + skipped


_LEADING = re.compile(r"(?:[ \t]*\n)*")
_REFERENCE = re.compile(r"\[\[((?:[^\[\]\n|]|\[[^\[\]\n|]*\])*)")
_WORD = re.compile(r"(?<![\w.])[^\W\d]\w*")


def _masked(text: str, found: tuple[Span, ...]) -> str:
    """The text with all but its "text" spans, and what a backslash escapes, turned into blanks; every line and offset stays."""
    masked = _blanked(text, [s for s in found if s.kind != "text"])
    return _ESCAPED.sub(lambda match: " " * len(match[0]), masked) if "\\" in masked else masked


def _blanked(text: str, away: list[Span]) -> str:
    """The text with blanks for some of its spans."""
    parts, at = [], 0
    for span in away:
        parts += [text[at : span.start], "\n".join(" " * len(line) for line in text[span.start : span.end].split("\n"))]
        at = span.end
    return "".join([*parts, text[at:]])


_ESCAPED = re.compile(r"\\(?:\[\[|[^\n])")


# --------------------------------------------------------------------------------------------- headings

_HASHED = re.compile(r"\n[ \t]*(?P<mark>#)[^\n]*")  # for `_Page.below`


class _Heading(NamedTuple):
    level: int
    title: str
    attributes: str
    start: int
    end: int


def _headings(masked: str, elements: tuple[tuple[int, int], ...], page: _Page) -> list[_Heading]:
    headings = []
    starts = [start for start, _ in elements]
    for match in _HASHED.finditer(page.below):
        if masked[match.start("mark") - 1] != "#":
            continue
        start, end = match.start(), match.end() - 1
        within = bisect_right(starts, start) - 1
        if within >= 0 and start < elements[within][1]:
            continue
        line = page.text[start:end]
        level = 1 if line.startswith("# ") else 2 if line.startswith("## ") else 0
        if level == 0:
            page.problem(start, f"{_short(line)} begins with # but is no heading", _advice(line))
            continue
        title, attributes = _titled(line[level:].strip()) if level == 1 else (line[level:].strip(), "")
        headings.append(_Heading(level, title, attributes, start, end))
    return headings


def _titled(line: str) -> tuple[str, str]:
    """The title and what stands in the braces behind it."""
    opening = line.rfind("{") if line.endswith("}") else -1
    attributes = line[opening + 1 : -1].strip() if opening >= 0 else ""
    return (line[:opening].rstrip(), attributes) if attributes.startswith(("#", ".")) else (line, "")


def _advice(line: str) -> str:
    marks = len(line.strip()) - len(line.strip().lstrip("#"))
    name = line.strip().strip("#").strip()
    if line[0] != "#":
        return r"headings begin at column 0; write \# for a literal #"
    if line.strip("#").strip() == "":
        return "a heading has text"
    if marks <= 2:
        return r"a heading has a space behind its #; write \# for a literal #"
    return rf"# is a note and ## a section of it: ## {name}, where its type has one, else **{name}**; write \# for a literal #"


def _warn_of_hidden(masked: str, found: tuple[Span, ...], elements: tuple[tuple[int, int], ...], page: _Page, warnings: list[Problem]) -> None:
    """What looks like a heading inside a fence, math or raw HTML is none; most likely something above it was to close."""
    named = {"fence": "a code fence", "math": "math"}
    hidden = [(s.start, m.start(), named[s.kind]) for s in found if s.kind in named for m in _NOTE_HEADING.finditer(page.text, s.start, s.end)]
    hidden += [(start, m.start(), "raw HTML") for start, end in elements for m in _ANY_HEADING.finditer(masked, start, end)]
    for start, at, what in hidden:
        warnings.append(
            Problem(page.place(at), f"what looks like a heading stands inside {what}", f"it opens on line {page.place(start).line}; is it closed?")
        )


_NOTE_HEADING = re.compile(r"^# [^\n]*\{#[^\n{}]*\}[ \t]*$", re.MULTILINE)
_ANY_HEADING = re.compile(r"^##? \S", re.MULTILINE)


# ------------------------------------------------------------------------------------------- notes


def _drafts(headings: list[_Heading], page: _Page) -> tuple[tuple[Draft, ...], tuple[tuple[str, Place], ...]]:
    starts = [index for index, heading in enumerate(headings) if heading.level == 1]
    preface, offset = page.content(0, headings[starts[0]].start if starts else len(page.text))
    if preface and page.bare[: offset + len(preface)].strip():
        hint = "a note begins with # its question {#id}"
        if preface.startswith("---"):
            hint = "front matter begins on the first line of the file, with three dashes and nothing else on it"
        if not preface.lstrip(" \t").startswith("#") or preface.startswith("## "):  # else the line is told of already
            page.problem(offset, "text before the first note", hint)
    drafts: list[Draft] = []
    ids: list[tuple[str, Place]] = []
    for start, end in zip(starts, [*starts[1:], len(headings)]):
        draft = _draft(headings[start:end], headings[end].start if end < len(headings) else len(page.text), page, ids)
        if draft:
            drafts.append(draft)
    return tuple(drafts), tuple(ids)


def _draft(headings: list[_Heading], end: int, page: _Page, ids: list[tuple[str, Place]]) -> Draft | None:
    """The note of a level-1 heading and the sections behind it, if it is sound."""
    before, head = len(page.problems), headings[0]
    place = page.place(head.start)
    if not head.attributes and any(_BRACED.search(heading.title) for heading in headings[1:]):
        page.problem(head.start, f"{_short(head.title)} heads notes, and is none", "take it away, and begin each note with a single #")
        return None
    id, type_key, words = _attributes(head, page)
    if id:
        ids.append((id, place))
    if not head.title:
        page.problem(head.start, "a note without a front", "write the question behind the #")
    elif len(head.title) > LONGEST:
        page.problem(head.start, f"the front has {len(head.title)} characters", f"a field has at most {LONGEST}, and a good front thirty words")
    note_type = page.scope.types.get(type_key)
    if note_type is None:
        page.problem(head.start, f"unknown note type {type_key!r}", nearest(type_key, page.scope.types))
        return None
    label = not note_type.heading and HEADING in note_type.fields  # the heading is for authors alone
    fields = {} if label else {HEADING: Text(head.title, place)}
    for heading, following in zip(headings, [*(h.start for h in headings[1:]), end]):
        name = note_type.main if heading is head else heading.title
        if name and name == note_type.heading:  # a front of several lines, below a heading that is for authors alone
            name = HEADING
            if fields[name].text is head.title:
                del fields[name]
        content, offset = page.content(heading.end, following)
        empty = not page.bare[offset : offset + len(content)].strip()
        if heading is not head:
            _check_section(name, heading, note_type, fields, empty, page)
        elif not name and not empty:
            page.problem(offset, f"text under the heading of a {type_key} note, which has no field for it", nearest("", sections_of(note_type)))
        if len(content) > LONGEST:
            page.problem(offset, f"{name} has {len(content)} characters", f"a field has at most {LONGEST}, and a good card two thousand")
        if not empty and name and name not in fields:
            fields[name] = Text(content, page.place(offset))
    present = {heading.title for heading in headings[1:]}
    for name in note_type.required:
        if name not in fields and name not in present:
            where = "put it under the heading" if name == note_type.main else f"add ## {name}"
            page.problem(head.start, f"the {type_key} note {id or head.title!r} lacks its {name}", where)
    fields.setdefault(HEADING, Text("", place))
    fields.update((note_type.words[word], Text(word, place)) for word in words if word in note_type.words)
    if odd := " ".join(word for word in words if word not in note_type.words):
        page.problem(head.start, f"{odd!r} in the braces of {_a(type_key)} note has no meaning", _meant(odd, head, note_type, page.scope.types))
    if len(page.problems) > before:
        return None
    known = (HEADING, note_type.main, *sections_of(note_type), *note_type.switches)
    return Draft(id, type_key, {name: fields[name] for name in known if name in fields}, place)


_BRACED = re.compile(r"\s*\{#[^{}]*\}$")


def _check_section(name: str, heading: _Heading, note_type: NoteType, fields: Mapping[str, Text], empty: bool, page: _Page) -> None:
    known = sections_of(note_type)
    if name not in (*known, HEADING if note_type.heading else ""):
        hint = f"the text right under the note's heading is its {name}" if name == note_type.main else nearest(name, known)
        if braced := _BRACED.search(name):
            hint = f"a section has no id: ## {name[: braced.start()]}; a note begins with one #"
        page.problem(heading.start, f"unknown section {name!r} of {_a(note_type.key)} note", hint)
    elif name in fields:
        page.problem(heading.start, f"the section {name!r} stands twice in this note", f"the first begins on line {fields[name].place.line}")
    elif empty:
        page.problem(
            heading.start, f"the section {name!r} is empty", "write it" if name in note_type.required else "write it, or take the heading away"
        )


def _a(word: str) -> str:
    return f"{'an' if word[:1] in 'aeio' else 'a'} {word}"


def sections_of(note_type: NoteType) -> tuple[str, ...]:
    """The sections that a note of this type may have."""
    return note_type.sections if SOURCE in note_type.sections or "Footer" not in note_type.fields else (*note_type.sections, SOURCE)


def _attributes(head: _Heading, page: _Page) -> tuple[str, str, list[str]]:
    """The id, empty where there is none, the note type and the words behind them in a heading's braces."""
    ids = [word[1:] for word in head.attributes.split() if word.startswith("#")]
    types = [word[1:] for word in head.attributes.split() if word.startswith(".")]
    words = [word for word in head.attributes.split() if word[0] not in "#."]
    if len(types) > 1:
        page.problem(head.start, f"a note has one type, not {' and '.join(types)}", "{#id .type}")
    if not ids:
        page.problem(head.start, "a note without an id", _id_hint(head))
        return "", types[0] if types else "qa", words
    if len(ids) > 1:
        page.problem(head.start, f"a note has one id, not {' and '.join(ids)}", "{#id .type}")
    elif not ID.fullmatch(ids[0]):
        spaced = [ids[0], *words] if not ID.fullmatch(ids[0]) and len(ids[0]) < 2 else [ids[0]]
        page.problem(head.start, f"the id {' '.join(spaced)!r} is malformed", f"{ID_RULE}: {{#{_suggested(' '.join(spaced), 9)}}}")
        words = words if len(spaced) == 1 else []
    return ids[0], types[0] if types else "qa", words


def _suggested(title: str, words: int = 5) -> str:
    plain = unicodedata.normalize("NFKD", re.sub(r"\{[^{}]*\}?|\[\[.*?\]\]", " ", title)).encode("ascii", "ignore").decode()
    found = re.findall(r"[a-z0-9]+", plain.lower())
    id = "-".join(found[:words])[:64].strip("-")
    return id if ID.fullmatch(id) else "some-id"


_MEANT = re.compile(r"[({]\s*:?\s*(?:#|id\s*[:=]\s*)?(?P<id>[a-z0-9][a-z0-9-]+)(?P<more>[^(){}]*)[)}](?P<behind>[^{}]*)$")


def _id_hint(head: _Heading) -> str:
    meant = _MEANT.search(head.title)
    if meant is None or (meant["behind"] and "#" not in meant[0]):
        return f"end the heading with {{#{_suggested(head.title)}}}; the id is for ever"
    if meant["behind"].strip():
        return f"the braces end the heading: put {meant['behind'].strip()!r} before them"
    return f"end the heading with {{#{meant['id']}{meant['more'].rstrip()}}}: in braces, behind a #"


def _meant(word: str, head: _Heading, note_type: NoteType, types: Collection[str]) -> str:
    """What a word in a heading's braces, or several, was to be that has no meaning there."""
    if word.lower() in types:
        return f"a type begins with a dot: .{word.lower()}"
    spaced = re.match(rf"#\S+ +{re.escape(word)}", head.attributes)
    return nearest(word, note_type.words) or "{#id .type}" + (f"; an id has no spaces: {{#{_suggested(spaced[0], 9)}}}" if spaced else "")


# ------------------------------------------------------------------------------------- checks of the text

_EMBED = re.compile(r"!\[\[([^\[\]\n]*)\]\]")
_LEVELS = re.compile(r"\n[ \t]*(?:(?:>|(?:[-*+]|[0-9]{1,9}[.)])[ \t])[ \t]*){12,}")
_INDENT = re.compile(r"^(?=[^\n]*\S)(?:    | {0,3}\t){12,}", re.MULTILINE)
_RULE = re.compile(r"[-*+_ \t]*")
_BRACKET = re.compile(r"[\[\]]|\n[ \t]*\n")
_MARKS = re.compile(r"(?<![*_~])[*_~]{40,}(?![*_~]|[ \t]*$)", re.MULTILINE)
_MANY_MARKS = re.compile("[*_~][*_~]{39}")  # found ten times faster than what they must not be part of
_UNDERLINE = re.compile(r"\n {0,3}(?:=+|--+)[ \t]*(?=\n|\Z)")


def _check_embeds(masked: str, page: _Page) -> None:
    for embed in _EMBED.finditer(masked) if "![[" in masked else ():
        alias = page.text[embed.start(1) : embed.end(1)].partition("|")[0].strip(" \t\\")
        if page.scope.runs is not None and alias not in page.scope.runs:
            page.problem(embed.start(), f"the figure ![[{alias}]] names an unknown run", embed_hint(alias, page.scope.runs))


def _check_brackets(masked: str, page: _Page) -> None:
    """References in brackets or braces that are none, which would show as they are written."""
    runs = page.scope.runs or ()
    for pattern in _ODD if runs else ():
        for odd in pattern.finditer(masked):
            if any(name in runs for name in _NAMED.findall(odd[1])):
                page.problem(odd.start(), f"{_short(odd.group())} is no reference, and shows as it is written", f"write [[{odd[1].strip()}]]")


_ODD = (
    re.compile(r"\[(?<!\[\[)(?!\[)([^\[\]\n|]*\w\.\w[^\[\]\n|]*\|[^\[\]\n]*)\](?![\](\[])"),
    re.compile(r"\{\{(?!c[0-9]+::)([^{}\n]*\w\.\w[^{}\n]*)\}\}"),
)
_NAMED = re.compile(r"([A-Za-z_]\w*)\.[A-Za-z_]")


def _check_nesting(masked: str, page: _Page) -> None:
    """One problem for each way of nesting that no phone can show and no Markdown parser likes."""
    levels = (m.start() for m in _LEVELS.finditer(page.below) if masked.startswith(m.group()[1:], m.start()) and not _is_rule(page.text, m.start()))
    far = " " * 4 * DEEPEST in page.text or "\t" in page.text
    indents = (m.start() for m in _INDENT.finditer(page.text) if masked[m.end() : _line_end(masked, m.end())].strip()) if far else iter(())
    deep = next(levels, None) or next(indents, None)
    if deep is not None:
        page.problem(deep, f"lists and quotations nested {DEEPEST} levels deep or more", "flatten them")
    if _MANY_MARKS.search(masked) and (marks := _MARKS.search(masked)):
        page.problem(marks.start(), f"{len(marks.group())} marks of emphasis in a row", "a rule stands on a line of its own")
    depth = 0
    for bracket in _BRACKET.finditer(masked) if masked.count("[") > DEEPEST_BRACKETS else ():
        depth = depth + 1 if bracket.group() == "[" else max(depth - 1, 0) if bracket.group() == "]" else 0
        if depth > DEEPEST_BRACKETS:
            page.problem(bracket.start(), f"brackets nested deeper than {DEEPEST_BRACKETS} levels", "flatten them")
            return


def _is_rule(text: str, at: int) -> bool:
    return _RULE.fullmatch(text, at, _line_end(text, at)) is not None


def _check_underlines(masked: str, page: _Page, begin: int) -> None:
    for match in _UNDERLINE.finditer(page.below, begin):
        if not masked[match.start() : match.end() - 1].strip():
            continue
        above = masked[masked.rfind("\n", 0, max(match.start() - 1, 0)) + 1 : match.start()].strip()
        if above and not above.startswith("#"):
            line = match.group().strip()[:3]
            page.problem(
                match.start(), f"a line of {line} under text makes it a heading in Markdown", "leave a blank line before it, or use ## for a section"
            )


def _line_end(text: str, at: int) -> int:
    end = text.find("\n", at)
    return len(text) if end < 0 else end


def _short(line: str) -> str:
    line = line.strip()
    return repr(line if len(line) <= 40 else line[:37] + "...")
