"""Results as files: their names, their JSON in git, and whether they still count.

In: a Kernel and parameters. Out: Results read from kernels/records, each fresh or stale with reasons.
Standard library only, so that the compiler can read records without torch.
"""

from __future__ import annotations

import hashlib
import json
import re
import string
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from kernels import files
from kernels.declare import Kernel
from kernels.key import SCHEMA, code_of, key_of
from kernels.parts import sweep, write
from kernels.results import Curve, End, KernelError, Number, Result

RECORDS = Path(__file__).parent / "records"  # of our own deck, in a checkout; where those of another deck lie, home.py says

PLAIN = frozenset(string.ascii_lowercase + string.digits + "._+-")  # in file names everywhere


def case_name(kernel: Kernel, parameters: Mapping[str, Any]) -> str:
    """The file name of a case: sorted parameters that differ from their defaults.

    Past 80 characters, or where a character would not survive every file system, it is shortened and ends in a hash.
    """
    differing = (n for n in sorted(parameters) if kernel.parameters[n].required or parameters[n] != kernel.parameters[n].default)
    parts = {n: _shown(parameters[n]) for n in differing}
    name = ",".join(f"{n}={value}" for n, value in parts.items()) or "default"
    if len(name) <= 80 and all(PLAIN.issuperset(n + value) for n, value in parts.items()):
        return name
    safe = "".join(c if c in PLAIN or c in "=," else "-" for c in name.lower())
    return f"{safe[:70].rstrip(',.-')}~{hashlib.sha256(name.encode()).hexdigest()[:8]}"


def path_of(kernel: Kernel, parameters: Mapping[str, Any], device_class: str | None, root: Path = RECORDS) -> Path:
    """Where the record of a case lies, or is to lie; measurements carry their device class ("h100") in the name."""
    if kernel.kind == "measurement" and not device_class:
        raise ValueError(f"a record of {kernel.name} is one device's: name its class")
    suffix = f"@{device_class}" if kernel.kind == "measurement" else ""
    return _folder(kernel, root) / f"{case_name(kernel, parameters)}{suffix}.json"


def _folder(kernel: Kernel, root: Path) -> Path:
    """The folder of a kernel's records: that of its area, unless it exists elsewhere, from before the kernel's file was moved."""
    home = root / kernel.area / kernel.name
    if home.is_dir():
        return home
    return next((folder for folder in (root / kernel.name, *sorted(root.glob(f"*/{kernel.name}"))) if folder.is_dir()), home)


def paths(root: Path = RECORDS) -> tuple[Path, ...]:
    """All record files below a folder, sorted."""
    return tuple(sorted(root.rglob("*.json")))


