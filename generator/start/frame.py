"""`new`: the frame of a note, with the kernel that is to make its numbers.

In: the folder of cards, FOLDER/TOPIC/ID, and what sort of note it is. Out: the topic's file with the frame at its end, or made. What the author
has yet to write is left empty, so that `check` asks for it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from generator.gate.files import text_of
from generator.look.notetypes import NoteType
from generator.pack import lock
from generator.pack.output import write
from generator.problems import DeckError, Place, Problem, nearest
from generator.read import yaml
from generator.read.deckfile import NAME
from generator.read.folder import Frame, frame, read_file
from generator.read.frontmatter import ID, ID_RULE
from kernels.files import is_there

if TYPE_CHECKING:
    from kernels.declare import Kernel

_MATTER = re.compile(r"---[ \t]*\n(.*?)^---[ \t]*$\n?", re.MULTILINE | re.DOTALL)


class Asked(NamedTuple):
    """A note as the command line names it; kernel is empty where no run belongs to it."""

    folder: str
    topic: str
    id: str
    type: str
    kernel: str


def new(cards: Path, locked: Path, target: str, type: str, kernel: str) -> str:
    """Writes the frame, and says where. locked: the lock, whose ids are taken for ever."""
    around = frame(cards)
    *folders, topic, id = ["", *target.split("/")]
    asked = Asked("/".join(folders[1:]), topic, id, type, kernel)
    path, problems = _file(around, asked)
    problems += _wrong(around, asked, locked)
    found = _kernel(kernel, cards, Place(path.as_posix()), problems) if kernel else None
    old = (text_of(path, path.as_posix(), problems) or "") if is_there(path) else ""
    if problems:
        raise DeckError(problems)
    text, alias = _with_run(old, path.as_posix(), found) if found else (old, "")
    head = text.rstrip() + "\n\n" if text.strip() else ""
    write(path, "".join([head, *_note(asked, around.types[type], found, alias)]).encode())
    return f"{path.as_posix()}:{head.count(chr(10)) + 1}: {id}\n"


def _file(around: Frame, asked: Asked) -> tuple[Path, list[Problem]]:
    """The topic's file, there or not: the one of that name, wherever it lies, where no folder is named."""
    known = [source for source in around.sources if source.topic == asked.topic and asked.folder in ("", source.folder)]
    path = known[0].path if len(known) == 1 else around.cards / asked.folder / f"{asked.topic}.md"
    if len(known) > 1:
        several = " and ".join(source.shown for source in known)
        return path, [Problem(Place(path.as_posix()), f"the topic {asked.topic!r} is {several}", "name it with its folder: FOLDER/TOPIC/ID")]
    malformed = [name for name in (*filter(None, [asked.folder]), asked.topic) if not NAME.fullmatch(name)]
    return path, [Problem(Place(path.as_posix()), f"{name!r} cannot name a topic", "small letters, digits and hyphens") for name in malformed]


def _wrong(around: Frame, asked: Asked, locked: Path) -> Iterator[Problem]:
    """What is wrong with the note that is asked for."""
    here = Place(around.shown)
    files = [read_file(source, around) for source in around.sources]
    taken = {id: f"by the note at {place}" for file in files for id, place in file.ids}
    taken |= {id: f"by a note that was retired at {place}" for file in files for id, (_, place) in file.front.retired.items()}
    taken |= {id: f"by a note that {locked.as_posix()} knows" for id in lock.load(locked, []).notes if id not in taken}
    if not ID.fullmatch(asked.id):
        yield Problem(here, f"the id {asked.id!r} is malformed", f"{ID_RULE}; write TOPIC/ID or FOLDER/TOPIC/ID")
    elif asked.id in taken:
        yield Problem(here, f"the id {asked.id!r} is taken", taken[asked.id])
    if asked.type not in around.types:
        yield Problem(here, f"unknown note type {asked.type!r}", nearest(asked.type, around.types))


def _kernel(name: str, cards: Path, place: Place, problems: list[Problem]) -> Kernel | None:
    """The kernel of that name, the deck's own or the library's; None where it cannot be had, which is a problem."""
    from kernels import home
    from kernels.remote import find
    from kernels.results import KernelError

    try:
        home.use(home.home_of(cards))
        return find(name)
    except KernelError as error:
        problems.append(Problem(place, str(error)))
        return None


# --------------------------------------------------------------------------------------------- the note


