"""Results as files: their names, their JSON in git, and whether they still count.

In: a Kernel and parameters. Out: Results read from kernels/records, each fresh or stale with reasons.
Standard library only, so that the compiler can read records without torch.
"""

from __future__ import annotations

import hashlib
import json
import os
import string
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from kernels.declare import Kernel
from kernels.key import SCHEMA, code_of, key_of
from kernels.results import Curve, KernelError, Number, Result
from kernels.results import Spread as Spread  # for timing.py, whose text is part of the key of records

RECORDS = Path(__file__).parent / "records"

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
    outputs = {name: result.outputs[name] for name in (*declared, *result.outputs)}
    return replace(result, parameters=dict(parameters), outputs=outputs, stale=_stale(data, kernel, parameters))


def read(path: Path) -> dict[str, Any]:
    """The content of a record file. Raises KernelError where it is not one (a merge conflict, a cut-off copy)."""
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
        from_json(data)
        if not {"schema", "key", "code"} <= set(data):
            raise KeyError("schema, key, code")
    except (ValueError, KeyError, TypeError, AttributeError, IndexError) as error:
        raise KernelError(
            f"{path} is not a record: {type(error).__name__} {error} (restore it from git, or delete it and record it again)"
        ) from error
    return data


def _stale(data: Mapping[str, Any], kernel: Kernel, parameters: Mapping[str, Any]) -> tuple[str, ...]:
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
    outputs: dict[str, Number | Curve] = {name: Number(**value) for name, value in data["outputs"].items()}
    for name, curve in data["series"].items():
        lines = {line: _points(points, curve["unit"]) for line, points in curve["lines"].items()}
        outputs[name] = Curve(curve["x_name"], curve["x_unit"], curve["unit"], tuple(curve["x"]), lines)
    return Result(data["kernel"], data["made"]["kind"], dict(data["parameters"]), outputs, data["made"])


def _points(points: Mapping[str, list], unit: str) -> tuple[Number | None, ...]:
    low, high = points.get("low"), points.get("high")
    return tuple(None if v is None else Number(v, unit, low[i] if low else None, high[i] if high else None) for i, v in enumerate(points["value"]))


def to_json(result: Result, code: Mapping[str, str]) -> dict[str, Any]:
    """A record's JSON: numbers under `outputs`, curves under `series` as columns, which diff and read well.

    Its order is the kernel's own, that of the lines of a curve too, since a figure draws them in it.
    """
    outputs, series = {}, {}
    for name, output in result.outputs.items():
        if isinstance(output, Number):
            outputs[name] = {k: v for k, v in vars(output).items() if v is not None}
        else:
            series[name] = {
                "x_name": output.x_name,
                "x_unit": output.x_unit,
                "unit": output.unit,
                "x": list(output.x),
                "lines": {line: _columns(points) for line, points in output.lines.items()},
            }
    return {
        "schema": SCHEMA,
        "kernel": result.kernel,
        "parameters": dict(result.parameters),
        "key": key_of(result.kernel, result.parameters, code),
        "code": dict(code),
        "outputs": outputs,
        "series": series,
        "made": dict(sorted(result.made.items())),
    }


def _columns(points: tuple[Number | None, ...]) -> dict[str, list]:
    columns = {"value": [None if p is None else p.value for p in points]}
    if any(p is not None and p.low is not None for p in points):
        columns["low"] = [None if p is None else p.low for p in points]
        columns["high"] = [None if p is None else p.high for p in points]
    return columns


def save(kernel: Kernel, result: Result, root: Path = RECORDS, code: Mapping[str, str] | None = None) -> Path:
    """Writes the record of a run, whole or not at all; returns its path.

    code: `code_of` the kernel as it was when the run began; left out, as it is now.
    """
    path = path_of(kernel, result.parameters, result.made.get("device_class"), root)
    path.parent.mkdir(parents=True, exist_ok=True)
    content = to_json(result, code_of(kernel.name) if code is None else code)
    part = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        part.write_text(json.dumps(content, indent=1, allow_nan=False) + "\n", encoding="utf-8", newline="\n")
        os.replace(part, path)
    finally:
        part.unlink(missing_ok=True)
    return path
