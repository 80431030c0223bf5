"""One file of cards at a time: what it came to before, if nothing that it depends on has changed, or what it comes to now.

In: a file of cards and what it is read under. Out: a Sheet, or the file's problems. A file that changed is read again; of its notes
only those are resolved and rendered whose text, numbers or pictures changed, and of their figures only those are drawn whose
results did. What the keys below forget is a stale card: `make clean` must never change what is built.
"""

from __future__ import annotations

import json
import marshal
import os
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from html import unescape
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from generator.keep.cache import Cache, key
from generator.keep.files import Files
from generator.keep.stamp import PACKAGE
from generator.look.notetypes import LOOK
from generator.notes import Claim, Entry, Judged, Note, Rendered, Resolved, Run, Sheet, Waiver, call
from generator.problems import Place, Problem
from generator.read.families import JOINT
from generator.read.folder import File, Frame, Source, read_file
from generator.read.html import links
from generator.resolve.names import plain, used
from kernels.home import Home

if TYPE_CHECKING:
    from generator.resolve.results import Store
    from kernels.anatomy import Part
    from kernels.results import Number, Result

END = "\x1f"  # Anki's own mark between fields


class Circumstances(NamedTuple):
    """What all files of a build share. code: the hash of our code and of the libraries under it; devices: the classes to quote;
    home: what the deck has of its own."""

    around: Frame
    devices: tuple[str, ...]
    roots: tuple[Path, ...]
    files: Files
    code: str
    home: Home
    shared: str = ""

    def of(self, source: Source) -> str:
        """All that the file's sheet depends on besides other files."""
        return f"{self.shared} {source.path} {source.deck}"

    def and_shared(self) -> Circumstances:
        """The same, with the hash of what all files depend on."""
        settings, topics = self.around.settings, self.around.topics or {}
        sizes = {id: (len(topic.questions), [claim.says for claim in topic.claims]) for id, topic in topics.items()}
        shapes = [kind.shape for kind in self.around.types.values()]
        about = [settings.name, settings.id, settings.tags, self.around.topics is None, sizes, shapes]
        roots = [(str(root), os.path.relpath(root)) for root in self.roots]  # a record is shown as it is seen from here
        kernels = [PACKAGE, self.home.kernels if self.home.kernels and self.home.kernels.is_dir() else None]
        return self._replace(shared=key("shared", self.code, list(map(str, kernels)), about, self.devices, roots))


class Kept(NamedTuple):
    """A sheet with what it depends on: `Circumstances.of` its file, and the hashes of the files that it reads."""

    under: str
    files: Mapping[str, str]
    sheet: Sheet


def code(files: Files, circumstances: Sequence[str]) -> str:
    """The hash of what makes sheets: our code, the note types as declared, the laboratory but for its library, Python and the libraries.

    Of the library it counts which names stand for two files, since such a name finds no kernel.
    """
    generator = LOOK.parent
    ours = sorted(name for name in files.stats if name.startswith(f"{generator}{os.sep}") and name.endswith((".py", "type.yml")))
    theirs = sorted(name for name in files.stats if os.path.dirname(name) == PACKAGE and name.endswith(".py"))
    kernels = Counter(os.path.basename(name) for name in files.stats.keys() - {*ours, *theirs} if name.endswith(".py"))
    twice = sorted(name for name, count in kernels.items() if count > 1)
    return key("code", [files.hash(name) for name in (*ours, *theirs)], twice, circumstances)


def kept(source: Source, under: Circumstances, cache: Cache, known: dict[str, Kept] | None = None) -> Sheet | None:
    """What the file came to before, if it is still that. known: what this process has decoded before, by path; it grows."""
    found = known.get(source.shown) if known else None
    if found and _stands(source, under, found.under, found.files):
        return found.sheet
    piece = cache.get(f"sheet:{source.shown}")
    if piece is None:
        return None
    head, _, rest = piece.partition(b"\n")
    depends = json.loads(head)
    if not _stands(source, under, **depends):
        return None
    sheet = _decoded(source.shown, rest)
    if known is not None:
        known[source.shown] = Kept(sheet=sheet, **depends)
    return sheet