def _shown(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return f"{value:g}" if isinstance(value, float) and float(f"{value:g}") == value else str(value)


def load(kernel: Kernel, parameters: Mapping[str, Any], device_class: str | None, root: Path = RECORDS) -> Result | None:
    """The recorded Result of a case with its staleness, or None where there is no record.

    parameters: bound, as `kernel.bind` gives them. Raises KernelError for a file that is no record.
    """
    path = path_of(kernel, parameters, device_class, root)
    if not path.exists():
        return None
    data = read(path)
    result = from_json(data)
    declared = [name for name in kernel.outputs if name in result.outputs]  # a stale record may hold others
    outputs = {name: result.outputs[name] for name in dict.fromkeys((*declared, *result.outputs))}
    return replace(result, parameters=dict(parameters), outputs=outputs, stale=stale(data, kernel, parameters))


class NoRecord(KernelError):
    """What is no record, and the line at which it shows."""

    def __init__(self, message: str, line: int = 1) -> None:
        super().__init__(message)
        self.line = line


def read(path: Path) -> dict[str, Any]:
    """The content of a record file. Raises KernelError where it is not one (a merge conflict, a cut-off copy, a number written by hand)."""
    try:
        return parsed(files.read(path))
    except OSError as error:
        raise KernelError(f"{path} cannot be read: {error.strerror}") from error
    except NoRecord as error:
        raise KernelError(
            f"{path}:{error.line}: this is not a record as it was written: {error} (restore it from git, or run make records)"
        ) from error


def parsed(text: str | bytes) -> dict[str, Any]:
    """The content of a record's text. Raises NoRecord where that is none, or another one than its digest tells of.

    The one way in for records, wherever they come from: the shape of what passes is that of `to_json`, and its numbers are those of a run.
    """
    try:
        content = text.encode() if isinstance(text, str) else text
        data = json.loads(content)
        if not isinstance(data, dict) or "digest" not in data:
            raise NoRecord("it has no digest")
        digest = str(data.pop("digest"))
        if digest != _digest(digest, _without_digest(content)):
            _compare(data, digest, content)
        from_json(data)
        if not {"schema", "key", "code"} <= set(data):
            raise KeyError("schema, key, code")
    except json.JSONDecodeError as error:
        raise NoRecord(f"it is no JSON: {error.msg}", error.lineno) from error
    except RecursionError as error:
        raise NoRecord("it is nested too deep") from error
    except NoRecord:
        raise
    except (ValueError, KeyError, TypeError, AttributeError, IndexError) as error:
        raise NoRecord(f"{type(error).__name__} {error}") from error
    return data


def sealed(content: Mapping[str, Any]) -> dict[str, Any]:
    """A record's content with its digest: one of it all, as it is written, and one of each part, by which it is said what was changed."""
    content = {name: part for name, part in content.items() if name != "digest"}
    parts = " ".join(["", *(f"{name}:{_short(name, part)}" for name, part in content.items())])
    return {"digest": _digest(parts, _text(content).encode()), **content}


def _digest(digest: str, text: bytes) -> str:
    """A digest with its first word, that of the text and of what follows in it, made anew."""
    _, blank, parts = digest.partition(" ")
    return hashlib.sha256(parts.encode() + text).hexdigest()[:32] + blank + parts


def _short(name: str, part: Any) -> str:
    return hashlib.sha256(json.dumps([name, part]).encode()).hexdigest()[:8]


def _without_digest(content: bytes) -> bytes:
    """The text that the digest is of, where it was written as a file: all but its own line."""
    text = content.replace(b"\r\n", b"\n")
    return text[:2] + text[text.find(b"\n", 2) + 1 :] if text.startswith(b'{\n "digest": ') else b""


def _compare(data: Mapping[str, Any], digest: str, content: bytes) -> None:
    """Raises NoRecord unless the content is what the digest tells of, and was only laid out otherwise."""
    known = dict(part.partition(":")[::2] for part in digest.split(" ")[1:])
    wrong = [name for name in {**known, **data} if name not in data or _short(name, data[name]) != known.get(name)]
    if wrong:
        line = content[: max(content.find(f'"{wrong[0]}":'.encode()), 0)].count(b"\n") + 1
        raise NoRecord(f"its {' and '.join(wrong)} changed", line)
    if digest != _digest(digest, _text(data).encode()):
        raise NoRecord("its digest changed")


def stale(data: Mapping[str, Any], kernel: Kernel, parameters: Mapping[str, Any]) -> tuple[str, ...]:
    """Why a record's content does not count as that of a case now."""
    code, was = code_of(kernel.name), data["code"]
    reasons = [f"{name} changed" for name in code if name in was and was[name] != code[name]]
    reasons += [f"{name} is new" for name in code if name not in was] + [f"{name} is gone" for name in sorted(was) if name not in code]
    if data["parameters"] != dict(parameters):
        reasons.append("parameters or defaults changed")
    if data["schema"] != SCHEMA:
        reasons.append(f"record schema {data['schema']}, now {SCHEMA}")
    if not reasons and data["key"] != key_of(kernel.name, parameters, code):
        reasons.append("its key does not fit its content")
    return tuple(reasons)


def from_json(data: Mapping[str, Any]) -> Result:
    """The Result in a record's JSON, as `to_json` gave it."""
    made, draws = dict(data["made"]), data.get("draws", 1)
    ends = tuple(End(end["parameter"], end["value"], _outputs(end)) for end in data.get("ends", ()))
    return Result(
        data["kernel"], made["kind"], dict(data["parameters"]), _outputs(data), made, draws=draws, ends=ends, timings=tuple(data.get("timings", ()))
    )


def _outputs(data: Mapping[str, Any]) -> dict[str, Number | Curve]:
    outputs: dict[str, Number | Curve] = {}
    for name, number in data["outputs"].items():
        outputs[name] = Number(**{**number, "draws": tuple(number.get("draws", ()))})
    for name, curve in data["series"].items():
        lines = {line: _points(points, curve["unit"]) for line, points in curve["lines"].items()}
        outputs[name] = Curve(curve["x_name"], curve["x_unit"], curve["unit"], tuple(curve["x"]), lines)
    return outputs


def _points(columns: Mapping[str, list], unit: str) -> tuple[Number | None, ...]:
    """The points of a line; one whose draws all agree, or that has no spread, is exact."""
    nothing = [None] * len(columns["value"])
    low, high = columns.get("low", nothing), columns.get("high", nothing)
    drawn = zip(*columns["draws"]) if "draws" in columns else ((),) * len(nothing)
    points = zip(columns["value"], low, high, drawn)
    return tuple(None if v is None else Number(v, unit, at, to, draws if at is not None else ()) for v, at, to, draws in points)


def to_json(result: Result, code: Mapping[str, str]) -> dict[str, Any]:
    """A record's JSON: numbers under `outputs`, curves under `series` as columns, which diff and read well.

    Its order is the kernel's own, that of the lines of a curve too, since a figure draws them in it.
    """
    ends = [{"parameter": end.parameter, "value": end.value, **_split(end.outputs)} for end in result.ends]
    return {
        "schema": SCHEMA,
        "kernel": result.kernel,
        "parameters": dict(result.parameters),
        "key": key_of(result.kernel, result.parameters, code),
        "code": dict(code),
        **({"draws": result.draws} if result.draws > 1 else {}),
        **_split(result.outputs),
        **({"ends": ends} if ends else {}),
        **({"timings": list(result.timings)} if result.timings else {}),
        "made": dict(sorted(result.made.items())),
    }


def _split(made: Mapping[str, Number | Curve]) -> dict[str, Any]:
    outputs, series = {}, {}
    for name, output in made.items():
        if isinstance(output, Number):
            outputs[name] = {k: v for k, v in vars(output).items() if k in ("value", "unit") or v not in (None, "", ())}
        else:
            series[name] = {
                "x_name": output.x_name,
                "x_unit": output.x_unit,
                "unit": output.unit,
                "x": list(output.x),
                "lines": {line: _columns(points) for line, points in output.lines.items()},
            }
    return {"outputs": outputs, "series": series}


def _columns(points: tuple[Number | None, ...]) -> dict[str, list]:
    columns: dict[str, list] = {"value": [None if p is None else p.value for p in points]}
    if any(p is not None and p.low is not None for p in points):
        columns["low"] = [None if p is None else p.low for p in points]
        columns["high"] = [None if p is None else p.high for p in points]
    count = max((len(p.draws) for p in points if p is not None), default=0)
    if count:
        columns["draws"] = [[None if p is None else p.draws[n] if p.draws else p.value for p in points] for n in range(count)]
    return columns


def save(kernel: Kernel, result: Result, root: Path = RECORDS, code: Mapping[str, str] | None = None) -> Path:
    """Writes the record of a run, whole or not at all; returns its path.

    code: `code_of` the kernel as it was when the run began; left out, as it is now.
    """
    path = path_of(kernel, result.parameters, result.made.get("device_class"), root)
    sweep(path.parent)
    write(path, _text(sealed(to_json(result, code_of(kernel.name) if code is None else code))).encode())
    return path


_FLAT = re.compile(r"\[\n\s+([^\[\]{}\"]+?)\n\s+\]")


def _text(content: Mapping[str, Any]) -> str:
    """As indented JSON, with each list of numbers on a line of its own."""
    text = json.dumps(content, indent=1, allow_nan=False)
    return _FLAT.sub(lambda found: f"[{' '.join(found[1].split())}]", text) + "\n"
