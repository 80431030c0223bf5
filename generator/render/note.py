"""A note with its values in, the HTML of its Anki fields and its media out.

Math, code and figures are lifted out of the text before Markdown sees it and put back after, so that Markdown, highlighting
and clozes never touch what is not theirs.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from hashlib import sha256
from html import escape
from typing import TYPE_CHECKING, Any, NamedTuple
from unicodedata import is_normalized, normalize

from generator.gate import characters
from generator.look.notetypes import BUILT, HEADING, SOURCE, NoteType
from generator.look.template import asks, is_blank
from generator.notes import Judged, Rendered, Resolved, Text, call
from generator.problems import Place, Problem
from generator.read.html import WIDTH, alone
from generator.read.media import find, problem
from generator.render import figures, highlight
from generator.render.mathjax import MathError, faded, mathjax
from generator.render.numbers import whole
from generator.render.prose import prose
from generator.resolve.names import device_name
from generator.resolve.references import references
from generator.text import cloze, safe
from generator.text.blocks import BEFORE, COMMENT, FIGURE, HIDE, LANDED, LIFTED, Mistake
from generator.text.media import as_images, kind_of, sized
from generator.text.spans import Span, SpanError, spans
from kernels.results import KernelError

if TYPE_CHECKING:
    from generator.render.masks import Mask

PLAYS = "\ue00a"  # stands for the `[sound:` of a medium of ours


SKETCH = "sketch"  # the type of notes whose figure lacks a part on the front
VERDICTS = {"holds": "✓ holds", "wrong": "✗ wrong", "misleading": "◐ misleading", "depends": "± depends"}
MADE = {  # in the footer's order
    "formula": "computed",
    "prediction": "predicted",
    "trace": "traced",
    "simulation": "simulated",
    "measurement": "measured",
}


def render(
    resolved: Resolved,
    types: Mapping[str, NoteType],
    draw: figures.Draw,
    problems: list[Problem],
    highlighted: Callable[[str, str], str] = highlight.in_colour,
) -> Rendered | None:
    """The note as it is packed; None where it has problems, which are added to `problems`.

    draw, highlighted: what makes figures of results, and HTML of code in a language.
    """
    note, note_type = resolved.note, types[resolved.note.type]
    page = _Page(resolved, draw, highlighted, note_type.elsewhere)
    source = note.fields.get(SOURCE)
    claims = [page.finished(_claim(judged, page), Text("", judged.claim.place)) for judged in resolved.claims if judged.verdict is not None]
    made = {
        "Id": note.id,
        "Breadcrumb": page.finished(_words(_breadcrumb(note.deck))),
        "Claims": "\n".join(claims),
        "Footer": page.finished(_footer(page, with_source=SOURCE not in note_type.fields), source),
        "Expected": page.finished(_words(resolved.expected or "")),
    }
    if resolved.options:
        made |= _options(resolved, page)
    hidden = _hidden(resolved, note_type, page) if note_type.occlusion and not note_type.elsewhere else None
    authors = {note_type.heading: HEADING, **{name: name for name in (note_type.main, *note_type.sections, *note_type.switches)}}
    fields = {name: "" if name in authors else made.get(name, "") for name in note_type.fields}
    for field, name in authors.items():
        if field and name in resolved.fields and not (resolved.options and name == "Mistakes") and not (hidden and name in ("Masks", note_type.main)):
            text, with_clozes = _filled(resolved, name), note_type.kind == "cloze" and name == note_type.main
            page.sketched = note.type == SKETCH and name == note_type.main
            html = _html(text, page, with_clozes)
            inline = field == note_type.heading or name in note_type.switches or note_type.elsewhere
            html = _plain(html, text, page) if name in note_type.typed else _inline(html) if inline else html
            fields[field] = page.finished(_as_in_anki(html) if note_type.elsewhere else html, text, with_clozes)
    if note.type == SKETCH:
        fields["Whole"] = _whole(resolved, note_type, page)
    if resolved.options:
        fields["Answer"] = fields["Answer"].replace("<p>", f"<p>{_sign(made['Right'], True)} ", 1)
        fields["Mistakes"] = made["Mistakes"]
    if hidden:
        fields |= hidden.fields
    if "Depth" in fields and not note_type.elsewhere:
        fields["Depth"] += page.finished(_beside(resolved))
    if note.claims and "Claims" not in fields:
        page.problem(note.claims[0].place, f"a {note.type} note shows no claims", "its note type lacks the field Claims")
    apart = _Page(resolved, draw, highlighted, note_type.elsewhere)
    for name, blocks in resolved.left_out.items():
        for block in blocks if not (hidden and name in ("Masks", note_type.main)) else ():  # their mistakes are told now, not when they are shown
            with_clozes = note_type.kind == "cloze" and name == note_type.main
            apart.sketched = note.type == SKETCH and name == note_type.main
            apart.finished(_html(block, apart, with_clozes), block, with_clozes)
    for judged in resolved.claims:
        if judged.verdict is None:
            apart.finished(_claim(judged._replace(verdict="holds"), apart), Text("", judged.claim.place))
    page.problems += apart.problems

    numbers = hidden.numbers if hidden else _numbers(note.fields[note_type.main], page) if note_type.kind == "cloze" else {}
    cards = cloze.places(numbers) if note_type.kind == "cloze" else _cards(note_type, fields, page)
    problems.extend(page.problems)
    if page.problems:
        return None
    media = {name: page.media[name] for name in sorted(page.media)}
    return Rendered(note.id, note.type, note.deck, note.tags, fields, media, cards, numbers, resolved)


def _options(resolved: Resolved, page: _Page) -> dict[str, str]:
    """What a choice note offers, as a list; the same with the mistakes, for the back; and the letter of the right one.

    The order follows from the note's id and each option's place among the author's, so that an edit of a mistake moves none.
    """
    numbers = sorted(range(len(resolved.options)), key=lambda number: sha256(f"{resolved.note.id}/{number}".encode()).digest())
    offered, judged = [], []
    for letter, number in zip("ABCDE", numbers):
        value, mistake = resolved.options[number]
        offered.append(f"<li>{value}</li>")
        said = f'<div class="mistake">{_inline(_html(mistake, page))}</div>' if mistake else ""
        judged.append(f'<li class="{"wrong" if mistake else "right"}">{_sign(letter, not mistake)} {value}{said}</li>')
    return {
        "Options": page.finished(f'<ol class="options">{"".join(offered)}</ol>'),
        "Mistakes": page.finished(f'<ul class="options">{"".join(judged)}</ul>', resolved.note.fields["Mistakes"]),
        "Right": "ABCDE"[numbers.index(0)],
    }


class _Hidden(NamedTuple):
    """The fields of an occlusion note that its masks make, and what each number hides."""

    fields: Mapping[str, str]
    numbers: Mapping[int, str]


def _hidden(resolved: Resolved, note_type: NoteType, page: _Page) -> _Hidden:
    """The picture of an occlusion note, its masks, and what they ask; nothing where the picture waits for a result."""
    from generator.render import masks

    if any(name in resolved.note.fields and name not in resolved.fields for name in (note_type.main, "Masks")):
        return _Hidden({}, {})
    text, before = _bare(_filled(resolved, note_type.main)), len(page.problems)
    listed = _bare(_filled(resolved, "Masks")) if "Masks" in resolved.fields else None
    figure = FIGURE.fullmatch(text.text.strip())
    said, hides, hide = figure[1].partition(f"|{HIDE}") if figure else ("", "", "")
    found: list[Mask] = []
    html = ""
    if figure and not hides:
        page.problem(text.place, f"the figure ![[{said}]] of an occlusion note hides nothing", f"write ![[{said.partition('|')[0]} | hide: labels]]")
    elif figure:
        if drawn := _drawn(said, page, text.place, with_parts=True):
            html = _shown(drawn[0]._replace(alt=COVERED), drawn[1], page)
            found = masks.of_figure(Text(hide.strip(), text.place), listed, drawn[0], page.problems)
    elif html := "" if FIGURE.search(text.text) else _html(text, page):
        if not _ONE_PICTURE.fullmatch(html):
            page.problem(text.place, *ONE_PICTURE)
        elif listed is None:
            page.problem(text.place, "the picture has no masks", f"add ## Masks, in which each line is such: {masks.DRAWN}")
        found = masks.of_picture(listed, page.problems) if listed else []
    elif len(page.problems) == before:
        page.problem(text.place, *ONE_PICTURE)
    if not masks.judged(found, listed, page.problems) or len(page.problems) > before:
        return _Hidden({}, {})
    alone = bool(resolved.fields.get(note_type.switches[0])) if note_type.switches else False
    said = Text(masks.asked(found), listed.place if listed else text.place)
    made = {
        note_type.occlusion[0]: page.finished(masks.shapes(found, alone), text, True),
        note_type.main: page.finished(" ".join(_IMAGE.findall(html)), text),
        "Masks": page.finished(_html(said, page, True), said, True),
    }
    return _Hidden(made, masks.names(found))


def _bare(text: Text) -> Text:
    """The text without its comments, each line where it was."""
    return text._replace(text=_COMMENT.sub(lambda match: "\n" * match[0].count("\n"), text.text)) if "<!--" in text.text else text


_COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)
ONE_PICTURE = (
    "the text of an occlusion note is one figure or one picture, on a line of its own",
    "write ![[run | hide: labels]], or ![what it shows](path) and its masks under ## Masks",
)
COVERED = "A figure, parts of which are covered."
_IMAGE = re.compile(r"<img\b[^<>]*>")
_ONE_PICTURE = re.compile(r"\s*(?:<p>)?\s*(?:<img\b[^<>]*>\s*){1,2}(?:</p>)?\s*")


def _whole(resolved: Resolved, note_type: NoteType, page: _Page) -> str:
    """What the front of a sketch shows, with its figure whole; its mistakes are told where the front is made."""
    main = resolved.note.fields[note_type.main]
    embedded = [one for one in references(main, []) if one.figure]
    if len(embedded) != 1 or BEFORE not in embedded[0].format:
        what = f"{len(embedded)} figures" if len(embedded) > 1 else "a figure that lacks nothing" if embedded else "no figure"
        hint = "write one, ![[run | before: series]]: the front has its axes, the back all of it"
        page.problem(embedded[-1].place if embedded else main.place, f"the sketch {resolved.note.id!r} shows {what}", hint)
    page.sketched = False
    if page.problems or note_type.main not in resolved.fields:
        return ""
    text = _filled(resolved, note_type.main)
    return page.finished(_html(text._replace(text=FIGURE.sub(lambda figure: figure[0].partition(f"|{BEFORE}")[0] + "\ue001", text.text)), page), text)


def _sign(letter: str, right: bool) -> str:
    return f'<b class="letter">{letter}\u202f{"✓" if right else "✗"}</b>'


class _Page:
    """What one note gathers while its fields are rendered."""

    def __init__(
        self,
        resolved: Resolved,
        draw: figures.Draw,
        highlighted: Callable[[str, str], str],
        elsewhere: bool = False,
    ):
        self.resolved, self.draw, self.highlighted = resolved, draw, highlighted
        self.elsewhere = elsewhere
        self.sketched = False  # whether a figure may lack a part now
        self.problems: list[Problem] = []
        self.media: dict[str, bytes] = {}

    def problem(self, place: Place, message: str, hint: str = "") -> None:
        self.problems.append(Problem(place, message, hint))

    def finished(self, html: str, text: Text | None = None, with_clozes: bool = False) -> str:
        """What is packed of a field, or of a claim in it: what the sanitizer leaves, in which the marks alone become what Anki reads.

        text: where it was written. What the sanitizer takes away is a problem there.
        """
        if not html:
            return ""
        text, html = text or Text("", self.resolved.note.place), html.replace("&#8239;", "\u202f")
        clean = safe.cleaned(html)
        if not is_normalized("NFC", clean):  # Anki makes one character of `>` and a stroke that follows it, and then there is no tag
            clean = safe.cleaned(normalize("NFC", clean))
        if html != clean:
            from generator.text.taken import lost

            if gone := lost(html, clean):
                what = f"the note holds {', '.join(gone)}, which no card may have"
                self.problem(text.at(_where(gone[0], text.text)), what, "a card runs and loads nothing")
        if "<img" in clean and (absent := set(_SOURCE.findall(clean)) - self.media.keys()):
            self.problem(text.place, f"the note shows {sorted(absent)[0]!r}, which is not in the package", "write ![alt](path)")
        made = safe.defused(clean)
        try:
            made = cloze.in_html(made) if with_clozes else made
        except cloze.ClozeError as error:
            self.problem(text.at(error.offset), error.message, error.hint)
            return ""
        made = made.replace(safe.MATH, "\\").replace(PLAYS, "[sound:")
        made = made if self.elsewhere else made.replace("&nbsp;", "\u00a0")  # Anki's own editor writes the entity
        if wrong := characters.unwanted(made):
            self.problem(text.place, f"the text would hold {characters.named(wrong[0])}", "delete what makes it")
        elif not is_normalized("NFC", made):
            self.problem(text.place, "the text holds a character that Anki joins with the one before it", "delete it")
        return made


class _Lifted:
    """The pieces that stand aside while Markdown runs. Math lands last, after clozes are written."""

    def __init__(self) -> None:
        self.pieces: list[str] = []
        self.blocks: set[int] = set()
        self.math: set[int] = set()

    def up(self, html: str, into: set[int] | None = None) -> str:
        self.pieces.append(html)
        if into is not None:
            into.add(len(self.pieces) - 1)
        return f"{LIFTED}{len(self.pieces) - 1}{LANDED}"

    def down(self, html: str) -> str:
        if self.blocks:
            html = _ALONE.sub(lambda m: self.pieces[int(m[1])] if int(m[1]) in self.blocks else m[0], html)
        html = _LIFTED.sub(lambda m: m[0] if int(m[1]) in self.math else self.pieces[int(m[1])], html) if self.pieces else html
        return _SUMMARY.sub(r"\1", html) if "<summary" in html else html

    def math_down(self, html: str) -> str:
        return _LIFTED.sub(lambda m: self.pieces[int(m[1])], html) if self.math else html


_LIFTED = re.compile(rf"{LIFTED}([0-9]+){LANDED}")
_ALONE = re.compile(rf"<p>\s*{LIFTED}([0-9]+){LANDED}\s*</p>")


# ------------------------------------------------------------------------------------- Markdown to HTML


def _html(text: Text, page: _Page, with_clozes: bool = False) -> str:
    """HTML of one field."""
    lifted, parts = _Lifted(), []
    try:
        pieces = spans(text.text)
        found = cloze.clozes(text.text, pieces) if with_clozes else ()
        for span in pieces:
            part = _lift(text, span, found, lifted, page)
            if "{{c" in part and not with_clozes and span.kind in ("text", "math") and (stray := re.search(r"\{\{c[0-9]+::", part)):
                page.problem(text.at(span.start), f"{stray.group()} stands where no cloze can", "only the text of a note of class .cloze has clozes")
            parts.append(part)
        mistakes: list[Mistake] = []
        html = prose(sized("".join(parts)), lifted.blocks, mistakes)
        for mistake in mistakes:
            page.problem(text.at(_line_start(mistake.line, pieces, parts)), mistake.message, mistake.hint)
        html = _media(lifted.down(html if page.elsewhere else whole(html)), text, lifted, page)
        return lifted.math_down(html)
    except (SpanError, cloze.ClozeError) as error:
        page.problem(text.at(error.offset), error.message, error.hint)
        return ""


def _line_start(line: int, pieces: Iterable[Span], parts: Iterable[str]) -> int:
    """Where a line of the parts, counted from 0, begins in the text that they were lifted from."""
    for span, part in zip(pieces, parts):
        breaks = part.count("\n")
        if line <= breaks:
            return span.start + sum(len(above) + 1 for above in part.split("\n")[:line])
        line -= breaks
    return 0


def _lift(text: Text, span: Span, found: tuple[cloze.Cloze, ...], lifted: _Lifted, page: _Page) -> str:
    """The span as Markdown may see it."""
    source = text.text[span.start : span.end]
    if found and span.kind != "html":
        source = cloze.marked(text.text, span.start, span.end, found)
    if span.kind == "text":
        source = as_images(_NO_TAG.sub(lambda found: found[1] or "&lt;", source) if "<" in source else source)
        return _lift_figures(source, text, span, lifted, page)
    if span.kind == "html":
        return COMMENT if source.startswith("<!--") else _apart(source, text.text, span, lifted)
    if "\n" in source and span.kind in ("math", "code"):
        source = _unquoted(source, text.text, span)
    if span.kind == "math":
        inside = any(c.inside <= span.start and span.end <= c.end for c in found)
        try:
            made = mathjax(source, inside)
            if not page.elsewhere and "color" in source and (fault := faded(source)):
                raise fault
            return lifted.up(made, lifted.math)
        except MathError as error:
            page.problem(text.at(span.start + max(source.find(error.sign), 0)), str(error), error.hint)
            return ""
    if span.kind == "code":
        return lifted.up(highlight.inline(source, page.elsewhere))
    try:
        block = lifted.up(highlight.block(source, span.info, page.highlighted), lifted.blocks)
    except highlight.LanguageError as error:
        page.problem(text.at(span.start), str(error), error.hint)
        return ""
    return source[: len(source) - len(source.lstrip())] + block + "\n" * source.endswith("\n")


def _apart(source: str, text: str, span: Span, lifted: _Lifted) -> str:
    """A tag as it is, or, where it and its like have a line to themselves, as a block of its own, so that what follows is Markdown."""
    fold = _FOLD.match(source)
    if fold is None or not alone(text, span.start):
        return source
    indent = _INDENT.match(text, text.rfind("\n", 0, span.start) + 1)[0]  # type: ignore[index]
    if fold[2].lower() == "summary":
        return f"{lifted.up(source)}\n\n" if fold[1] else f"\n\n{indent}{lifted.up(source)}"
    return f"\n\n{indent}{lifted.up(source, lifted.blocks)}\n\n"


def _unquoted(source: str, text: str, span: Span) -> str:
    """Code or math of several lines without the marks of the quotation in which it stands."""
    before = _QUOTED.match(text, text.rfind("\n", 0, span.start) + 1, span.start)
    marks = before[0].count(">") if before else 0
    return re.sub(rf"\n(?:[ \t]*>){{1,{marks}}}[ ]?", "\n", source) if marks else source


_FOLD = re.compile(r"<(/?)(details|div|summary)\b", re.IGNORECASE)
_SUMMARY = re.compile(r"<p>\s*(<summary\b[^<>]*>.*?</summary>)\s*</p>", re.DOTALL | re.IGNORECASE)
_INDENT = re.compile(r"[ \t]*")
_QUOTED = re.compile(r"(?:[ \t]*(?:>|[-*+][ \t]|[0-9]{1,9}[.)][ \t]))*")


_NO_TAG = re.compile(r"(\][(:]\s*<)|<(?=[A-Za-z/])(?![^\s<>]*[:@][^\s<>]*>)")  # opens a tag that has no end, which parsers seek again and again


def _lift_figures(source: str, text: Text, span: Span, lifted: _Lifted, page: _Page) -> str:
    def embedded(match: re.Match[str]) -> str:
        line = source[source.rfind("\n", 0, match.start()) + 1 : _line_end(source, match.end())]
        if FIGURE.sub("", line).strip():
            page.problem(text.at(span.start + match.start()), f"the figure ![[{match[1]}]] stands inside a line", "put it on a line of its own")
            return ""
        place, (aliases, hides, _) = text.at(span.start + match.start()), match[1].partition(f"|{HIDE}")
        if hides:
            what = f"the figure ![[{match[1].replace('|', ' | ')}]] hides parts, which the text of a note of class .occlusion alone may do"
            page.problem(place, what, f"write ![[{aliases.replace('|', ' | ')}]]")
            return ""
        if BEFORE in match[1] and not page.sketched:
            message = f"the figure ![[{match[1].replace('|', ' | ')}]] lacks a part, which the text of a note of class .sketch alone may show"
            page.problem(place, message, f"write ![[{match[1].partition(f'|{BEFORE}')[0].replace('|', ' | ')}]]")
            return ""
        drawn = _drawn(match[1], page, place)
        return lifted.up(_shown(*drawn, page) if drawn else "", lifted.blocks)

    return FIGURE.sub(embedded, source) if "\ue000" in source else source


def _drawn(said: str, page: _Page, place: Place, with_parts: bool = False) -> tuple[figures.Figure, str] | None:
    """The figure of a run, and what its files are named by; None where it has no result.

    said: of a run, and behind a bar of the measurement whose points stand on its figure; then what the figure lacks.
    """
    aliases, _, without = said.partition(f"|{BEFORE}")
    alias, _, beside = aliases.partition("|")
    result = page.resolved.results.get(alias)
    if result is None:
        return None
    try:
        drawn = page.draw(result, page.resolved.results.get(beside), without=without.strip(), with_parts=with_parts)
    except KernelError as error:
        page.problem(place, f"the figure ![[{said.replace('|', ' | ')}]] cannot be drawn: {error}")
        return None
    return drawn, f"{result.kernel}-before" if without else result.kernel


def _shown(figure: figures.Figure, slug: str, page: _Page) -> str:
    html, media = figures.embed(figure, slug)
    page.media.update(media)
    return html


def _cards(note_type: NoteType, fields: Mapping[str, str], page: _Page) -> tuple[int, ...]:
    """The templates whose front would not be empty, as Anki counts; each must show something that the author wrote."""
    note, cards, withheld = page.resolved.note, list[int](), page.resolved.withheld
    filled = {name for name, html in fields.items() if not is_blank(html)}
    for number, template in enumerate(note_type.templates):
        if not asks(template.front, filled):
            continue
        cards.append(number)
        if not withheld and not asks(template.front, filled.difference(() if note_type.elsewhere else BUILT)):
            hint = "its template may put all of the front in {{#Field}}..{{/Field}}: then there is no card"
            page.problem(note.place, f"the front of the card {template.name!r} would show nothing of the note {note.id!r}", hint)
    if not cards and not withheld:
        shown = ", ".join(f"{template.name!r}" for template in note_type.templates)
        page.problem(note.place, f"the note {note.id!r} has no card", f"the front of {shown} is empty: fill what it shows")
    return tuple(cards)


def _plain(html: str, text: Text, page: _Page) -> str:
    """A field that is typed: the single line of plain text that it is, whose spaces are those of a keyboard."""
    line = re.sub(r'<span class="num">(.*?)</span>', r"\1", _inline(html)).replace("&#8239;", " ").replace("\u202f", " ")
    if re.search(rf"[<\n{safe.MATH}{PLAYS}]", line):
        page.problem(
            text.place,
            "what is typed is more than a line of plain text",
            "no second line, emphasis, math, code, picture or sound; a section takes these",
        )
    return line


def _as_in_anki(html: str) -> str:
    """The HTML as Anki's editor writes it: with <b> and <i>, which a style from elsewhere may speak of, and without lines of its own."""
    parts = re.split(r"(<pre\b.*?</pre>)", html, flags=re.DOTALL)
    for number, part in enumerate(parts[::2]):
        part = re.sub(r"(</?)strong\b", r"\1b", re.sub(r"(</?)em\b", r"\1i", part))
        parts[2 * number] = re.sub(r"(?<=>)\n(?=<)|(?<=<br>)\n", "", part)
    return "".join(parts).replace("\u00a0", "&nbsp;")