def _note(asked: Asked, note_type: NoteType, kernel: Kernel | None, alias: str) -> Iterator[str]:
    yield f"# {{#{asked.id}{f' .{asked.type}' * (asked.type != 'qa')}}}\n"
    names = [note_type.main, *(name for name in note_type.sections if name in note_type.required)]
    reference = _reference(kernel, alias) if kernel else ""
    held = "Answer" if "Answer" in names else names[0]
    part = {"sketch": "before: series", "occlusion": "hide: labels"}.get(asked.type, "")
    figure = f"![[{alias} | {part}]]" if part and kernel and kernel.has_figure else ""
    for name in names:
        yield "\n" if name == note_type.main else f"\n## {name}\n\n"
        shown = figure if figure and name == note_type.main else reference if name == held else ""
        yield f"{shown or f'<!-- {name} -->'}\n"
        if kernel and name == held:
            yield f"\n<!-- {alias} gives {', '.join(f'{output} ({_unit(declared)})' for output, declared in kernel.outputs.items())} -->\n"


def _reference(kernel: Kernel, alias: str) -> str:
    """A reference to what the kernel is about: its headline, else the first of its numbers."""
    numbers = [name for name, declared in kernel.outputs.items() if isinstance(declared, str)]
    output = kernel.demand.headline or (numbers[0] if numbers else "")
    unit = kernel.outputs.get(output)
    return f"[[{alias}.{output}{f' | {unit}' if unit else ''}]]" if output else ""


def _unit(declared: Any) -> str:
    return (declared or "number") if isinstance(declared, str) else f"{declared.unit or 'numbers'} over {declared.x}"


# ----------------------------------------------------------------------------------------- the front matter


def _with_run(text: str, path: str, kernel: Kernel) -> tuple[str, str]:
    """The file's text with one more run in its front matter, behind the others, and the run's name; what stands there stays as it is."""
    import yaml as pyyaml

    split = _MATTER.match(text)
    matter = split[1] if split else ""
    yaml.load(matter, path, 2)  # says what is broken, with its place
    root = pyyaml.compose(matter, Loader=pyyaml.SafeLoader)
    runs = next((value for key, value in root.value if key.value == "runs"), None) if root else None
    entries = runs.value if isinstance(runs, pyyaml.MappingNode) else []
    alias = _free(kernel.name, {key.value for key, _ in entries})
    lines = matter.splitlines(keepends=True)
    if runs is None:
        lines += ["runs:\n", *_entry(alias, kernel, "  ")]
    elif isinstance(runs, pyyaml.MappingNode) and runs.flow_style:
        end = runs.end_mark
        before, after = lines[end.line][: end.column - 1].rstrip(), lines[end.line][end.column - 1 :]
        lines[end.line] = f"{before}{', ' * bool(entries)}{alias}: {_flow(kernel)}{after}"
    elif entries:
        last = _end(entries[-1][1])
        lines[last:last] = _entry(alias, kernel, " " * entries[0][0].start_mark.column)
    else:
        lines[runs.start_mark.line + 1 : runs.start_mark.line + 1] = _entry(alias, kernel, "  ")
    rest = text[split.end() :] if split else text
    return f"---\n{''.join(lines)}---\n{rest if rest.startswith(chr(10)) or not rest else chr(10) + rest}", alias


def _end(node: Any) -> int:
    """The number of lines up to the end of a value, without the comments behind it."""
    if isinstance(node.value, list) and node.value and not node.flow_style:
        last = node.value[-1]
        return _end(last[1] if isinstance(last, tuple) else last)
    return node.end_mark.line + (node.end_mark.column > 0)


def _free(name: str, taken: Collection[str]) -> str:
    return name if name not in taken else next(f"{name}_{n}" for n in range(2, len(taken) + 3) if f"{name}_{n}" not in taken)


def _entry(alias: str, kernel: Kernel, indent: str) -> Iterator[str]:
    """A run on lines of its own, each parameter with what it may be; one that has no default is left for the author."""
    from kernels.listing import allowed

    yield f"{indent}{alias}:\n{indent}  kernel: {kernel.name}\n"
    for name, parameter in kernel.parameters.items():
        value = "" if parameter.required else f" {_scalar(parameter.default)}"
        yield f"{indent}  {name}:{value}  # {allowed(parameter)}\n"


def _flow(kernel: Kernel) -> str:
    given = [f"{name}: {'null' if p.required else _scalar(p.default)}" for name, p in kernel.parameters.items()]
    return f"{{{', '.join([f'kernel: {kernel.name}', *given])}}}"


def _scalar(value: Any) -> str:
    """A value as YAML 1.2 reads it back, in quotes where it would be something else."""
    if isinstance(value, bool):
        return str(value).lower()
    plain = not isinstance(value, str) or bool(re.fullmatch(r"[A-Za-z][\w. -]*", value)) and value.lower() not in ("true", "false", "null")
    return str(value) if plain else json.dumps(value, ensure_ascii=False)
