"""Families: a note that is asked of several cases, each of which becomes a note of its own.

In: `families:` of a front matter, the file's runs as they are written, and the texts of its notes. Out: Families, whose cases hold their runs,
bound with what the case gives in place of what stands there, and what `[[case.key]]` says.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from typing import Any, NamedTuple

from generator.notes import FAMILY, Run
from generator.problems import Place, Problem, nearest
from generator.read import yaml
from generator.read.runs import Written, bound, unnameable

KEYS = {
    "runs": "the runs whose parameters the cases give; without it, all that the note names",
    "for": "case -> what it gives, parameters of runs and words; or a list of such mappings, each named by its first value",
}
JOINT = "--"
LONGEST = 64  # characters of an id
SLUG = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")
SLUG_RULE = "small letters and digits, with hyphens between"
SHAPE = "for: {CASE: {PARAMETER: VALUE}}"


class Case(NamedTuple):
    """values: by key, a value and its unit; of what is no parameter of a run, the text as it was written. runs: those that it overrides."""

    name: str
    values: Mapping[str, tuple[Any, str]]
    runs: Mapping[str, Run]
    place: Place


class Family(NamedTuple):
    """runs: the names of those whose parameters its cases give."""

    id: str
    cases: tuple[Case, ...]
    runs: tuple[str, ...]
    place: Place

    @property
    def tag(self) -> str:
        return f"{FAMILY}{self.id}"

    @property
    def members(self) -> Iterator[tuple[str, Case]]:
        """The ids of its notes, with their cases."""
        return ((f"{self.id}{JOINT}{case.name}", case) for case in self.cases)


def families(
    node: yaml.Node, runs: Mapping[str, Written], texts: Mapping[str, str], ids: Collection[str] | None, problems: list[Problem]
) -> dict[str, Family]:
    """The families by their ids. texts: of the sound notes of the file; ids: of all of them, None where one is not known."""
    found = {}
    if "case" in runs:
        problems.append(Problem(runs["case"].place, "a run is called 'case', which is what a family's cases are called", "choose another name"))
    for id, entry in yaml.mapping(node, "families", problems).items():
        if ids is not None and id not in ids:
            problems.append(Problem(entry.place, f"families names a note {id!r} that this file does not hold", nearest(id, ids)))
        given = yaml.mapping(entry, f"the family {id!r}", problems, KEYS, ("for",), like=SHAPE)
        text, before = texts.get(id), len(problems)
        targets = _targets(given["runs"], id, runs, text, problems) if "runs" in given else ()
        text = None if len(problems) > before else text  # of which runs it is about, nothing is known
        targets = targets or tuple(alias for alias in runs if text is not None and alias in names(text))
        cases = [_case(id, name, case, {alias: runs[alias] for alias in targets}, text, problems) for name, case in _cases(given, id, problems)]
        _refuse_alike(cases, problems)
        found[id] = Family(id, tuple(cases), targets, entry.place)
    return found


_INSIDE = re.compile(r"\[\[(.*?)\]\]")


def names(text: str) -> set[str]:
    """The names that a text's references hold."""
    return set(re.findall(r"(?<![\w.])[^\W\d]\w*", " ".join(_INSIDE.findall(text))))


def _targets(node: yaml.Node, id: str, runs: Mapping[str, Written], text: str | None, problems: list[Problem]) -> tuple[str, ...]:
    found, named = [], runs.keys() if text is None else runs.keys() & names(text)
    for item in yaml.sequence(node, f"the runs of the family {id!r}", problems):
        alias = yaml.string(item, "the name of a run", problems)
        if alias and alias not in named:
            where, known = ("which its note does not", named) if alias in runs else ("which does not stand here", runs)
            problems.append(Problem(item.place, f"the family {id!r} names the run {alias!r}, {where}", nearest(alias, known)))
        elif alias:
            found.append(alias)
    return tuple(dict.fromkeys(found))


# ------------------------------------------------------------------------------------------------------ cases