def _stands(source: Source, circumstances: Circumstances, under: str, files: Mapping[str, str]) -> bool:
    return under == circumstances.of(source) and all(circumstances.files.hash(path) == content for path, content in files.items())


def made(source: Source, under: Circumstances, cache: Cache) -> tuple[Sheet, tuple[Problem, ...]]:
    """What the file comes to now, and its problems: of a file that has any, ids alone are to be had."""
    file = read_file(source, under.around)
    sheet, problems = (None, file.problems) if file.problems else _Maker(file, under, cache).sheet()
    if sheet is None or problems:
        return Sheet(source.shown, ids=file.ids, retired=dict(file.front.retired)), tuple(problems)
    head = {"under": under.of(source), "files": {path: under.files.hash(path) for path in sorted(_files(file, under))}}
    cache.put(f"sheet:{source.shown}", json.dumps(head).encode() + b"\n" + _encoded(sheet))
    return sheet, ()


def wanted(source: Source, under: Circumstances, cache: Cache) -> tuple[Sequence[Mapping[str, Any]], tuple[Problem, ...]]:
    """The runs of the file that a kernel has to execute, or the file's problems."""
    sheet = kept(source, under, cache)
    if sheet:
        return sheet.wanted, ()
    file = read_file(source, under.around)
    return ((), file.problems) if file.problems else (tuple(_Maker(file, under, cache).wanted()), ())


def texts(notes: Sequence[Entry], cache: Cache) -> Iterator[bytes]:
    """The fields of each note as Anki joins them, in UTF-8."""
    return (content[content.index(b"\x1f") + 1 :] for content in cache.needed([note.pieces[0] for note in notes]))


def live(sheets: Iterable[Sheet]) -> Iterator[str]:
    """The keys of all pieces that these sheets stand on."""
    for sheet in sheets:
        yield f"sheet:{sheet.path}"
        for entry in (*sheet.entries, *sheet.withheld):
            yield from entry.pieces
            yield from (f"media:{name}" for name in entry.media)


# --------------------------------------------------------------------------------------------- one file, now