def _words(text: str) -> str:
    """Text that is no Markdown as HTML."""
    return escape(text, quote=False)


def _where(what: str, text: str) -> int:
    """Where in a text that stands which the sanitizer took away, as well as it can be found."""
    signs = re.findall(r"^<[\w/!-]+|(?<= )[\w:-]+(?==)|'[^']+", what)
    return max(text.lower().find(signs[-1].strip("'").lower()), 0) if signs else 0


def _inline(html: str) -> str:
    """The HTML of a single paragraph without its <p>."""
    single = re.fullmatch(r"\s*<p>((?:(?!</?p>).)*)</p>\s*", html, re.DOTALL)
    return single[1] if single else html


# --------------------------------------------------------------------------- pictures, sounds and films


def _media(html: str, text: Text, lifted: _Lifted, page: _Page) -> str:
    """Pictures, sounds and films of the author: from paths to named media."""
    directory = page.resolved.note.directory

    def shown(match: re.Match[str]) -> str:
        source, alt = (_attribute(match["image"], name) for name in ("src", "alt"))
        cards = figures.cards_of(directory)
        if wrong := problem(source, directory, cards):
            page.problem(text.at(max(text.text.find(source), 0)), *wrong)
            return ""
        path = find(source, directory, cards)
        assert path is not None
        if kind_of(path.name) == "image":
            made, media = figures.picture(path, alt, match["width"] or "")
        else:
            tag, media = figures.player(path, alt, bare=page.elsewhere)
            made = lifted.up(tag.replace("[sound:", PLAYS), lifted.math)
        page.media.update(media)
        return made

    return _IMG.sub(shown, html) if "<img" in html else html