def _cases(given: Mapping[str, yaml.Node], id: str, problems: list[Problem]) -> Iterator[tuple[str, yaml.Node]]:
    """The cases with their names, each name once and such that it ends an id."""
    node = given.get("for")
    if node is None:
        return
    if not isinstance(node.value, (dict, tuple)) or not node.value:
        problems.append(Problem(node.place, f"the family {id!r} has no case", f"write {SHAPE}"))
        return
    listed, first = isinstance(node.value, tuple), dict[str, Place]()
    for name, case in _listed(node.value, id, problems) if isinstance(node.value, tuple) else node.value.items():
        if not SLUG.fullmatch(name):
            slug = "-".join(re.findall(r"[a-z0-9]+", name.lower())) or "a-name"
            hint = f"{SLUG_RULE}: {slug}" + (f"; its first value names a case of a list: write a mapping, {{{slug}: {{...}}}}" if listed else "")
            problems.append(Problem(case.place, f"the case {name!r} of the family {id!r} cannot end an id", hint))
        elif name in first:
            problems.append(Problem(case.place, f"the family {id!r} has two cases {name!r}", f"the first is on line {first[name].line}"))
        elif len(whole := f"{id}{JOINT}{name}") > LONGEST:
            problems.append(Problem(case.place, f"the id {whole!r} has {len(whole)} characters", f"an id has at most {LONGEST}"))
        else:
            first[name] = case.place
            yield name, case


def _listed(items: tuple[yaml.Node, ...], id: str, problems: list[Problem]) -> Iterator[tuple[str, yaml.Node]]:
    for item in items:
        if not isinstance(item.value, dict) or not item.value:
            problems.append(Problem(item.place, f"a case of the family {id!r} must be a mapping, but is {yaml.kind(item)}", f"write {SHAPE}"))
            continue
        head = next(iter(item.value.values()))
        if name := yaml.string(head, f"the first value of a case of the family {id!r}", problems):
            yield name, item


def _case(id: str, name: str, node: yaml.Node, runs: Mapping[str, Written], text: str | None, problems: list[Problem]) -> Case:
    """runs: those whose parameters it may give. text: of its note, None where that is not sound."""
    given = yaml.mapping(node, f"the case {name!r} of the family {id!r}", problems, like="{parameter: value}")
    takers = {key: [alias for alias, run in runs.items() if key in run.kernel.parameters] for key in given}
    read = set(re.findall(r"(?<![\w.])case\.(\w+)", " ".join(_INSIDE.findall(text or ""))))
    known = {parameter for run in runs.values() for parameter in run.kernel.parameters}
    before = len(problems)
    for key, value in given.items():
        if hint := unnameable(key):
            problems.append(Problem(value.place, f"the key {key!r} of the case {name!r} cannot be named in an expression", hint))
        elif text is not None and not takers[key] and key not in read:
            told = f"the case {name!r} of the family {id!r} gives {key!r}, which no run of its note takes and [[case.{key}]] nowhere shows"
            problems.append(Problem(value.place, told, nearest(key, known | read)))
    if len(problems) == before and runs and not any(takers.values()):
        several = " and ".join(runs)
        hint = nearest(next(iter(given), ""), known)
        problems.append(Problem(node.place, f"the case {name!r} of the family {id!r} overrides nothing of {several}", hint))
    elif len(problems) == before and not given:
        problems.append(Problem(node.place, f"the case {name!r} of the family {id!r} gives nothing", "write {key: value}"))
    with_own = {}
    for alias, run in runs.items():
        own = {key: value for key, value in given.items() if alias in takers[key]}
        if made := bound(run._replace(given={**run.given, **own}, place=node.place), problems, problems):
            with_own[alias] = made
    texts = {key: yaml.string(value, f"{key!r} of the case {name!r}", problems) for key, value in given.items()}
    return Case(name, {key: _value(key, texts[key], takers[key], runs, with_own) for key in given}, with_own, node.place)


def _value(key: str, text: str, takers: list[str], runs: Mapping[str, Written], made: Mapping[str, Run]) -> tuple[Any, str]:
    alias = next((alias for alias in takers if alias in made), None)
    return (text, "") if alias is None else (made[alias].parameters[key], runs[alias].kernel.parameters[key].bound.unit)


def _refuse_alike(cases: list[Case], problems: list[Problem]) -> None:
    first: list[Case] = []
    for case in cases:
        like = next((one for one in first if one.values == case.values), None)
        if like and case.values:
            problems.append(Problem(case.place, f"the cases {like.name!r} and {case.name!r} give the same", "take one of them away"))
        first.append(case)
