"""What `kernels list` says: kernels in, text or plain data for JSON out; and the search for kernels by words."""

from __future__ import annotations

import itertools
import shutil
import textwrap
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from kernels import home
from kernels.catalogue import place_of
from kernels.declare import Kernel, Series
from kernels.parameters import Parameter

FEW = 8  # as many are shown whole


def matching(kernels: Iterable[Kernel], words: Sequence[str]) -> list[Kernel]:
    """The kernels in which every word occurs, whatever its case: in area, kind, name, summary, parameters with their choices, or outputs."""
    return [kernel for kernel in kernels if all(word.lower() in _searched(kernel) for word in words)]


def _searched(kernel: Kernel) -> str:
    choices = (str(choice) for parameter in kernel.parameters.values() for choice in parameter.choices)
    return "\n".join((kernel.area, kernel.kind, kernel.name, kernel.summary, *kernel.parameters, *choices, *kernel.outputs)).lower()


def by_area(kernels: Sequence[Kernel]) -> str:
    """Kernels under the names of their areas: a few whole, many with their summaries only."""
    show = whole if len(kernels) <= FEW else _brief
    groups = itertools.groupby(sorted(kernels, key=lambda k: (_shelf(k), k.name)), _shelf)
    blocks = [f"{shelf}\n\n" + ("\n" if show is _brief else "\n\n").join(map(show, group)) for shelf, group in groups]
    hint = [f"{len(kernels)} kernels; `list WORD ...` finds those with all the words, and shows up to {FEW} of them whole"] * (show is _brief)
    return "\n\n".join([*blocks, *hint])


def _shelf(kernel: Kernel) -> str:
    """Where it stands: its area; of the deck's own kernels the folder."""
    place = place_of(kernel.name)
    if home.own() and place and place.path.is_relative_to(home.own() or ""):
        return place.path.parent.relative_to(Path(home.own() or "").parent).as_posix()
    return kernel.area or "in no area"


def _brief(kernel: Kernel) -> str:
    width = shutil.get_terminal_size((1000, 24)).columns  # a pipe gets each summary on one line
    return f"{kernel.name}  ({_marks(kernel)})\n" + textwrap.fill(kernel.summary, width, initial_indent="  ", subsequent_indent="  ")


def whole(kernel: Kernel) -> str:
    """A kernel with its parameters and outputs."""
    width = max(map(len, (*kernel.parameters, *kernel.outputs)))
    needs = _needs(kernel)
    lines = [f"{kernel.name}  ({_marks(kernel)}{', needs ' * bool(needs)}{', '.join(needs)})", f"  {kernel.summary}"]
    for name, parameter in kernel.parameters.items():
        lines.append(f"  in   {name:{width}}  {allowed(parameter)}{'' if parameter.required else f' = {_text(parameter.default)}'}")
    for name, declared in kernel.outputs.items():
        unit = f"{declared.unit or 'number'} over {declared.x}" if isinstance(declared, Series) else declared or "number"
        unit += f", {kernel.bounds[name]} bound" if name in kernel.bounds else ""
        over = f" ({declared.x_unit})" if isinstance(declared, Series) and declared.x_unit else ""
        lines.append(f"  out  {name:{width}}  {unit}{over}")
    return "\n".join(lines)


def _marks(kernel: Kernel) -> str:
    return f"{kernel.kind}{f' of {kernel.draws} draws' * (kernel.draws > 1)}{', figure' * (kernel.has_figure)}"


def _needs(kernel: Kernel) -> list[str]:
    """What a run needs beyond Python: a closed form nothing, a simulation torch, a measurement a GPU too, or any device."""
    usual = [] if kernel.evaluated else ["a GPU", "torch"] if kernel.kind == "measurement" and kernel.demand.on == "gpu" else ["torch"]
    return [*usual, *(package for package in kernel.needs if package not in usual)]


def allowed(parameter: Parameter) -> str:
    """What a parameter may be: its choices, or its type with its range and unit."""
    if parameter.choices:
        return " | ".join(map(_text, parameter.choices)) + ", free" * bool(parameter.free)
    low, high = parameter.bound.low, parameter.bound.high
    free = f", free: {' or '.join(map(_text, parameter.free))}" * bool(parameter.free)
    limits = f" {low:g} to {high:g}" if low is not None and high is not None else ""
    return f"{parameter.type.__name__}{limits}{' ' * bool(parameter.bound.unit)}{parameter.bound.unit}{free}"


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def described(kernel: Kernel) -> Mapping[str, Any]:
    """A kernel as plain data."""
    return {
        "name": kernel.name,
        "area": kernel.area,
        "kind": kernel.kind,
        "summary": kernel.summary,
        "parameters": {name: _parameter(parameter) for name, parameter in kernel.parameters.items()},
        "outputs": {name: _described(kernel, name) for name in kernel.outputs},
        "needs": _needs(kernel),
        "tolerance": kernel.tolerance,
        "timeout": kernel.timeout,
        "draws": kernel.draws,
        "invariants": list(kernel.invariant_names),
        "figure": kernel.has_figure,
    }


def _described(kernel: Kernel, output: str) -> Mapping[str, Any]:
    declared = kernel.outputs[output]
    if isinstance(declared, Series):
        return vars(declared)
    return {"unit": declared, **({"bound": kernel.bounds[output]} if output in kernel.bounds else {})}


def _parameter(parameter: Parameter) -> Mapping[str, Any]:
    return {
        "type": parameter.type.__name__,
        "required": parameter.required,
        **({} if parameter.required else {"default": parameter.default}),
        **({"choices": list(parameter.choices)} if parameter.choices else {}),
        "unit": parameter.bound.unit,
        "low": parameter.bound.low,
        "high": parameter.bound.high,
        **({"free": list(parameter.free)} if parameter.free else {}),
    }