_SOURCE = re.compile(r"<img [^<>]*?\bsrc=\"([^\"]*)\"")
_IMG = re.compile(rf"(?P<image><img\b(?![^<>]*\bclass=\"(?:light|dark)\")[^<>]*>)(?:{WIDTH.pattern})?")


def _attribute(tag: str, name: str) -> str:
    from html import unescape

    value = re.search(rf"\b{name}\s*=\s*(?:\"([^\"]*)\"|'([^']*)'|([^\s>]+))", tag)
    return unescape(next((group for group in value.groups() if group is not None), "")) if value else ""


# ------------------------------------------------------------------- breadcrumb, claims, footer, clozes


def _breadcrumb(deck: str) -> str:
    """ "Interviews::Training::LoRA" as "Training · LoRA": the deck's own name says nothing to who studies it."""
    parts = deck.split("::")
    return " · ".join(parts[1:] or parts)


def _claim(judged: Judged, page: _Page) -> str:
    claim, place = judged.claim, judged.claim.place
    assert judged.verdict is not None

    def words(text: str) -> str:
        return _inline(_html(Text(text, place), page))

    head = "Often said" if claim.source else "Check"
    parts = [f'<p class="said"><b>{head}:</b> {_sentence(words(claim.says))}</p>']
    found = f'<span class="verdict">{VERDICTS[judged.verdict]}</span>'
    if claim.decided:
        found += f" Reported: {words(claim.decided.value)} ({words(claim.decided.by)}, {words(claim.decided.at)})."
    elif judged.verdict == "depends":
        found += f" {_how(judged, page)}: {whole(_words(judged.shown))}."
    elif judged.shown:
        shown = re.sub(r"10\^(\S+)", r"10<sup>\1</sup>", _words(judged.shown)).replace(" ", "\u202f")
        off = f", {whole(_words(judged.factor))}{' what is said' * judged.factor.endswith('×')}" if judged.factor else ""
        found += f' {_how(judged, page)}: <span class="num">{shown}</span>{off}.'
    parts.append(f'<p class="found">{found}</p>')
    parts += [f'<p class="under">Taken as {words(one.value)}: {_sentence(words(one.because))}</p>' for one in claim.thresholds]
    if judged.verdict == "misleading" and claim.under:
        parts.append(f'<p class="under">True {_sentence(_under(words(claim.under[0])))}</p>')
    return f'<div class="claim {judged.verdict}">{"".join(parts)}</div>'


