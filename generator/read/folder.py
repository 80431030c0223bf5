"""The folder of cards: what stands around them (`frame`), one file of them (`read_file`), or all of it at once (`read`).

deckfile.py       deck.yml and sources.yml
frontmatter.py    what stands between --- and ---
body.py           headings, sections, text
"""

from __future__ import annotations

import os
import re
import unicodedata
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

from generator.gate import characters
from generator.gate.files import text_of, unreadable
from generator.look.notetypes import HEADING, NoteType
from generator.notes import Deck, Note, Topic, folded
from generator.problems import DeckError, Place, Problem, nearest
from generator.read import deckfile, frontmatter, yaml
from generator.read.body import Body, Draft, Scope, body
from generator.read.deckfile import Settings
from generator.read.frontmatter import FrontMatter, Known
from generator.read.looks import Look, look_of
from kernels import home
from kernels.files import is_there
from kernels.home import Home

MOST = 200  # problems shown of one file; what is past them comes of one cause
WIDEST = 400  # characters of a message; longer ones quote what should never have been so long
Topics = Mapping[str, Topic] | None  # None: sources.yml is broken
Types = Mapping[str, NoteType]


class Source(NamedTuple):
    """A file of cards: where it lies, how a person sees its path, the names of its folder ("" where it lies in none), its topic and its deck."""

    path: Path
    shown: str
    folder: str
    topic: str
    deck: str


class Frame(NamedTuple):
    """What stands in the folder around the files of cards: settings, topics (None: broken), note types, and the files in reading order."""

    cards: Path
    shown: str
    settings: Settings
    topics: Mapping[str, Topic] | None
    types: Mapping[str, NoteType]
    sources: tuple[Source, ...]
    problems: tuple[Problem, ...]
    warnings: tuple[Problem, ...]

    def deck(self, notes: Sequence[Note] = (), retired: Mapping[str, str] = MappingProxyType({}), warnings: Sequence[Problem] = ()) -> Deck:
        settings = self.settings
        return Deck(
            name=settings.name,
            id=settings.id,
            slug=settings.slug,
            version=settings.version,
            source=settings.source,
            description=settings.description,
            devices=settings.devices,
            subdecks={source.folder: source.deck.removeprefix(f"{settings.name}::") for source in self.sources if source.folder},
            tags=settings.tags or (),
            notes=tuple(notes),
            retired=retired,
            topics=self.topics or {},
            warnings=tuple(sorted([*self.warnings, *warnings])),
            root=self.cards,
            media={name: size for kind in self.types.values() for name, size in kind.media.items()},
        )


class File(NamedTuple):
    """A file of cards, read. notes: the sound ones; ids: of all of them, with their places. images: the paths that it names."""

    source: Source
    notes: tuple[Note, ...] = ()
    ids: tuple[tuple[str, Place], ...] = ()
    front: FrontMatter = FrontMatter()
    images: tuple[str, ...] = ()
    problems: tuple[Problem, ...] = ()
    warnings: tuple[Problem, ...] = ()


def read(cards: Path) -> Deck:
    """The deck in the folder `cards`, its notes in reading order: subdecks and topics as deck.yml lists them, notes as they stand.

    Raises DeckError with every problem of every file. Places begin with `cards` as it was given, or with its path from
    the current directory where that is above it.
    """
    around = frame(cards)
    files = [read_file(source, around) for source in around.sources]
    problems = [*around.problems, *(problem for file in files for problem in file.problems)]
    problems += check_ids({file.source.shown: (file.ids, file.front.retired) for file in files})
    if problems:
        raise DeckError(limited(problems))
    retired = {id: reason for file in files for id, (reason, _) in file.front.retired.items()}
    return around.deck([note for file in files for note in file.notes], retired, [warning for file in files for warning in file.warnings])