class _Maker:
    """What the notes of one file share while they are made."""

    def __init__(self, file: File, under: Circumstances, cache: Cache):
        self.file, self.under, self.cache = file, under, cache
        self.problems: list[Problem] = []
        self.parts: list[str] = []  # the keys of the figures and the code of the note at hand

    @cached_property
    def store(self) -> Store:
        from generator.resolve.results import Store

        return Store(self.under.devices, self.under.roots)

    def sheet(self) -> tuple[Sheet, list[Problem]]:
        from generator.resolve.typed_numbers import typed_numbers
        from generator.show.report import facts, line_of, merged_runs

        file, notices = self.file, list[Problem]()
        deck_id = self.under.around.settings.id
        made = self._families(notices) if file.front.families else [one for note in file.notes if (one := self._note(note, notices))]
        entries = [_entry(rendered, pieces, deck_id) for rendered, pieces in made]
        told = [facts(rendered, entry.hash, self.under.roots) for (rendered, _), entry in zip(made, entries)]
        away = [rendered.resolved.withheld for rendered, _ in made]
        sheet = Sheet(
            path=file.source.shown,
            entries=tuple(entry for entry, withheld in zip(entries, away) if not withheld),
            withheld=tuple(entry for entry, withheld in zip(entries, away) if withheld),
            runs=tuple(merged_runs({**run, "notes": [one["id"]]} for one in told for run in one["runs"].values())),
            wanted=tuple(self.wanted()),
            ids=file.ids,
            retired=dict(file.front.retired),
            warnings=(*file.warnings, *(_rests(rendered) for rendered, _ in made if rendered.resolved.measured)),
            notices=tuple(notices),
            typed=tuple(problem for note in _written(file.notes) for problem in typed_numbers(note)),
            unsaid=tuple(dict.fromkeys(problem for rendered, _ in made for problem in rendered.resolved.unsaid)),
            facts="\n".join(line_of(one) for one, withheld in zip(told, away) if not withheld),
            waived=file.front.waived,
        )
        return sheet, [*self.problems, *self._broken()]

    def _families(self, notices: list[Problem]) -> list[tuple[Rendered, tuple[str, ...]]]:
        """The notes of a file that has families. What is wrong in some cases alone says in which."""
        made, asked, alike = [], dict[tuple[str, ...], Note](), list[Problem]()
        found: dict[str, list[tuple[Note, set[Problem]]]] = {}
        for note in self.file.notes:
            before = len(self.problems)
            one = self._note(note, notices)
            if one:
                made.append(one)
                front = tuple(one[0].fields.get(name, "") for name in note.asked)
                if note.family and (like := asked.setdefault((note.family, *front), note)) is not note:
                    message = f"the cases {_case(like)!r} and {_case(note)!r} of the family {note.family!r} ask the same"
                    alike.append(Problem(note.place, message, f"name on the front what differs, such as [[case.{next(iter(note.case))}]]"))
            if note.family:
                found.setdefault(note.family, []).append((note, set(self.problems[before:])))
                del self.problems[before:]
        for members in found.values():
            common = set.intersection(*(problems for _, problems in members))
            self.problems += common
            for note, problems in members:
                self.problems += [one._replace(message=f"in the case {_case(note)!r}: {one.message}") for one in problems - common]
        self.problems += alike
        return made

    def _broken(self) -> Iterator[Problem]:
        """A problem for each record of the file that is none, quoted or not: without it a card would say less, and nobody knew."""
        if not self.file.front.runs and not self.file.front.families:
            return
        from kernels.results import KernelError

        for run in _runs(self.file):
            for device in self._devices(run):
                try:
                    self.store.result(run, device)
                except KernelError as error:
                    yield Problem(run.place, str(error))

    def _note(self, note: Note, notices: list[Problem]) -> tuple[Rendered, tuple[str, ...]] | None:
        """The note as rendered before from the same text, numbers and pictures, or now; with the keys of its pieces."""
        before = len(self.problems)
        results = self._results(note)
        if len(self.problems) > before:
            return None
        piece = self._key(note, results)
        rendered = self._kept(note, results, piece, notices) or self._rendered(note, piece, notices)
        return rendered and (rendered, (piece, *self.parts))

    def _results(self, note: Note) -> Mapping[str, Result | None]:
        if not used(note):
            return {}
        from generator.resolve.results import results_for

        return results_for(note, self.store, self.problems).results

    def _key(self, note: Note, results: Mapping[str, Result | None]) -> str:
        text = {name: field.text for name, field in note.fields.items()}
        places = [claim.place for claim in note.claims]  # the notices of claims on one line cannot be told apart
        claims = [[*c._replace(place=places.index(c.place))] for c in note.claims]  # type: ignore[arg-type]
        seen = {alias: result and _seen(result) for alias, result in results.items()}
        whole = "\n".join((*text.values(), *_said(note.claims)))
        figures = set(_FIGURE.findall(whole))
        drawn = [self._drawing(result.kernel) for alias, result in results.items() if result and alias in figures]
        asked = [self.under.files.code_of_kernel(result.kernel) for result in results.values() if result and result.evaluated]
        shows = "![" in whole.replace("![[", "") or "sound:" in whole.lower()
        pictures = [(path, self.under.files.hash(path)) for path in self._pictures] if shows else []
        said = [text, claims, note.assumes]
        about = [note.id, self.under.around.types[note.type].shape, note.deck, note.tags, said, note.case]
        return key("note", self.under.code, about, seen, self._beside(note, results), drawn, asked, pictures)

    def _beside(self, note: Note, results: Mapping[str, Result | None]) -> list[Any]:
        """What other devices measured of the same, which a note shows too."""
        if not results:
            return []
        from kernels import remote

        runs = [run for alias, run in note.runs.items() if alias in results and remote.find(run.kernel).kind == "measurement"]
        found = [self.store.found(run, device) for run in runs for device in self.under.devices]
        return [one and _seen(one) for one in found]

    def _kept(self, note: Note, results: Mapping[str, Result | None], piece: str, notices: list[Problem]) -> Rendered | None:
        content = self.cache.get(piece)
        if content is None:
            return None
        head, *fields = content.decode().split(END)
        about = json.loads(head)
        media = {name: self.cache.get(f"media:{name}") for name in about["media"]}
        if None in media.values():
            return None
        self.parts = about["parts"]
        resolved = Resolved(
            note=note,
            fields={},
            results=results,
            claims=tuple(Judged(claim, *judged) for claim, judged in zip(note.claims, about["claims"])),
            expected=about["expected"],
            device=about["device"],
            waits=about["waits"],
            withheld=about["withheld"],
            measured=tuple(about["measured"]),
            values=_numbers(about["values"]),
            unsaid=tuple(Problem(note.fields[note.answer].place._replace(line=note.place.line + line), *rest) for line, *rest in about["unsaid"]),
            told=tuple(about["told"]),
        )
        notices += [Problem(note.claims[number].place, message, hint) for number, message, hint in about["notices"]]
        clozes = {int(number): text for number, text in about["clozes"].items()}
        html = dict(zip(self.under.around.types[note.type].fields, fields))
        return Rendered(note.id, note.type, note.deck, note.tags, html, media, tuple(about["cards"]), clozes, resolved)  # type: ignore[arg-type]

    def _rendered(self, note: Note, piece: str, notices: list[Problem]) -> Rendered | None:
        from generator.render.note import render

        told: list[Problem] = []
        self.parts = []
        resolved = plain(note) or self._resolved(note, told)
        rendered = resolved and render(resolved, self.under.around.types, self._figure, self.problems, self._code)
        if resolved is None or rendered is None:
            return None
        places = [claim.place for claim in note.claims]
        about = {
            "parts": self.parts,
            "media": {name: len(content) for name, content in rendered.media.items()},
            "cards": rendered.cards,
            "clozes": dict(rendered.clozes),
            "claims": [[judged.verdict, judged.shown, judged.factor] for judged in resolved.claims],
            "expected": resolved.expected,
            "device": resolved.device,
            "waits": dict(resolved.waits),
            "withheld": resolved.withheld,
            "measured": resolved.measured,
            "values": {reference: [number.value, number.unit] for reference, number in resolved.values.items()},
            "told": resolved.told,
            "unsaid": [[one.place.line - note.place.line, one.message, one.hint] for one in resolved.unsaid],
            "notices": [[places.index(one.place), one.message, one.hint] for one in told],
        }
        for name, content in rendered.media.items():
            self.cache.put(f"media:{name}", content)
        self.cache.put(piece, END.join([json.dumps(about, ensure_ascii=False), *rendered.fields.values()]).encode())
        notices += told
        return rendered

    def _resolved(self, note: Note, told: list[Problem]) -> Resolved | None:
        from generator.resolve.beside import beside
        from generator.resolve.note import resolve
        from generator.resolve.results import results_for

        resolved = resolve(note, results_for(note, self.store, []).find, self.problems, told)
        return resolved and resolved._replace(beside=beside(note, self.store))

    def _figure(self, result: Result, measured: Result | None = None, without: str = "", with_parts: bool = False) -> Any:
        from generator.render.figures import Figure, figure

        def drawn() -> bytes:
            made = figure(result, measured, without, with_parts)
            return json.dumps({**made._asdict(), "light": made.light.decode(), "dark": made.dark.decode()}, ensure_ascii=False).encode()

        of = [_seen(result), measured and _seen(measured), without, with_parts]
        about = json.loads(self._part(key("figure", self.under.code, of, self._drawing(result.kernel)), drawn))
        return Figure(**{**about, "light": about["light"].encode(), "dark": about["dark"].encode(), "parts": _parts(about["parts"])})

    def _code(self, code: str, language: str) -> str:
        from generator.render.highlight import in_colour

        return self._part(key("code", self.under.code, code, language), lambda: in_colour(code, language).encode()).decode()

    def _part(self, name: str, make: Callable[[], bytes]) -> bytes:
        self.parts.append(name)
        return self.cache.kept(name, make)

    def _drawing(self, kernel: str) -> list[str]:
        """The hashes of the code that a kernel's figure is drawn by."""
        return [self.under.files.hash(path) for path in self.under.files.of_kernel(kernel)]

    @cached_property
    def _pictures(self) -> list[str]:
        return _reach(self.file, self.under)

    def wanted(self) -> Iterator[Mapping[str, Any]]:
        if not self.file.front.runs and not self.file.front.families:
            return
        from generator.resolve.wanted import entry

        for run in _runs(self.file):
            if on := self._devices(run):
                found = [self.store.found(run, device) for device in on]
                yield entry(run, any(result is not None and not result.stale for result in found))

    def _devices(self, run: Run) -> Sequence[str | None]:
        """The devices on which a record of the run counts, None for that of any; none of a run that is evaluated."""
        from kernels import remote

        kernel = remote.find(run.kernel)
        return () if kernel.evaluated else self.under.devices if kernel.kind == "measurement" else (None,)