def _how(judged: Judged, page: _Page) -> str:
    """The word for the way in which the claim's number was made."""
    expression = judged.claim.computed or judged.claim.holds or ""
    results = [page.resolved.results.get(name) for name in re.findall(r"[A-Za-z_]\w*", expression)]
    kinds = {result.kind for result in results if result is not None}
    return next((MADE[kind].capitalize() for kind in reversed(MADE) if kind in kinds), "Computed")


def _under(condition: str) -> str:
    """ "at batch 1" follows "True" as it is; "batch 1" needs a word between."""
    return (
        condition
        if re.match(r"(?:with|when|if|at|for|on|in|only|under|where|while|after|before|without|as|from|up)\b", condition, re.IGNORECASE)
        else f"for {condition}"
    )


def _sentence(html: str) -> str:
    return html if re.search(r"[.?!…][\"'”’)]*(?:</\w+>)*$", html) else html + "."


def _beside(resolved: Resolved) -> str:
    """The measured numbers of several devices as a table, a row for each number that the note shows."""
    if not resolved.beside:
        return ""
    head = "".join(f'<th class="n">{_words(device)}</th>' for device, _ in resolved.beside)
    rows = []
    for label in resolved.beside[0][1]:
        cells = "".join(f'<td class="n"><span class="num">{texts[label]}</span></td>' for _, texts in resolved.beside)
        rows.append(f"<tr><td>{_words(label)}</td>{cells}</tr>")
    return f'<div class="table"><table><thead><tr><th>measured on</th>{head}</tr></thead><tbody>{"".join(rows)}</tbody></table></div>'