def frame(
    cards: Path,
    types_of: Callable[[Path, str, Settings], tuple[Types, Sequence[Problem]]] | None = None,
    topics_of: Callable[[str, str], tuple[Topics, list[Problem]]] | None = None,
) -> Frame:
    """What stands in the folder around the cards.

    types_of, topics_of: the types of `look_in`, and `topics_in`, but for what they may remember of what was read before.

    Raises DeckError where there is no folder, and where its look is broken.
    """
    shown = _shown(cards)
    if wrong := characters.unwanted(shown):
        raise DeckError([Problem(Place(shown), f"the path holds {characters.named(wrong[0])}", "rename its folders; a name is UTF-8")])
    if not cards.is_dir():
        raise DeckError([Problem(Place(shown), "there is no such folder of cards", "deck.yml and the cards' folders stand in it")])
    problems: list[Problem] = []
    warnings: list[Problem] = []
    settings = _settings(cards, shown, problems)
    topics = _topics(cards, shown, problems, topics_of or topics_in)
    sources = _sources(cards, shown, settings, problems, warnings)
    types, faults = (types_of or _types)(cards, shown, settings)
    if faults:  # of a note type that is broken, no note could be judged
        raise DeckError(limited([*problems, *faults]))
    return Frame(cards, shown, settings, topics, types, tuple(sources), tuple(problems), tuple(warnings))


# ----------------------------------------------------------------------------------------- files and folders


def _shown(path: Path) -> str:
    here = Path.cwd()
    return (path.relative_to(here) if path.is_absolute() and here in path.parents else path).as_posix()


def _settings(cards: Path, shown: str, problems: list[Problem]) -> Settings:
    if not is_there(cards / "deck.yml"):
        hint = "rename deck.yaml" if (cards / "deck.yaml").exists() else "it names the deck; cards/README.md shows one"
        problems.append(Problem(Place(f"{shown}/deck.yml"), "there is no deck.yml", hint))
        return Settings()
    text = text_of(cards / "deck.yml", f"{shown}/deck.yml", problems)
    settings = Settings() if text is None else deckfile.settings(text, f"{shown}/deck.yml", problems)
    kernels = cards / (settings.kernels or home.KERNELS)
    if home.in_the_way(kernels):
        problems.append(Problem(Place(_shown(Path(os.path.normpath(kernels / home.INIT)))), f"this {home.IN_THE_WAY}", "delete it"))
    return settings


def home_at(cards: Path) -> Home:
    """What a deck has of its own. Raises DeckError where deck.yml says nothing that can be understood."""
    from kernels.results import KernelError

    try:
        return home.home_of(cards)
    except KernelError as error:
        said = [line.removeprefix(f"{cards / home.DECK}").lstrip(": ") for line in str(error).split("\n")]
        raise DeckError([Problem(Place(f"{_shown(cards)}/{home.DECK}"), one) for one in said]) from error


def _topics(cards: Path, shown: str, problems: list[Problem], topics_of: Callable[[str, str], tuple[Topics, list[Problem]]]) -> Topics:
    if not is_there(cards / "sources.yml"):
        return {}
    text = text_of(cards / "sources.yml", f"{shown}/sources.yml", problems)
    if text is None:
        return None
    topics, found = topics_of(text, f"{shown}/sources.yml")
    problems += found
    return topics


def topics_in(text: str, path: str) -> tuple[Topics, list[Problem]]:
    """The topics of a sources.yml, and what is wrong with it."""
    problems: list[Problem] = []
    return deckfile.topics(text, path, problems), problems


def look_in(cards: Path, shown: str, settings: Settings) -> tuple[Look, list[Problem]]:
    """The look of a deck, with what is wrong with it."""
    own = cards / "look"
    return look_of(settings.name, settings.id, own if own.is_dir() else None, f"{shown}/look", replaced=settings.look == "own")


def _types(cards: Path, shown: str, settings: Settings) -> tuple[Types, Sequence[Problem]]:
    look, problems = look_in(cards, shown, settings)
    return look.types, problems


