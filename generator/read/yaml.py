"""YAML with places: every value knows the line that it stands on, so that every problem can name it.

In: a text and where it begins. Out: a tree of Nodes in the YAML 1.2 core schema (`70e9` is a number, `no` is text). Apart,
because PyYAML's own loaders follow YAML 1.1, let duplicate keys pass and forget the lines.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from typing import Any, NamedTuple

from generator.gate import characters
from generator.problems import DeckError, Place, Problem, nearest

DEEPEST = 16  # levels of nesting; cards need four
LONGEST_NUMBER = 400  # digits; Python refuses to read integers of some thousand


class Node(NamedTuple):
    """A value: None, bool, int, float or str; a tuple of Nodes; or a dict of Nodes by their keys' text.

    place: the line of its key in a mapping, else its own line. raw: a scalar as it was written (quotes taken off).
    """

    value: Any
    place: Place
    raw: str = ""

    @property
    def plain(self) -> Any:
        """The value without places: scalars, lists and dicts."""
        if isinstance(self.value, dict):
            return {key: node.plain for key, node in self.value.items()}
        return [node.plain for node in self.value] if isinstance(self.value, tuple) else self.value


def load(text: str, place_path: str, first_line: int = 1) -> Node:
    """The document in `text`, whose first line is line `first_line` of the file. Empty text gives a Node of None.

    Raises DeckError: broken syntax, tabs for indentation, duplicate keys, and what has no use here (anchors, tags, several documents).
    """
    import yaml

    problems = [Problem(Place(place_path, first_line + number), "a tab in YAML's indentation", "indent with spaces") for number in _tabs(text)]
    if problems:
        raise DeckError(problems)
    builder = _Builder(place_path, first_line)
    try:
        root = builder.document(yaml.parse(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader)))
    except yaml.MarkedYAMLError as error:
        raise DeckError([*builder.problems, _broken(error, place_path, first_line, text.rstrip())]) from None
    except yaml.reader.ReaderError as error:  # what the gate lets through and YAML does not
        place = Place(place_path, first_line + text.count("\n", 0, error.position))
        raise DeckError([Problem(place, f"YAML cannot hold the character U+{ord(text[error.position]):04X}", "delete it")]) from None
    if builder.problems:
        raise DeckError(builder.problems)
    return root


# --------------------------------------------------------------------------------- what callers expect of a value


def mapping(
    node: Node, what: str, problems: list[Problem], known: Collection[str] = (), required: Collection[str] = (), like: str = "key: value"
) -> Mapping[str, Node]:
    """The entries of a mapping, only the known ones where `known` is given; of nothing at all, none. like: what is to be written."""
    if node.value is None:
        node = Node({}, node.place)
    if not isinstance(node.value, dict):
        problems.append(Problem(node.place, f"{what} must be a mapping, but is {kind(node)}", f"write {like}"))
        return {}
    glued = [key for key in node.value if ":" in key and node.value[key].value is None]  # {kernel:name}, whose key is all of it
    for key in glued if known or required else ():
        problems.append(Problem(node.value[key].place, f"{key!r} is no key with a value", f"a space follows the colon: {key.replace(':', ': ', 1)}"))
    if glued and (known or required):
        return {}
    if known:
        for key, entry in node.value.items():
            if key not in known:
                problems.append(Problem(entry.place, f"unknown key {key!r} in {what}", nearest(key, known)))
    problems.extend(Problem(node.place, f"{what} lacks the key {key!r}", f"add {key}:") for key in required if key not in node.value)
    return {key: entry for key, entry in node.value.items() if not known or key in known}


def sequence(node: Node, what: str, problems: list[Problem], like: str = "[one, two], or a line with - for each") -> tuple[Node, ...]:
    """The items of a list. Nothing at all counts as an empty list."""
    if node.value is None:
        return ()
    if not isinstance(node.value, tuple):
        problems.append(Problem(node.place, f"{what} must be a list, but is {kind(node)}", f"write {like}"))
        return ()
    return node.value


def string(node: Node | None, what: str, problems: list[Problem], default: str = "") -> str:
    """A scalar as it was written, numbers too; it must not be empty. A missing one gives the default."""
    if node is None:
        return default
    if isinstance(node.value, (dict, tuple)) or not node.raw.strip() or node.value is None:
        problems.append(
            Problem(node.place, f"{what} must be text, but is {kind(node)}", "" if node.value is None else "put it in quotes if it holds : or [")
        )
        return default
    return node.raw.strip()


def kind(node: Node) -> str:
    """The sort of a value, for messages."""
    if isinstance(node.value, (dict, tuple)):
        return "a mapping" if isinstance(node.value, dict) else "a list"
    return "empty" if node.value is None or not node.raw.strip() else f"{node.raw!r}"


# ------------------------------------------------------------------------------------------------- from events to nodes


class _Builder:
    """Makes Nodes of libyaml's events. It keeps its own stack, so that no nesting exhausts Python's."""

    def __init__(self, path: str, first_line: int):
        self.path, self.first_line = path, first_line
        self.problems: list[Problem] = []

    def document(self, events: Iterator[Any]) -> Node:
        import yaml

        root = Node(None, Place(self.path, self.first_line))
        stack: list[_Open] = []
        documents = 0
        for event in events:
            if isinstance(event, yaml.ScalarEvent):
                node = self._scalar(event)
            elif isinstance(event, (yaml.MappingStartEvent, yaml.SequenceStartEvent)):
                self._refuse(event)
                if len(stack) >= DEEPEST:
                    self._problem(event, f"YAML nested deeper than {DEEPEST} levels", "flatten it")
                    return root
                stack.append(_Open(isinstance(event, yaml.MappingStartEvent), self._place(event)))
                continue
            elif isinstance(event, (yaml.MappingEndEvent, yaml.SequenceEndEvent)):
                node = stack.pop().node()
            elif isinstance(event, yaml.AliasEvent):
                self._problem(event, f"a YAML alias *{event.anchor} has no use here", "write the value out")
                node = Node(None, self._place(event), raw="*")
            else:
                documents += isinstance(event, yaml.DocumentStartEvent)
                if documents > 1:
                    self._problem(event, "a second YAML document", "take the line --- away")
                    return root
                continue
            if stack:
                stack[-1].add(node, self.problems)
            else:
                root = node
        return root

    def _scalar(self, event: Any) -> Node:
        if event.anchor or event.tag:
            self._refuse(event)
        if event.style == '"' and (found := characters.unwanted(event.value)):
            self._problem(event, f"an escape makes {characters.named(found[0])}", "delete it")
        value = _resolved(event.value) if event.implicit[0] else event.value
        return Node(value, self._place(event), event.value)

    def _refuse(self, event: Any) -> None:
        if event.anchor:
            self._problem(event, f"a YAML anchor &{event.anchor} has no use here", "write the value out where it is needed")
        if event.tag:
            self._problem(event, f"a YAML tag {event.tag} has no use here", "quote text that begins with !")

    def _problem(self, event: Any, message: str, hint: str) -> None:
        self.problems.append(Problem(self._place(event), message, hint))

    def _place(self, event: Any) -> Place:
        return Place(self.path, self.first_line + event.start_mark.line)


class _Open:
    """A mapping or a list whose end has not come yet."""

    def __init__(self, is_mapping: bool, place: Place):
        self.is_mapping, self.place = is_mapping, place
        self.items: list[Node] = []
        self.entries: dict[str, Node] = {}
        self.key: Node | None = None

    def add(self, node: Node, problems: list[Problem]) -> None:
        if not self.is_mapping:
            self.items.append(node)
        elif self.key is None:
            if isinstance(node.value, (dict, tuple)):
                problems.append(Problem(node.place, f"a key must be text, but is {kind(node)}", "put it in quotes if it holds { or ["))
            self.key = node
        else:
            key, self.key = self.key, None
            first = self.entries.get(key.raw)
            if first is not None:
                problems.append(Problem(key.place, f"the key {key.raw!r} stands twice", f"the first is on line {first.place.line}"))
                return
            self.entries[key.raw] = Node(node.value, key.place, node.raw)

    def node(self) -> Node:
        return Node(self.entries if self.is_mapping else tuple(self.items), self.place)


_WORDS = {"": None, "~": None} | {
    form: value for word, value in (("null", None), ("true", True), ("false", False)) for form in (word, word.title(), word.upper())
}
_NUMBERS = (
    (re.compile(r"[-+]?[0-9]+"), int),
    (re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?"), float),
    (re.compile(r"0o[0-7]+"), lambda raw: int(raw, 0)),
    (re.compile(r"0x[0-9a-fA-F]+"), lambda raw: int(raw, 0)),
    (re.compile(r"[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)"), lambda raw: float(raw.replace(".", ""))),
)


def _resolved(raw: str) -> Any:
    """The value of an unquoted scalar in the YAML 1.2 core schema."""
    if raw in _WORDS:
        return _WORDS[raw]
    if raw[0] in "0123456789+-." and len(raw) <= LONGEST_NUMBER:
        for pattern, number in _NUMBERS:
            if pattern.fullmatch(raw):
                return number(raw)
    return raw


def _tabs(text: str) -> list[int]:
    return (
        [number for number, line in enumerate(text.split("\n")) if line[:1] in " \t" and "\t" in line[: len(line) - len(line.lstrip())]]
        if "\t" in text
        else []
    )


def _broken(error: Any, path: str, first_line: int, text: str) -> Problem:
    unclosed = error.problem is not None and "unexpected end of stream" in error.problem
    mark = (error.context_mark if unclosed else error.problem_mark) or error.problem_mark or error.context_mark
    context = f" {error.context}" if error.context else ""
    problem = error.problem or "it cannot be read"
    lines = text.split("\n")
    line = min(mark.line if mark else 0, len(lines) - 1)
    return Problem(Place(path, first_line + line), f"broken YAML: {problem}{context}", _advice(problem, lines[max(line - 1, 0) : line + 1]))


def _advice(problem: str, lines: list[str]) -> str:
    """What to write. lines: the one that is broken, and the one above it."""
    if any(re.match(r"\s*[\w-]+:[^\s:/]", line) for line in lines):
        return "a space follows the colon behind a key"
    if any(re.search(r"[\[,]\s*#", line) for line in lines):
        return "# begins a comment: leave it away, or put the word in quotes"
    if "mapping values are not allowed" in problem:
        return "put text that holds a colon in quotes"
    if "cannot start any token" in problem:
        return "put text that begins with this character in quotes"
    if "could not find expected ':'" in problem or "did not find expected key" in problem:
        return "each line is key: value, indented like its neighbours"
    return "quotes and brackets must close, and neighbours be indented alike"
