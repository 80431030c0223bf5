"""The note types of a deck: ours and those of its own look/, each as its type.yml declares it, with templates and style as Anki gets them.

In: the folders of a look, and the deck's name and id. Out: NoteTypes by key, the files that they show, and what is wrong. The ids of a note
type, its fields and its templates follow from the deck's id, so that no two decks share a type: the deck has the thousand ids from its own on.
"""

from __future__ import annotations

import hashlib
import os
import re
import zlib
from collections.abc import Collection, Mapping
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

from generator.gate.files import text_of
from generator.look.notetypes import BUILT, HEADING, LOOK, NoteType, Template, environment, tight
from generator.look.template import ANKIS_OWN, FILTERS, sections, shown, tree, without_comments
from generator.problems import DeckError, Place, Problem, nearest
from generator.read import media, yaml
from generator.text.media import IMAGES
from generator.text.safe import in_css, in_name
from generator.text.safe import shown as shown_of
from kernels.files import is_there

OURS = 11  # numbers below are those of our own types
SPAN = 1000  # ids of note types that belong to a deck
MOST = 99  # fields, and templates
# The keys of type.yml with what they mean: the reader checks by these, and so does the schema that editors take.
KEYS = {
    "name": "the type's name; Anki shows it behind the deck's",
    "number": "the place of its id behind the deck's; else it follows from the folder's name",
    "id": "of a type that learners have from elsewhere, in place of one of the deck's; its name then stands as written",
    "kind": "cloze shows main as {{cloze:Field}}; basic shows what its templates do",
    "heading": "the field that a note's heading fills, if not Front; left empty, the heading is the author's alone",
    "main": "the field of the text under the heading",
    "required": "fields that each note must have",
    "sections": "fields that a ## heading fills",
    "switches": "fields that a word in the heading's braces fills",
    "occlusion": "of a type that hides parts of pictures as Anki's own does: its fields for masks, picture, header, back and comments",
    "fields": "in Anki's order; released, none is added, removed or moved",
    "templates": "each makes a card of a note, unless its front would be empty",
}
KINDS = ("basic", "cloze")
REQUIRED = ("name", "kind", "fields", "templates")
FIELD = {"name": "the field's name", "id": "of a field that learners have from elsewhere"}
TEMPLATE = {
    "name": "the card's name",
    "id": "of a template that learners have from elsewhere",
    "front": "the file of its front, beside type.yml",
    "back": "the file of its back, beside type.yml",
}
WHOLE = range(-(2**63), 2**63)  # what an id of a field or template may be
KEY = re.compile(r"[a-z][a-z0-9-]*")
FIELD_RULE = "a name has no : { } or quotation marks, begins with none of # / ^, and is none of Anki's own"
IN_TAGS = ("Tags", "CardFlag")  # fields of Anki that hold neither blanks nor quotation marks
FONTS = (".otf", ".ttf", ".woff", ".woff2")


class Look(NamedTuple):
    """The note types of a deck by key, and what their templates and style show: the content of files by the names that they bear in Anki."""

    types: Mapping[str, NoteType]
    media: Mapping[str, bytes]


class _Deck(NamedTuple):
    name: str
    id: int


def look_of(name: str, id: int, own: Path | None = None, shown: str = "", replaced: bool = False) -> tuple[Look, list[Problem]]:
    """The look of the deck of this name and id, with its mistakes. own: its folder look/, shown to a person as `shown`.

    replaced: its style sheet stands in place of ours, and is not added to it.
    """
    problems: list[Problem] = []
    assets = _Assets(own, problems) if own else None
    css = [] if replaced else [(LOOK / "style.css").read_text(encoding="utf-8")]
    if own and assets and is_there(own / "style.css"):
        css.append(assets.in_css(text_of(own / "style.css", f"{shown}/style.css", problems) or "", f"{shown}/style.css"))
    elif replaced:
        problems.append(Problem(Place(f"{shown}/style.css"), "there is no style sheet", "look: own in deck.yml puts it in place of ours"))
    types: dict[str, NoteType] = {}
    for look, about, within in ((LOOK, os.path.relpath(LOOK), None), *([(own, shown, assets)] if own else [])):
        for path in sorted(look.glob("*/type.yml")):
            folder, key = path.parent, path.parent.name
            reader = _Type(folder, f"{about}/{key}", _Deck(name, id), (look, LOOK), within, problems)
            sheet = folder / "style.css"  # of a type that takes no other
            css_of = f"{about}/{key}/style.css"
            alone = within.in_css(text_of(sheet, css_of, problems) or "", css_of) if within and is_there(sheet) else ""
            if key in types:
                problems.append(Problem(Place(f"{about}/{key}/type.yml"), f"the note type {key!r} is one of ours", "name its folder otherwise"))
            elif made := reader.note_type(alone or "\n".join(css)):
                types[key] = made
    _check_ids(types, shown, problems)
    media = dict(sorted(assets.media.items())) if assets else {}
    sizes = {file: len(content) for file, content in media.items()}
    return Look({key: types[key]._replace(media=sizes) for key in sorted(types)}, media), problems


