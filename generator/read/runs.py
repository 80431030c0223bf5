"""The runs of a file of cards: kernels with their parameters, bound to what the kernels declare.

In: `runs:` of a front matter. Out: each run as it is written, and bound. Apart from frontmatter.py, since the cases of a family bind them again.
"""

from __future__ import annotations

import keyword
from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple

from generator.notes import JINJA_WORDS, Run
from generator.problems import Problem
from generator.read import yaml

if TYPE_CHECKING:
    from generator.problems import Place
    from kernels.declare import Kernel


class Written(NamedTuple):
    """A run as it stands, whose kernel is there. given: the parameters, with their places."""

    alias: str
    kernel: Kernel
    given: Mapping[str, yaml.Node]
    place: Place


def written(node: yaml.Node, problems: list[Problem]) -> dict[str, Written]:
    """The runs by their names."""
    found = {}
    for alias, entry in yaml.mapping(node, "runs", problems).items():
        if wrong := unnameable(alias):
            message = "cannot be named in an expression" if wrong == NAMES else "bears a reserved word"
            problems.append(Problem(entry.place, f"the run {alias!r} {message}", wrong))
        like = f"{{kernel: {entry.raw or 'its name'}}}, with its parameters behind commas"
        given = yaml.mapping(entry, f"the run {alias!r}", problems, required=("kernel",), like=like)
        name = yaml.string(given.get("kernel"), "kernel", problems)
        if not name:
            continue
        kernel = _kernel(name)
        if isinstance(kernel, str):
            unlike = kernel.startswith("unknown kernel") and "(" not in kernel and name.isidentifier()
            hint = f"a kernel has the name of its file: {name}.py; python -m kernels list has all of them" if unlike else ""
            problems.append(Problem(given["kernel"].place, kernel, hint))
            continue
        found[alias] = Written(alias, kernel, {key: value for key, value in given.items() if key != "kernel"}, entry.place)
    return found


NAMES = "letters, digits and _, a letter first"


def unnameable(name: str) -> str:
    """What to do about a name that no expression can hold; "" where it is one."""
    if not name.isidentifier() or name.startswith("_"):
        return NAMES
    return "choose another name" if name in JINJA_WORDS or keyword.iskeyword(name) else ""


def _kernel(name: str) -> Kernel | str:
    """The kernel, or what is wrong with its name."""
    from kernels import remote

    try:
        return remote.find(name)
    except remote.KernelError as error:
        return str(error)


def bound(run: Written, problems: list[Problem], lacking: list[Problem]) -> Run | None:
    """The run with all of its parameters, or None with a problem for each that does not fit; lacking: takes those that are not given."""
    from dataclasses import replace

    from kernels.results import KernelError

    kernel, given = run.kernel, run.given
    try:
        return Run(run.alias, kernel.name, kernel.bind({name: node.value for name, node in given.items()}), run.place)
    except KernelError:
        pass  # it names the first fault only: each parameter is asked for by itself
    for name, node in given.items():
        if node.value is None or isinstance(node.value, (dict, tuple)):
            problems.append(Problem(node.place, f"the parameter {name!r} must be a single value, but is {yaml.kind(node)}"))
            continue
        alone = replace(kernel, parameters={name: kernel.parameters[name]}) if name in kernel.parameters else kernel
        try:
            alone.bind({name: node.value})
        except KernelError as error:
            problems.append(Problem(node.place, str(error)))
    misspelt = any(name not in kernel.parameters for name in given)
    for name, parameter in kernel.parameters.items():
        if parameter.required and name not in given and not misspelt:
            lacking.append(Problem(run.place, f"{kernel.name} needs a value for its parameter {name!r}", f"add {name}:"))
    return None