def _footer(page: _Page, with_source: bool) -> str:
    """How the note's numbers were made, which folds open to the runs, and its sources.

    No date, no version and no commit: a re-measurement must not touch the note. The records hold these, by kernel and parameters.
    """
    resolved = page.resolved
    results = [result for alias, result in resolved.results.items() if result is not None and alias not in resolved.unseen]
    made = [word for kind, word in MADE.items() if kind != "measurement" and any(result.kind == kind for result in results)]
    if (draws := max((result.draws for result in results if result.kind == "simulation"), default=1)) > 1:
        made[-1] += f" over {draws} draws"
    devices = {_device(result.made) for result in results if result.kind == "measurement"}
    made += [f"measured on {device}" for device in sorted(devices)]
    parts = []
    if made:
        runs = "".join(f"<li><code>{_words(run)}</code></li>" for run in dict.fromkeys(map(call, results)))
        parts.append(f'<details class="made"><summary>{_words(" · ".join(made))}</summary><ul>{runs}</ul></details>')
    if with_source and SOURCE in page.resolved.fields:
        parts.append(_html(_filled(page.resolved, SOURCE), page))
    return "\n".join(parts)


def _device(made: Mapping[str, Any]) -> str:
    """The device's name; of a CPU with its cores and threads."""
    counts = [f"{made[what]} {what if made[what] > 1 else what[:-1]}" for what in ("cores", "threads") if what in made]
    return ", ".join([device_name(made), *counts])


def _numbers(text: Text, page: _Page) -> Mapping[int, str]:
    """Cloze numbers with what the author hid under them, references unresolved, as the lock compares them."""
    try:
        numbers = cloze.by_number(text.text, cloze.clozes(text.text, spans(text.text)))
    except (SpanError, cloze.ClozeError) as error:
        page.problem(text.at(error.offset), error.message, error.hint)
        return {}
    if not numbers:
        page.problem(text.place, "a note of class .cloze has no cloze", "write {{c1::text}} around what is to be hidden")
    return numbers


def _filled(resolved: Resolved, name: str) -> Text:
    """A field with its values in; one without any is the author's own text, whose spans are known."""
    written, text = resolved.note.fields[name], resolved.fields[name]
    return written if text == written.text else Text(text, written.place)


def _line_end(text: str, at: int) -> int:
    end = text.find("\n", at)
    return len(text) if end < 0 else end