def _sources(cards: Path, shown: str, settings: Settings, problems: list[Problem], warnings: list[Problem]) -> list[Source]:
    """All files of cards, in reading order; what lies where no card belongs is a problem."""
    folders, found = settings.folders, dict[str, list[Source]]()
    loose = _files(cards, shown, "", settings.name, problems)
    if folders is not None:
        hint = "move it into a folder that deck.yml lists"
        problems += [Problem(Place(source.shown), "a file of cards outside the subdecks' folders", hint) for source in loose]
        loose = []
    for lies, is_folder in _entries(cards, shown, problems):
        if not is_folder or lies in deckfile.APART:
            continue
        name = unicodedata.normalize("NFC", lies)  # as deck.yml is read
        subdeck = folders[name].name if folders and name in folders else name
        inside = _files(cards / lies, f"{shown}/{lies}", name, f"{settings.name}::{subdeck}", problems)
        if name in found:
            problems.append(Problem(Place(f"{shown}/{lies}"), f"two folders are called {name!r}", "they differ in how its letters are composed"))
        if inside and (wrong := characters.unwanted(lies)):
            problems.append(Problem(Place(f"{shown}/{lies}"), f"the folder's name holds {characters.named(wrong[0])}", "rename it; a name is UTF-8"))
            inside = []
        found[name] = inside
        if folders is None and found[name] and "::" in name:
            problems.append(Problem(Place(f"{shown}/{name}"), f"the folder {name!r} cannot name a subdeck", ":: parts the names of decks"))
        if folders is not None and name not in folders:
            hint = nearest(name, folders) or "list it under subdecks: of deck.yml"
            problems.append(Problem(Place(f"{shown}/{name}"), f"the folder {name!r} is no subdeck of deck.yml", hint))
    problems += _alike(found, shown)
    ordered = loose
    for folder, entry in (folders or {}).items():
        if folder not in found:
            problems.append(Problem(entry.place, f"the subdeck {folder!r} has no folder {shown}/{folder}", nearest(folder, found)))
        here = {source.topic: source for source in found.pop(folder, ())}
        for topic, place in (entry.topics or {}).items():
            if topic in here:
                ordered.append(here.pop(topic))
            else:
                hint = f"write {topic[:-3]}, without .md" if topic.endswith(".md") else nearest(topic, here)
                problems.append(Problem(place, f"the topic {topic!r} has no file {shown}/{folder}/{topic}.md", hint))
        for source in here.values() if entry.topics is not None else ():
            hint = f"list it under {folder}: of deck.yml"
            warnings.append(Problem(Place(source.shown), f"the topic {source.topic!r} is not listed and comes last", hint))
        ordered += here.values()
    return ordered + [source for sources in found.values() for source in sources]


def _alike(found: Mapping[str, Sequence[Source]], shown: str) -> Iterator[Problem]:
    """A problem for each folder whose deck is another one's to Anki, which tells no small letters from capitals."""
    first: dict[str, str] = {}
    for name, sources in found.items():
        if sources and (other := first.setdefault(sources[0].deck.casefold(), name)) != name:
            hint = f"Anki takes it for that of the folder {other!r}"
            yield Problem(Place(f"{shown}/{name}"), f"the name of the deck {sources[0].deck!r} is taken", hint)


def _files(folder: Path, shown: str, name: str, deck: str, problems: list[Problem]) -> list[Source]:
    """The files of cards in the folder of this name; "" stands for the one that holds the others."""
    sources = []
    for file, is_folder in _entries(folder, shown, problems):
        place, topic = Place(f"{shown}/{file}"), file.removesuffix(".md")
        if is_folder and _is_card(file):
            problems.append(Problem(place, "this is a folder and no file", "give it a name without .md"))
        elif is_folder:
            if name and any(_is_card(inner) for _, _, names in os.walk(folder / file) for inner in names):
                problems.append(Problem(place, "cards lie two folders deep", "a subdeck is one folder; move its files up"))
        elif not _is_card(file) or (file == "README.md" and not name):
            continue
        elif topic == file or not deckfile.NAME.fullmatch(topic):
            problems.append(Problem(place, f"{file!r} cannot name a topic", "small letters, digits and hyphens, then .md"))
        elif not os.path.isfile(f"{folder}{os.sep}{file}"):
            problems.append(Problem(place, "this is no file that can be read", "a broken link?"))
        else:
            sources.append(Source(folder / file, place.path, name, topic, deck))
    return sources