def _check_ids(types: Mapping[str, NoteType], shown: str, problems: list[Problem]) -> None:
    first: dict[int, str] = {}
    for key, kind in types.items():
        if kind.id in first:
            hint = f"give one of them a number of its own, {OURS} to {SPAN - 1}"
            problems.append(Problem(Place(f"{shown}/{key}/type.yml"), f"the note types {first[kind.id]!r} and {key!r} have the id {kind.id}", hint))
        first[kind.id] = key


# ---------------------------------------------------------------------------------------------- one type


class _Type:
    """The reader of one folder of a look. shown: the folder as a person sees it; around: where templates may be included from besides.

    assets: what takes the files that templates show; None for our own types, which show none. masks: whether the type hides parts of pictures,
    for which its templates run Anki's one script; of a type from elsewhere any cloze may.
    """

    def __init__(self, folder: Path, shown: str, deck: _Deck, around: tuple[Path, ...], assets: _Assets | None, problems: list[Problem]):
        self.folder, self.shown, self.deck, self.around, self.assets, self.problems = folder, shown, deck, around, assets, problems
        self.sides: dict[str, _Side | None] = {}
        self.masks = False

    def note_type(self, css: str) -> NoteType | None:
        """The note type, None where its type.yml is broken."""
        before, key = len(self.problems), self.folder.name
        path = f"{self.shown}/type.yml"
        try:
            text = text_of(self.folder / "type.yml", path, self.problems)
            if text is None:
                return None
            root = yaml.load(text, path)
        except DeckError as error:
            self.problems += error.problems
            return None
        at = root.place
        if not KEY.fullmatch(key):
            self._problem(at, f"{key!r} cannot name a note type", "small letters, digits and hyphens, a letter first")
        entries = yaml.mapping(root, "type.yml", self.problems, KEYS, REQUIRED)
        kind = self._text(entries, "kind")
        self.masks = kind == "cloze" and not {"occlusion", "id"}.isdisjoint(entries)
        if "kind" in entries and kind not in KINDS:
            self._problem(entries["kind"].place, f"unknown kind {kind!r}", nearest(kind, KINDS))
        id = self._id(entries, key)
        fields = self._fields(entries, id)
        if "name" in entries:
            self._check_name(self._text(entries, "name"), entries["name"].place)
        heading = HEADING if "heading" not in entries else "" if entries["heading"].value is None else self._text(entries, "heading")
        main = self._text(entries, "main")
        listed = {name: self._names(entries, name) for name in ("required", "sections", "switches", "occlusion")}
        self._check_fields(entries, at, heading, main, fields)
        self._check_occlusion(entries, kind, listed["occlusion"], fields)
        if len(self.problems) > before:
            return None
        made = NoteType(
            key=key,
            name=self._text(entries, "name") if "id" in entries else f"{self.deck.name}: {self._text(entries, 'name')}",
            id=id,
            kind="cloze" if kind == "cloze" else "basic",
            heading=heading,
            main=main,
            required=listed["required"],
            sections=listed["sections"],
            switches=listed["switches"],
            fields=fields,
            templates=(),
            css=css,
            elsewhere="id" in entries,
            occlusion=listed["occlusion"],
        )
        made = made._replace(templates=self._templates(entries, made))
        return None if len(self.problems) > before else _finished(made)

    def _problem(self, place: Place, message: str, hint: str = "") -> None:
        self.problems.append(Problem(place, message, hint))

    def _text(self, entries: Mapping[str, yaml.Node], key: str) -> str:
        return " ".join(yaml.string(entries.get(key), key, self.problems).split())

    def _names(self, entries: Mapping[str, yaml.Node], key: str) -> tuple[str, ...]:
        items = yaml.sequence(entries[key], key, self.problems) if key in entries else ()
        return tuple(yaml.string(item, f"one of {key}", self.problems) for item in items)

    # ------------------------------------------------------------------------------------------ ids and fields

    def _id(self, entries: Mapping[str, yaml.Node], key: str) -> int:
        """The type's own id, or the deck's with the type's number; that follows from the key, so that another type moves none."""
        if "number" in entries and "id" in entries:
            self._problem(entries["id"].place, "a note type has a number or an id, not both", "an id is for a type that learners have from elsewhere")
        if "id" in entries:
            return self._number(entries["id"], "id", 1, 2**53)
        if "number" not in entries:
            return self.deck.id + OURS + zlib.crc32(key.encode(errors="replace")) % (SPAN - OURS)
        return self.deck.id + self._number(entries["number"], "number", OURS if self.assets else 1, SPAN)

    def _check_name(self, name: str, place: Place) -> None:
        if found := in_name(name):
            self._problem(place, f"the name {name!r} holds {found!r}", "a template shows names as they are: no HTML, and none of Anki's marks")

    def _number(self, node: yaml.Node, what: str, least: int, end: int) -> int:
        if type(node.value) is not int or not least <= node.value < end:
            self._problem(node.place, f"{what} must be a whole number from {least} to {end - 1}, but is {yaml.kind(node)}")
            return 0
        return node.value

    def _named(
        self, entries: Mapping[str, yaml.Node], what: str, known: Collection[str]
    ) -> list[tuple[str, int | None, Mapping[str, yaml.Node], Place]]:
        """The name, the id if it has one of its own, the entries and the place of each of `what`; a field may be its name alone."""
        found, first = [], dict[str, Place]()
        like = "- {name: Recognise, front: front.html, back: back.html}" if "front" in known else "[Front, Back]"
        items = yaml.sequence(entries[what], what, self.problems, like) if what in entries else ()
        for item in items:
            plain = not isinstance(item.value, dict) and "front" not in known
            inside = {"name": item} if plain else yaml.mapping(item, f"one of {what}", self.problems, known, ("name",))
            name = yaml.string(inside.get("name"), "name", self.problems)
            self._check_name(name, item.place)
            if name.casefold() in first:
                self._problem(item.place, f"{name!r} stands twice under {what}", f"the first is on line {first[name.casefold()].line}")
            first.setdefault(name.casefold(), item.place)
            found.append((name, self._number(inside["id"], "id", WHOLE.start, WHOLE.stop) if "id" in inside else None, inside, item.place))
        if "front" in known and not items and what in entries and entries[what].value in (None, ()):
            self._problem(entries[what].place, f"{what} is empty", "each makes a card of a note")
        if len(items) > MOST:
            self._problem(items[MOST].place, f"{len(items)} {what}", f"at most {MOST}")
        return found

    def _fields(self, entries: Mapping[str, yaml.Node], id: int) -> dict[str, int]:
        fields = {}
        for number, (name, own, _, place) in enumerate(self._named(entries, "fields", FIELD), 1):
            if name and (name in ANKIS_OWN or name[0] in "#/^ " or set(name) & set(':{}"')):
                self._problem(place, f"{name!r} cannot name a field", FIELD_RULE)
            fields[name] = id * 1000 + number if own is None else own
        return fields

    def _check_fields(self, entries: Mapping[str, yaml.Node], at: Place, heading: str, main: str, fields: Mapping[str, int]) -> None:
        """Whether what the author's words go into is there, and goes into one field each."""
        if not fields:
            return  # which is told already
        if heading and heading not in fields:
            hint = "; ".join(filter(None, ("name one as heading:, or leave that empty", nearest(heading, fields))))
            self._problem(entries["heading"].place if "heading" in entries else at, f"no field {heading!r} for a note's heading", hint)
        taken = {heading: "the heading"} if heading else {}
        places = [(main, entries["main"], "main")] if main else []
        places += [
            (yaml.string(item, what, []), item, what)
            for what in ("sections", "switches")
            for item in (entries[what].value if what in entries and isinstance(entries[what].value, tuple) else ())
        ]
        for name, node, what in places:
            if name not in fields:
                self._problem(node.place, f"unknown field {name!r} under {what}", nearest(name, fields))
            elif (name in BUILT and "id" not in entries) or (name == HEADING and heading not in ("", HEADING)):
                self._problem(node.place, f"the field {name!r} is no author's to fill", "the compiler does" if name in BUILT else "a heading does")
            elif name in taken:
                self._problem(node.place, f"{taken[name]} fills the field {name!r} already")
            taken.setdefault(name, "a switch" if what == "switches" else "a section" if what == "sections" else "the text under the heading")
        for item in yaml.sequence(entries["required"], "required", []) if "required" in entries else ():
            name = yaml.string(item, "required", [])
            if name not in taken or name == heading or taken[name] == "a switch":
                self._problem(item.place, f"required names {name!r}, which is neither main nor a section", nearest(name, taken))

    def _check_occlusion(self, entries: Mapping[str, yaml.Node], kind: str, named: Collection[str], fields: Mapping[str, int]) -> None:
        if "occlusion" not in entries:
            return
        place = entries["occlusion"].place
        if kind != "cloze" or len(named) != 5:
            self._problem(place, "occlusion names five fields of a cloze type", "those for masks, picture, header, back and comments")
        for name in named:
            if fields and name not in fields:
                self._problem(place, f"unknown field {name!r} under occlusion", nearest(name, fields))

    # ---------------------------------------------------------------------------------------------- templates

    def _templates(self, entries: Mapping[str, yaml.Node], kind: NoteType) -> tuple[Template, ...]:
        made = []
        for number, (name, own, inside, place) in enumerate(self._named(entries, "templates", TEMPLATE), 1):
            sides = []
            for side in ("front", "back"):
                if side not in inside:
                    self._problem(place, f"the template {name!r} lacks its {side}", f"{side}: a file beside type.yml")
                    continue
                sides.append(self._side(yaml.string(inside[side], side, self.problems), inside[side].place))
            if len(sides) == 2 and None not in sides:
                front, back = (side for side in sides if side is not None)
                self._check(kind, name, front, back)
                made.append(Template(name, kind.id * 1000 + 100 + number if own is None else own, front.text, back.text))
        if kind.kind == "cloze" and len(made) > 1:
            self._problem(entries["templates"].place, f"a cloze type with {len(made)} templates", "Anki makes a card of each cloze, by one template")
        return tuple(made)

    def _side(self, file: str, place: Place) -> _Side | None:
        """A template's file as Anki gets it; None where something is wrong with it."""
        if not file or not is_there(self.folder / file):
            near = nearest(file, [path.name for path in self.folder.glob("*.html")])
            self._problem(place, f"there is no template {file!r} in {self.shown}/", near)
            return None
        if file not in self.sides:
            self.sides[file] = self._rendered(file, f"{self.shown}/{file}")
        return self.sides[file]

    @cached_property
    def jinja(self) -> Any:
        return environment(self.folder, *self.around)

    def _rendered(self, file: str, path: str) -> _Side | None:
        from jinja2 import TemplateError, TemplateNotFound, TemplateSyntaxError

        source = text_of(self.folder / file, path, self.problems)
        if source is None:
            return None
        try:
            made = self.jinja.get_template(file).render()
            text = tight(without_comments(made) if self.assets else made)  # ours have none
        except TemplateNotFound as error:
            self._problem(_place(path, source, str(error.name)), f"there is no template {error.name!r} to include", "of ours there is parts.html")
        except TemplateSyntaxError as error:
            where = path if error.name == file else f"{Path(self.shown).parent.as_posix()}/{error.name}"
            self._problem(Place(where, error.lineno), f"broken template: {error.message}")
        except DeckError as error:  # a file that it includes
            self.problems += error.problems
        except TemplateError as error:
            named = re.search(r"'(\w+)' is undefined", str(error.message))
            self._problem(_place(path, source, named[1] if named else ""), f"broken template: {error.message}")
        else:
            before = len(self.problems)
            text = self.assets.in_html(text, path, source) if self.assets else text
            if self.assets and len(self.problems) == before:  # ours are tested
                self._check_html(OCCLUSION.sub("", text) if self.masks else text, path, source)
            return _Side(path, source, text)
        return None

    def _check_html(self, text: str, path: str, source: str) -> None:
        """Whether the template holds what no card may have; and no field in a tag, where its text would be HTML."""
        for tag in re.finditer(r"<[A-Za-z/!][^<>]*>", text):
            for name in re.findall(r"\{\{\s*([^{}#^/]*?)\s*\}\}", tag[0]):
                if name not in IN_TAGS:
                    self._problem(_place(path, source, name), f"the field {name!r} stands inside a tag", "a field may stand where text does")
        from generator.text.taken import lost

        bare = re.sub(r"\{\{[^{}]*\}\}", "", text)
        for what in lost(bare, shown_of(bare)):
            sign = re.sub(r"[<>]", "", what).split("=")[0].split()[-1]
            self._problem(_place(path, source, sign), f"the template holds {what}", "a card runs no script and loads nothing")

    def _check(self, kind: NoteType, name: str, front: _Side, back: _Side) -> None:
        """Whether Anki can fill the template, and its front asks something."""
        before = len(self.problems)
        for side in (front, back):
            try:
                parts = tree(side.text)
            except ValueError as error:
                tag = re.search(r"\{\{.+?\}\}", str(error))
                self._problem(side.at(tag[0] if tag else ""), str(error), "sections close in the order in which they opened, the last one first")
                continue
            fields = list(shown(parts))
            known = {*kind.fields, *(ANKIS_OWN if side is back else ANKIS_OWN[1:])}
            for named in [*(field.name for field in fields), *(asked for asked in sections(parts) if not re.fullmatch(r"c\d+", asked))]:
                if named not in known:
                    self._problem(side.at(named), f"the template names a field {named!r} that the type lacks", nearest(named, kind.fields))
            for field in fields:
                for filter in set(field.filters) - set(FILTERS):
                    self._problem(side.at(f"{filter}:"), f"unknown filter {filter!r} of {field.name!r}", nearest(filter, FILTERS))
            hides = kind.occlusion[0] if kind.occlusion else kind.main
            if kind.kind == "cloze" and not any(field.name == hides and "cloze" in field.filters for field in fields):
                self._problem(side.at(""), f"the template of a cloze type lacks {{{{cloze:{hides}}}}}", "Anki makes no card without it")
            elif not fields:
                self._problem(side.at(""), "the template names no field", f"{{{{Name}}}} shows one; {nearest('', kind.fields)}")
        if len(self.problems) > before:
            return
        written = {kind.heading, kind.main, *kind.sections}
        if not any(field.name in written for field in shown(tree(front.text))):
            hint = f"show one of {', '.join(sorted(written - {''}))}"
            self._problem(front.at(""), f"the front of {name!r} shows nothing that an author writes", hint)