def _parts(found: Sequence[Any]) -> Sequence[Part]:
    """A figure's parts as they were before they were kept."""
    if not found:
        return ()
    from kernels.anatomy import Part

    return tuple(Part(kind, name, text, tuple(box)) for kind, name, text, box in found)


def _case(note: Note) -> str:
    return note.id.removeprefix(f"{note.family}{JOINT}")


def _written(notes: Iterable[Note]) -> Iterable[Note]:
    """The notes as they stand in their file, where those of a family are one."""
    return {note.family or note.id: note for note in notes}.values()


def _runs(file: File) -> Iterable[Run]:
    """The runs that the file's notes have; one that all of them override is none of them."""
    if not file.front.families:
        return file.front.runs.values()
    own = {id(note.runs[alias]): note.runs[alias] for note in file.notes for alias in used(note)}
    named = {run.alias for run in own.values()}
    return [*own.values(), *(run for alias, run in file.front.runs.items() if alias not in named)]


_FIGURE = re.compile(r"!\[\[\s*(\w+)")


def _said(claims: Iterable[Claim]) -> Iterator[str]:
    """The texts of claims that a card shows."""
    for claim in claims:
        yield from (claim.says, *(claim.under or ())[:1], *(claim.decided or ()), *(part for threshold in claim.thresholds for part in threshold))