def _entries(folder: Path, shown: str, problems: list[Problem]) -> list[tuple[str, bool]]:
    """(name, whether it is a folder) of what is not hidden, sorted. A link to a folder counts as one; one that loops does not."""
    try:
        with os.scandir(folder) as entries:
            found = [entry for entry in entries if not entry.name.startswith(".")]
            return sorted((entry.name, os.path.isdir(entry.path) if entry.is_symlink() else entry.is_dir()) for entry in found)
    except OSError as error:
        problems.append(unreadable(error, shown))
        return []


def _is_card(name: str) -> bool:
    """Whether a file is meant to hold cards; an editor's #backup.md# and backup.md~ are not."""
    return name.lower().endswith((".md", ".markdown")) and not name.startswith((".", "#", "~"))


# ------------------------------------------------------------------------------------------------- one file

_CLOSING = re.compile(r"^---[ \t]*$", re.MULTILINE)


def read_file(source: Source, around: Frame) -> File:
    """One file of cards, judged by itself. Of one that has a problem, no note is sound."""
    problems: list[Problem] = []
    warnings: list[Problem] = []
    text = text_of(source.path, source.shown, problems)
    if text is not None and not text.strip():
        problems.append(Problem(Place(source.shown), "the file is empty", "write a note, # its question {#id}, or delete the file"))
    split = None if text is None or problems else _split(text, source, problems)
    if split is None:
        return File(source, problems=tuple(problems))
    matter, rest, first_line = split
    entries = frontmatter.loaded(matter, source.shown, 2, problems) if matter else {}
    found = body(rest, Scope(source.shown, first_line, source.path.parent, around.cards, around.types, _aliases(entries)), problems, warnings)
    known = Known(around.settings.tags, around.topics)
    texts = {draft.id: "\n".join(field.text for field in draft.fields.values()) for draft in found.drafts if "families" in (entries or ())}
    ids = {id for id, _ in found.ids} if found.named else None
    front = frontmatter.front_matter(entries, ids, known, problems, texts) if entries else FrontMatter()
    if found.empty and not front.retired:
        problems.append(Problem(Place(source.shown, first_line), "the file holds no note", "a note begins with # its question {#id}"))
    _warn_of_unused(front, found, around.types, warnings)
    notes = () if problems else tuple(note for draft in found.drafts for note in _notes(draft, source, front, around.types[draft.type]))
    taken = (*found.ids, *((id, case.place) for family in front.families.values() for id, case in family.members))
    return File(source, notes, taken, front, found.images, tuple(problems), tuple(warnings))


def _aliases(entries: Mapping[str, yaml.Node] | None) -> Collection[str] | None:
    """The names of the runs, sound or not; None where they cannot be known."""
    if entries is None or "runs" not in entries:
        return None if entries is None else ()
    runs = entries["runs"].value
    return runs if isinstance(runs, dict) else None


def _split(text: str, source: Source, problems: list[Problem]) -> tuple[str, str, int] | None:
    """The front matter, what follows it, and the line on which that begins; None where the front matter does not close."""
    opening = _CLOSING.match(text)
    if opening is None:
        return "", text, 1
    closing = _CLOSING.search(text, opening.end())
    if closing is None:
        problems.append(Problem(Place(source.shown), "the front matter is not closed", "close it with --- on a line of its own"))
        return None
    matter = text[opening.end() + 1 : closing.start()]
    return matter, text[closing.end() + 1 :], matter.count("\n") + 3


def _warn_of_unused(front: FrontMatter, found: Body, types: Types, warnings: list[Problem]) -> None:
    expressions = " ".join(part for claim in front.claims for part in (claim.computed, claim.holds, claim.says, *(claim.under or ())) if part)
    for alias, run in front.runs.items():
        if alias not in found.aliases and not re.search(rf"\b{re.escape(alias)}\b", expressions):
            warnings.append(Problem(run.place, f"the run {alias!r} is used by no note", "take it away, or cite it"))
    asked = " ".join(said for draft in found.drafts for said in _fronts(draft, types[draft.type], front))
    for name, several in front.assumes.items():
        named = front.runs.get(name.partition(".")[0])
        for words in several if named else ():
            if named and folded(words) not in folded(asked):
                warnings.append(Problem(named.place, f"{words!r}, assumed to say {name}, stands on no front", "take it away, or say it there"))


