"""The laboratory's command line: list, run, record, verify. Arguments in, text or JSON out, and an exit code.

0: all is well. 1: a run failed or a record differs. 2: what was asked for makes no sense. 130: stopped with Ctrl-C.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from kernels import lab, recording
from kernels.declare import Kernel, Parameter, Series, find, names, nearest
from kernels.progress import indented, reporting
from kernels.record import RECORDS, to_json
from kernels.results import Curve, KernelError, Number


def main(arguments: Sequence[str] | None = None) -> int:
    parser = _parser()
    asked, rest = parser.parse_known_args(arguments)
    if rest and (asked.command != "run" or any(word.startswith("-") for word in rest)):
        parser.error(f"unrecognized arguments: {' '.join(rest)}")
    if asked.command == "run":
        asked.assignments += rest  # argparse takes no more of them after an option
    try:
        code = asked.act(asked)
        sys.stdout.flush()
        return code
    except lab.RunError as error:
        _say(f"error: {error}", error.log)
        return 1
    except KernelError as error:
        _say(f"error: {error}")
        return 2
    except BrokenPipeError:  # `list | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except KeyboardInterrupt:
        _say("\nstopped; what is recorded stays")
        return 130


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m kernels", description="The laboratory: kernels that make every number and figure of the deck.")
    commands = parser.add_subparsers(dest="command", required=True)

    command = commands.add_parser("list", help="every kernel: kind, parameters and outputs with their units, what it needs")
    command.add_argument("names", nargs="*", metavar="NAME", help="only these kernels")
    command.add_argument("--json", action="store_true")
    command.set_defaults(act=_list)

    command = commands.add_parser("run", help="execute a kernel once and print its outputs in SI base units; writes no record")
    command.add_argument("name", metavar="NAME")
    command.add_argument("assignments", nargs="*", metavar="key=value", help="its parameters")
    command.add_argument("--json", action="store_true")
    command.set_defaults(act=_run)

    command = commands.add_parser("record", help="execute the wanted runs whose record is missing or stale")
    command.add_argument(
        "file", metavar="FILE", help="JSON objects, one run a line, as `python -m generator wanted` prints them; - is standard input"
    )
    command.add_argument("--fresh", action="store_true", help="execute all of them")
    command.add_argument("--device", default="this", help="measure only on a GPU of these classes (h100,h200); this: on whatever GPU is here")
    command.add_argument("--known", action="append", default=[], type=Path, metavar="DIR", help="a further folder whose fresh records count")
    command.set_defaults(act=_record)

    verify = commands.add_parser("verify", help="execute again what is recorded, compare, and write nothing")
    verify.add_argument("names", nargs="*", metavar="NAME", help="only the records of these kernels")
    verify.set_defaults(act=_verify)

    for one in (command, verify):
        one.add_argument("--records", default=RECORDS, type=Path, metavar="DIR", help="the folder of the records (kernels/records)")
    for name in ("run", "record", "verify"):
        commands.choices[name].add_argument("--timeout", type=_seconds, metavar="SECONDS", help="in place of each kernel's own limit")
    return parser


def _seconds(text: str) -> float:
    seconds = float(text)
    if not 0 < seconds < math.inf:
        raise ValueError
    return seconds


def _list(asked: argparse.Namespace) -> int:
    found, wrong = [], []
    for name in asked.names or names():
        try:
            found.append(find(name))
        except KernelError as error:
            wrong.append(str(error))
    if asked.json:
        print(json.dumps([_described(kernel) for kernel in found], indent=1))
    else:
        print("\n\n".join(map(_shown, found)))
    for message in wrong:
        _say(f"error: {message}")
    return 2 if wrong else 0


def _described(kernel: Kernel) -> dict[str, Any]:
    return {
        "name": kernel.name,
        "kind": kernel.kind,
        "summary": kernel.summary,
        "parameters": {name: _parameter(parameter) for name, parameter in kernel.parameters.items()},
        "outputs": {name: vars(unit) if isinstance(unit, Series) else {"unit": unit} for name, unit in kernel.outputs.items()},
        "needs": _needs(kernel),
        "tolerance": kernel.tolerance,
        "timeout": kernel.timeout,
        "figure": kernel.draw is not None,
    }


def _parameter(parameter: Parameter) -> dict[str, Any]:
    return {
        "type": parameter.type.__name__,
        "required": parameter.required,
        **({} if parameter.required else {"default": parameter.default}),
        **({"choices": list(parameter.choices)} if parameter.choices else {}),
        "unit": parameter.bound.unit,
        "low": parameter.bound.low,
        "high": parameter.bound.high,
    }


def _needs(kernel: Kernel) -> list[str]:
    """What a run needs beyond Python: a formula nothing, a simulation torch, a measurement a GPU too."""
    usual = {"formula": [], "simulation": ["torch"], "measurement": ["a GPU", "torch"]}[kernel.kind]
    return [*usual, *(package for package in kernel.needs if package not in usual)]


def _shown(kernel: Kernel) -> str:
    width = max(map(len, (*kernel.parameters, *kernel.outputs)))
    lines = [f"{kernel.name}  ({kernel.kind}{', needs ' * bool(_needs(kernel))}{', '.join(_needs(kernel))})", f"  {kernel.summary}"]
    for name, parameter in kernel.parameters.items():
        lines.append(f"  in   {name:{width}}  {_range(parameter)}{'' if parameter.required else f' = {_text(parameter.default)}'}")
    for name, declared in kernel.outputs.items():
        unit = f"{declared.unit or 'number'} over {declared.x}" if isinstance(declared, Series) else declared or "number"
        over = f" ({declared.x_unit})" if isinstance(declared, Series) and declared.x_unit else ""
        lines.append(f"  out  {name:{width}}  {unit}{over}")
    return "\n".join(lines)


def _range(parameter: Parameter) -> str:
    if parameter.choices:
        return " | ".join(map(_text, parameter.choices))
    low, high = parameter.bound.low, parameter.bound.high
    limits = (
        f" {low:g} to {high:g}"
        if low is not None and high is not None
        else f" from {low:g}"
        if low is not None
        else f" to {high:g}"
        if high is not None
        else ""
    )
    return f"{parameter.type.__name__}{limits}{' ' * bool(parameter.bound.unit)}{parameter.bound.unit}"


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _run(asked: argparse.Namespace) -> int:
    kernel = find(asked.name)
    parameters = kernel.bind(_parsed(kernel, asked.assignments))
    try:
        result = lab.run(kernel, parameters, timeout=asked.timeout)
    except lab.RunError:
        raise
    except KernelError as error:  # a formula refused what each parameter alone allows
        raise lab.RunError(str(error)) from error
    if asked.json:
        content = to_json(result, {})
        print(json.dumps({name: {**content["outputs"], **content["series"]}[name] for name in result.outputs}))
        return 0
    width = max(map(len, result.outputs))
    for name, output in result.outputs.items():
        print(f"{name:{width}}  {_number(output) if isinstance(output, Number) else _table(output)}")
    return 0


def _parsed(kernel: Kernel, assignments: Sequence[str]) -> dict[str, Any]:
    """The key=value words as parameters: each value read as its parameter's type, 70e9 as an integer too."""
    given: dict[str, Any] = {}
    for word in assignments:
        name, equals, text = word.partition("=")
        if not equals:
            raise KernelError(f"{word!r} is no parameter (write key=value)")
        if name in given:
            raise KernelError(f"the parameter {name!r} is given twice")
        if name not in kernel.parameters:
            raise KernelError(f"{kernel.name} has no parameter {name!r}{nearest(name, kernel.parameters)}")
        given[name] = _value(kernel.parameters[name], text)
    return given