class _Side(NamedTuple):
    """A template: its path as shown, its file's text, and what that renders to."""

    path: str
    source: str
    text: str

    def at(self, text: str) -> Place:
        return _place(self.path, self.source, text)


# The one script of a card: Anki's own, of its note type for the occlusion of pictures, without which it shows nothing.
OCCLUSION = re.compile(r"<script>\s*try \{\s*anki\.imageOcclusion\.setup\(\);\s*\} catch \(exc\) \{[^{}<>]*(?:<br>)*\$\{exc\}`;\s*\}\s*</script>")


def _place(path: str, source: str, text: str) -> Place:
    """Where a text stands in a file, its first line where it does not."""
    return Place(path, source.count("\n", 0, max(source.find(text), 0)) + 1)


def _finished(kind: NoteType) -> NoteType:
    """The type with what follows from its templates: what the fronts show and want typed, and its shape."""
    asked, typed = dict[str, None](), dict[str, None]()
    for template in kind.templates:
        for field in shown(tree(template.front)):
            name = HEADING if field.name == kind.heading else field.name
            if "type" in field.filters and "cloze" not in field.filters:
                typed[name] = None
            elif "cloze" not in field.filters and name not in (*BUILT, *ANKIS_OWN):
                asked[name] = None
    fronts = [template.front for template in kind.templates]
    about = kind._replace(name="", id=0, css="", fields=dict.fromkeys(kind.fields, 0), templates=())  # which no field and no card depends on
    shape = hashlib.sha256(repr((about, fronts)).encode()).hexdigest()[:16]
    return kind._replace(asked=tuple(asked), typed=tuple(name for name in typed if name not in BUILT), shape=shape)