def _numbers(values: Mapping[str, Sequence[Any]]) -> Mapping[str, Number]:
    if not values:
        return {}
    from kernels.results import Number

    return {reference: Number(*number) for reference, number in values.items()}


def _seen(result: Result) -> list[Any]:
    """All of a result that a note can show."""
    made = result.made
    where = [made.get(name) for name in ("device", "device_class", "cores", "threads")]
    return [result.kernel, result.kind, result.parameters, result.outputs, result.ends, *where]


def _rests(note: Rendered) -> Problem:
    """A note's warning that its first answer, or what it asks, is measured."""
    runs, place = note.resolved.note.runs, note.resolved.note.place
    on = ", ".join(f"{alias} ({runs[alias].kernel})" for alias in note.resolved.measured)
    return Problem(place, f"the note {note.id!r} rests on a measurement, {on}: where it is not recorded, no learner gets the note", RESTS)


RESTS = "let what is computed answer, and the measurement follow in a paragraph of its own"


def _entry(note: Rendered, pieces: tuple[str, ...], deck_id: int) -> Entry:
    from generator.pack.lock import guid_of, hash_of
    from generator.pack.package import ids_of
    from generator.show.report import verdict_of

    guid = note.resolved.note.guid or guid_of(deck_id, note.id)
    return Entry(
        id=note.id,
        type=note.type,
        deck=note.deck,
        tags=note.tags,
        cards=note.cards,
        clozes=note.clozes,
        media={name: len(content) for name, content in note.media.items()},
        answers=note.resolved.note.answers,
        claims=tuple((judged.claim.source, verdict_of(judged)) for judged in note.resolved.claims),
        hash=hash_of(note),
        guid=guid,
        ids=ids_of(guid, note.cards),
        told=note.resolved.told,
        waits={call(note.resolved.note.runs[alias]): blocks for alias, blocks in note.resolved.waits.items()},
        review_by=note.resolved.note.review_by,
        place=note.resolved.note.place,
        pieces=pieces,
    )