def _value(parameter: Parameter, text: str) -> Any:
    """The text in the parameter's type, or unchanged, which binding then refuses with the right words."""
    if parameter.type is bool:
        return {"true": True, "false": False}.get(text.lower(), text)
    for read in (int, float) if parameter.type in (int, float) else ():
        try:
            return read(text)
        except ValueError:
            pass
    return text


def _number(number: Number) -> str:
    spread = "" if number.low is None or number.high is None else f"  (20 % to 80 %: {number.low:.6g} to {number.high:.6g})"
    value = f"{number.value:,}" if isinstance(number.value, int) else f"{number.value:.6g}"
    return f"{value} {number.unit}".rstrip() + spread


def _table(curve: Curve) -> str:
    head = "  ".join(f"{name:>12}" for name in (curve.x_name, *curve.lines))
    rows = zip(curve.x, *(curve.values(line) for line in curve.lines))
    body = ("  ".join(f"{'' if value is None else f'{value:.6g}':>12}" for value in row) for row in rows)
    return "\n".join([f"in {curve.unit or 'numbers'}", *(f"  {line}" for line in (head, *body))])


def _record(asked: argparse.Namespace) -> int:
    runs = _read(asked.file)
    with reporting() as report:
        outcome = recording.record_runs(
            runs, fresh=asked.fresh, device=asked.device, root=asked.records, known=asked.known, timeout=asked.timeout, report=report
        )
    return _summed_up(outcome, ("recorded", "kept", "fresh", "skipped", "failed"))


def _read(name: str) -> tuple[recording.Run, ...]:
    if name == "-":
        return recording.read_runs(sys.stdin, "standard input")
    try:
        with open(name, encoding="utf-8") as file:
            return recording.read_runs(file, name)
    except OSError as error:
        raise KernelError(f"{name} cannot be read: {error.strerror}") from error


def _verify(asked: argparse.Namespace) -> int:
    with reporting() as report:
        outcome = recording.verify(asked.names, root=asked.records, timeout=asked.timeout, report=report)
    for message in outcome.wrong:
        _say(f"error: {message}")
    for done in outcome.of("differs"):
        print(f"{done.run}", *done.message.split("\n"), sep="\n  ")
    return _summed_up(outcome, ("agrees", "differs", "skipped", "failed"))


def _summed_up(outcome: recording.Outcome, states: Sequence[recording.State]) -> int:
    counts = {state: len(outcome.of(state)) for state in states}
    print(", ".join(f"{count} {WORDS.get(state, state)}" for state, count in counts.items() if count) or "nothing to do")
    return 0 if outcome.good else 1


WORDS: Mapping[str, str] = {"kept": "made again with the values recorded", "agrees": "agree", "differs": "differ"}


def _say(message: str, log: str = "") -> None:
    print(f"{message}{indented(log)}", file=sys.stderr)


if __name__ == "__main__":
    sys.exit(main())