# ------------------------------------------------------------------------------------- fonts and pictures of a look

_IN_CSS = re.compile(r"/\*.*?\*/|(?P<import>@import\b)|\burl\(\s*(?:\"(?P<a>[^\"]*)\"|'(?P<b>[^']*)'|(?P<c>[^\s\"')]*))\s*\)", re.DOTALL | re.I)
_IN_HTML = re.compile(r"(?P<before>\bsrc\s*=\s*)(?:\"(?P<a>[^\"{}]*)\"|'(?P<b>[^'{}]*)'|(?P<c>[^\s\"'<>{}]+))", re.I)


class _Assets:
    """The files that a deck's style and templates show. Their names begin with _, as Anki keeps what only templates name, and hold a hash."""

    def __init__(self, folder: Path, problems: list[Problem]):
        self.folder, self.problems = folder, problems
        self.media: dict[str, bytes] = {}

    def in_css(self, css: str, path: str) -> str:
        before = len(self.problems)

        def packed(match: re.Match[str]) -> str:
            place = Place(path, css.count("\n", 0, match.start()) + 1)
            if match["import"]:
                self.problems.append(Problem(place, "the style sheet imports another one", "put its text here"))
            written = _first(match)
            return match[0] if written is None or written.startswith("#") else f'url("{self._name(written, place, (*IMAGES, *FONTS))}")'

        made = _IN_CSS.sub(packed, css)
        if len(self.problems) == before and (found := in_css(made)):
            line = 1 + css.count("\n", 0, max(css.find(found), 0))
            self.problems.append(Problem(Place(path, line), f"the style sheet holds {found}", "a card loads nothing but files of look/, by url()"))
        return made

    def in_html(self, text: str, path: str, source: str) -> str:
        def packed(match: re.Match[str]) -> str:
            written = _first(match) or ""
            return f'{match["before"]}"{self._name(written, _place(path, source, written), IMAGES)}"'

        return _IN_HTML.sub(packed, text)

    def _name(self, written: str, place: Place, suffixes: Collection[str]) -> str:
        """The name under which a file of the look is packed."""
        path = self.folder / written
        if re.match(r"[a-zA-Z][a-zA-Z0-9+.-]*:|[/\\]", written):
            self.problems.append(Problem(place, f"{written!r} is no file of look/", "a card loads nothing; keep a copy beside the style sheet"))
        elif path.suffix.lower() not in suffixes:
            self.problems.append(Problem(place, f"{written!r} is no file that every Anki shows", f"one of {', '.join(suffixes)}"))
        elif path.suffix.lower() in IMAGES and (wrong := media.problem(written, self.folder, self.folder)):
            self.problems.append(Problem(place, *wrong))
        elif not path.is_file() or not os.path.realpath(path).startswith(os.path.realpath(self.folder) + os.sep):
            near = nearest(written, [found.relative_to(self.folder).as_posix() for found in self.folder.rglob(f"*{path.suffix}")])
            self.problems.append(Problem(place, f"there is no file {written!r} in look/", near or "a path from look/"))
        else:
            content = path.read_bytes()
            stem = re.sub(r"[^a-z0-9]+", "-", path.stem.lower()).strip("-")[:80]
            name = f"_{stem}-{hashlib.sha256(content).hexdigest()[:8]}{path.suffix.lower()}"
            self.media[name] = content
            return name
        return written


def _first(match: re.Match[str]) -> str | None:
    return next((match[name] for name in ("a", "b", "c") if match[name] is not None), None)