# --------------------------------------------------------------------------------- the files that a sheet depends on


def _files(file: File, under: Circumstances) -> Iterator[str]:
    yield str(file.source.path)
    yield from _reach(file, under)
    if file.front.runs or file.front.families:
        for run in _runs(file):
            yield from map(str, under.files.of_kernel(run.kernel))
            yield from map(str, _records(run, under))


def _reach(file: File, under: Circumstances) -> list[str]:
    """Where media of a file may lie, and twins for dark cards: whether a file is there or not, the notes depend on it."""
    found = set()
    images = {*file.images, *(image.path for said in _said(file.front.claims) for image in links(said, said)[1])}
    for written in {path for image in images for path in (image, unescape(image).strip())}:
        for folder in (file.source.path.parent, under.around.cards / "media"):
            path = folder / written
            found |= {os.path.normpath(path), os.path.normpath(path.with_name(f"{path.stem}.dark{path.suffix}"))} if path.name else set()
    return sorted(found)


def _records(run: Run, under: Circumstances) -> Iterator[Path]:
    from kernels import remote
    from kernels.record import path_of

    kernel = remote.find(run.kernel)
    if not kernel.evaluated:
        for root in under.roots:
            for device in under.devices if kernel.kind == "measurement" else (None,):
                yield path_of(kernel, run.parameters, device, root)


# -------------------------------------------------------------------------------------------- a sheet as bytes


def _encoded(sheet: Sheet) -> bytes:
    return marshal.dumps(_bare(sheet._replace(path="")))  # loads in a third of the time that JSON takes; read by the same Python only


def _bare(value: Any) -> Any:
    """The value in Python's own types, which are all that marshal takes."""
    if isinstance(value, Mapping):
        return {name: _bare(inside) for name, inside in value.items()}
    if isinstance(value, (tuple, list)):
        return tuple(map(_bare, value))
    return value


def _decoded(path: str, content: bytes) -> Sheet:
    plain = Sheet(*marshal.loads(content))
    return plain._replace(
        path=path,
        entries=_entries(plain.entries),
        withheld=_entries(plain.withheld),
        ids=tuple((id, Place(*place)) for id, place in plain.ids),
        retired={id: (reason, Place(*place)) for id, (reason, place) in plain.retired.items()},
        warnings=_problems(plain.warnings),
        notices=_problems(plain.notices),
        typed=_problems(plain.typed),
        unsaid=_problems(plain.unsaid),
        waived=tuple(Waiver(note, rule, Place(*place)) for note, rule, place in plain.waived),
    )


def _entries(plain: Iterable[Any]) -> tuple[Entry, ...]:
    return tuple(Entry._make((*rest, Place(*place), pieces)) for *rest, place, pieces in plain)


def _problems(plain: Iterable[Any]) -> tuple[Problem, ...]:
    return tuple(Problem(Place(*place), message, hint) for place, message, hint in plain)