def _fronts(draft: Draft, kind: NoteType, front: FrontMatter) -> Iterator[str]:
    """What the note asks; of a family, with the words of each case."""
    asked = " ".join(draft.fields[name].text for name in (HEADING, *kind.asked) if name in draft.fields)
    if draft.id not in front.families:
        yield asked
        return
    for case in front.families[draft.id].cases:
        yield _SAID.sub(lambda match, values=case.values: str(values.get(match[1], ("",))[0]), asked)  # type: ignore[misc]


_SAID = re.compile(r"\[\[\s*case\.(\w+)[^\[\]\n]*\]\]")


# ------------------------------------------------------------------------------------------------- the deck


def check_ids(files: Mapping[str, tuple[Iterable[tuple[str, Place]], Mapping[str, tuple[str, Place]]]]) -> list[Problem]:
    """What is wrong between files. files: by path, the ids of the notes with their places, and the retired ones with reason and place."""
    problems: list[Problem] = []
    first: dict[str, Place] = {}
    for ids, _ in files.values():
        for id, place in ids:
            if id in first:
                problems.append(Problem(place, f"the id {id!r} is taken", f"by the note at {first[id]}"))
            first.setdefault(id, place)
    retired: dict[str, Place] = {}
    for _, gone in files.values():
        for id, (_, place) in gone.items():
            if id in retired:
                problems.append(Problem(place, f"the id {id!r} is retired twice", f"first at {retired[id]}"))
            elif id in first and first[id].path != place.path:
                problems.append(Problem(place, f"the note {id!r} is retired and yet stands at {first[id]}", "take the note away, or the line"))
            retired.setdefault(id, place)
    return problems


def _notes(draft: Draft, source: Source, front: FrontMatter, kind: NoteType) -> Iterator[Note]:
    """The note; of a family, one for each case."""
    note, family = _note(draft, source, front, kind), front.families.get(draft.id)
    if family is None:
        yield note
        return
    for id, case in family.members:
        yield note._replace(
            id=id,
            tags=tuple(dict.fromkeys((*note.tags, *front.tagged.get(id, ()), family.tag))),
            runs={**note.runs, **case.runs},
            claims=tuple(claim for claim in front.claims if claim.note == id),
            answers=tuple(dict.fromkeys((*note.answers, *front.answers.get(id, ())))),
            guid=front.guids.get(id, ""),
            family=family.id,
            case=case.values,
        )


def _note(draft: Draft, source: Source, front: FrontMatter, kind: NoteType) -> Note:
    return Note(
        id=draft.id,
        type=draft.type,
        deck=source.deck,
        topic=source.topic,
        tags=tuple(dict.fromkeys((*front.tags, *front.tagged.get(draft.id, ())))),
        fields=draft.fields,
        runs=front.runs,
        claims=tuple(claim for claim in front.claims if claim.note == draft.id),
        answers=front.answers.get(draft.id, ()),
        place=draft.place,
        directory=source.path.parent,
        assumes=front.assumes,
        asked=kind.asked,
        answer=kind.answer,
        guid=front.guids.get(draft.id, ""),
    )


def limited(problems: Iterable[Problem]) -> list[Problem]:
    """The problems, with those of one file past the first MOST only counted, and quotations of endless names cut."""
    by_path: dict[str, list[Problem]] = {}
    for problem in sorted(problems, key=lambda p: (p.place.path, p.place.line, p.message)):
        found = by_path.setdefault(problem.place.path, [])
        if not found or found[-1] != problem:
            found.append(problem)
    kept: list[Problem] = []
    for found in by_path.values():
        kept += [p if len(p.message) <= WIDEST else p._replace(message=f"{p.message[:WIDEST]}...") for p in found[:MOST]]
        if len(found) > MOST:
            kept.append(Problem(found[MOST].place, f"{len(found) - MOST} more problems from here on in this file", "mend the first ones"))
    return kept
