"""What others published, computed through the kernels: published.yml, row by row."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from kernels.declare import Kernel, find
from kernels.results import Number

TABLE = Path(__file__).parent / "published.yml"
FIELDS = {"source", "opened", "kernel", "given", "columns", "value", "within", "rows"}


@dataclass(frozen=True)
class Row:
    """One published value: a kernel's parameters, and what was printed, digit for digit."""

    kernel: str
    given: Mapping[str, str]
    value: str
    printed: str
    within: float | None
    source: str

    def __str__(self) -> str:
        return f"{self.kernel}-{'-'.join(self.given.values())}-{self.value.split()[0]}"


def rows() -> Iterator[Row]:
    loader = getattr(yaml, "CBaseLoader", yaml.BaseLoader)  # all text: the digits printed count
    for group in yaml.load(TABLE.read_text(encoding="utf-8"), loader):
        assert group.keys() <= FIELDS and group["opened"] in ("yes", "no"), group["source"]
        for *cells, printed in group["rows"]:
            given = {**group.get("given", {}), **dict(zip(group.get("columns", []), cells, strict=True))}
            yield Row(group["kernel"], given, group["value"], printed, float(group["within"]) if "within" in group else None, group["source"])


def number(text: str) -> Any:
    """What YAML would make of it, and 7.5e9 too."""
    try:
        return float(text) if "." in text or "e" in text else int(text)
    except ValueError:
        return {"true": True, "false": False}.get(text, text)


def last_digit(printed: str) -> float:
    digits, _, power = printed.partition("e")
    return 10.0 ** (int(power or 0) - len(digits.partition(".")[2]))


def parameters(kernel: Kernel, row: Row) -> dict[str, Any]:
    return {name: number(text) for name, text in row.given.items() if name in kernel.parameters}


@pytest.mark.parametrize("row", rows(), ids=str)
def test_it_is_as_published(row):
    kernel = find(row.kernel)
    result = kernel(**parameters(kernel, row))
    outputs = {name: result[name] for name, output in result.outputs.items() if isinstance(output, Number)}
    columns = {name: number(text) for name, text in row.given.items()}
    got = eval(row.value, {}, {**columns, **result.parameters, **outputs})
    allowed = row.within * abs(float(row.printed)) if row.within is not None else 0.5000001 * last_digit(row.printed)
    assert abs(got - float(row.printed)) <= allowed, f"{row.kernel}: {got} instead of {row.printed} ({row.source})"


def test_there_are_as_many_as_were_promised():
    assert sum(1 for _ in rows()) >= 200
