"""What a build gave: a summary for the terminal and the dictionary that becomes build/report.json.

In: the deck, its rendered notes and what the lock says of each. Out: text, or plain data ready for JSON, in a fixed order.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from generator.notes import Deck, Judged, Rendered, Run
from generator.show.coverage import Coverage
from kernels import declare
from kernels.record import RECORDS, Result, path_of

STATUSES = ("new", "changed", "unchanged", "retired", "vanished")
RUN_STATES = ("computed", "fresh", "stale", "missing")
VERDICTS = ("holds", "wrong", "misleading", "open")
MADE = ("device", "device_class", "driver", "torch", "python", "utc", "commit", "seconds")
LISTED = 12  # stale and missing runs, warnings: beyond that a terminal scrolls away


def summary(
    deck: Deck,
    rendered: Sequence[Rendered],
    statuses: Mapping[str, str],
    coverage: Coverage,
    package: Path | None = None,
    roots: Sequence[Path] = (RECORDS,),
) -> str:
    """What a person wants to see after a build: one aligned line a subject, then the runs that need a machine and the warnings.

    statuses: note id -> one of STATUSES, retired and vanished notes too. package: the .apkg, where one was written.
    roots: where records were looked for, in that order.
    """
    runs = all_runs(rendered, roots)
    totals = coverage.totals()
    claims = Counter(verdict_of(judged) for note in rendered for judged in note.resolved.claims)
    changes = Counter(statuses.values())
    rows = [
        ("notes", f"{_count(len(rendered), 'note')}, {_count(sum(len(note.cards) for note in rendered), 'card')}; {_changes(changes)}"),
        ("runs", _tally(Counter(run["state"] for run in runs), RUN_STATES) or "none"),
        ("claims", _tally(claims, VERDICTS) or "none"),
        (
            "sources",
            f"{totals['questions_answered']} of {_count(totals['questions'], 'question')} answered, "
            f"{totals['claims_checked']} of {_count(totals['claims'], 'claim')} checked, {totals['claims_left_out']} left out; "
            f"{totals['topics_whole']} of {_count(totals['topics'], 'topic')} whole",
        ),
        ("media", _media(rendered)),
    ]
    if package is not None:
        rows.append(("package", f"{_relative(package)}, {_size(package.stat().st_size)}"))
    for state in ("stale", "missing"):
        rows += _listed(state, [_run_line(run) for run in runs if run["state"] == state])
    rows += _listed("warning", list(map(str, deck.warnings)))
    return "\n".join(f"{name:<9}{text}" for name, text in rows)


def report_json(
    deck: Deck,
    rendered: Sequence[Rendered],
    statuses: Mapping[str, str],
    coverage: Coverage,
    hashes: Mapping[str, str],
    package: Path | None = None,
    roots: Sequence[Path] = (RECORDS,),
) -> dict[str, Any]:
    """Everything about a build as plain data. hashes: note id -> the lock's hash of the note as packed."""
    runs = all_runs(rendered, roots)
    media = {name: len(data) for note in rendered for name, data in note.media.items()}
    return {
        "deck": {"name": deck.name, "id": deck.id, "slug": deck.slug, "version": deck.version, "devices": list(deck.devices)},
        "totals": {
            "notes": len(rendered),
            "cards": sum(len(note.cards) for note in rendered),
            "types": dict(sorted(Counter(note.type for note in rendered).items())),
            "statuses": {status: n for status in STATUSES if (n := sum(s == status for s in statuses.values()))},
            "runs": {state: n for state in RUN_STATES if (n := sum(run["state"] == state for run in runs))},
            "claims": {v: n for v in VERDICTS if (n := sum(verdict_of(judged) == v for note in rendered for judged in note.resolved.claims))},
            "figures": sum(_figures(note) for note in rendered),
        },
        "coverage": {
            **coverage.totals(),
            "by_topic": {
                covered.topic.id: {
                    "whole": covered.topic.whole,
                    "answered": list(covered.answered),
                    "open_questions": list(covered.open_questions),
                    "checked": list(covered.checked),
                    "left_out": list(covered.left_out),
                    "open_claims": list(covered.open_claims),
                    "notes": list(covered.notes),
                }
                for covered in coverage.topics
            },
        },
        "sizes": {"package": package.stat().st_size if package else None, "media": sum(media.values()), "media_files": len(media)},
        "sha256": hashlib.sha256(package.read_bytes()).hexdigest() if package else None,
        "warnings": list(map(str, deck.warnings)),
        "gone": {id: status for id, status in sorted(statuses.items()) if status in ("retired", "vanished")},
        "runs": runs,
        "notes": [_note(note, statuses, hashes, roots) for note in rendered],
    }


# ------------------------------------------------------------------------- a note, its claims, its runs


def _note(note: Rendered, statuses: Mapping[str, str], hashes: Mapping[str, str], roots: Sequence[Path]) -> dict[str, Any]:
    source = note.resolved.note
    return {
        "id": note.id,
        "type": note.type,
        "deck": note.deck,
        "topic": source.topic,
        "place": str(source.place),
        "tags": list(note.tags),
        "status": statuses.get(note.id, "unchanged"),
        "hash": hashes.get(note.id),
        "cards": len(note.cards),
        "answers": list(source.answers),
        "claims": [claim_entry(judged) for judged in note.resolved.claims],
        "values": values_of(note),
        "expected": note.resolved.expected,
        "device": note.resolved.device,
        "missing": list(note.resolved.missing),
        "runs": runs_of(note, roots),
        "media": sorted(note.media),
    }


def claim_entry(judged: Judged) -> dict[str, Any]:
    claim = judged.claim
    return {
        "says": claim.says,
        "source": claim.source,
        "said": claim.value if claim.value is not None else claim.holds,
        "expression": claim.computed if claim.computed is not None else claim.holds,
        "verdict": verdict_of(judged),
        "computed": judged.shown,
        "factor": judged.factor,
        "under": list(claim.under) if claim.under else None,
        "place": str(claim.place),
    }


def verdict_of(judged: Judged) -> str:
    """The computed verdict; "open" where the measurement is missing."""
    return judged.verdict or "open"


def values_of(note: Rendered) -> dict[str, dict[str, Any]]:
    """Every computed value that the note shows: the reference as written -> its number in SI base units, and its unit."""
    return {reference: {"value": number.value, "unit": number.unit} for reference, number in sorted(note.resolved.values.items())}


def runs_of(note: Rendered, roots: Sequence[Path] = (RECORDS,)) -> dict[str, dict[str, Any]]:
    """The runs that a note uses, by alias: what ran, its state, and how, where and when it was made."""
    runs = note.resolved.note.runs
    return {alias: _run(runs[alias], result, roots) for alias, result in sorted(note.resolved.results.items())}


def all_runs(rendered: Iterable[Rendered], roots: Sequence[Path] = (RECORDS,)) -> list[dict[str, Any]]:
    """Each run once, sorted, with the notes that use it."""
    found: dict[str, dict[str, Any]] = {}
    for note in rendered:
        for run in runs_of(note, roots).values():
            key = json.dumps([run["kernel"], run["parameters"], run["made"].get("device_class")], sort_keys=True)
            entry = found.setdefault(key, {**run, "notes": []})
            if note.id not in entry["notes"]:
                entry["notes"].append(note.id)
    return [found[key] for key in sorted(found)]


def _run(run: Run, result: Result | None, roots: Sequence[Path]) -> dict[str, Any]:
    kernel = declare.find(run.kernel)
    record = _record(kernel, result, roots) if result and kernel.kind != "formula" else None
    return {
        "kernel": run.kernel,
        "parameters": dict(run.parameters),
        "call": call(run),
        "kind": kernel.kind,
        "state": _state(kernel.kind, result),
        "reasons": list(result.stale) if result else [],
        "made": {key: result.made[key] for key in MADE if key in result.made} if result else {},
        "record": _relative(record) if record else None,
        "place": str(run.place),
    }


def _record(kernel: declare.Kernel, result: Result, roots: Sequence[Path]) -> Path:
    """The file that the result came from: where several roots have the case, the one that was made at the same time."""
    paths = [path_of(kernel, result.parameters, result.made.get("device_class"), root) for root in roots]
    there = [path for path in paths if path.exists()] or paths
    if len(there) == 1:
        return there[0]
    return next((path for path in there if json.loads(path.read_text(encoding="utf-8"))["made"] == dict(result.made)), there[0])


def _state(kind: str, result: Result | None) -> str:
    if result is None:
        return "missing"
    if kind == "formula":
        return "computed"
    return "stale" if result.stale else "fresh"


def call(run: Run) -> str:
    """kernel(parameter=value, ...), with 70000000000 as 70e9."""
    return f"{run.kernel}({', '.join(f'{name}={_plain(value)}' for name, value in run.parameters.items())})"


def _plain(value: Any) -> str:
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        for power in (12, 9, 6):
            if abs(value) >= 10**power and value % 10 ** (power - 3) == 0:
                return f"{value / 10**power:g}e{power}"
        return f"{value:g}" if isinstance(value, float) else str(value)
    return str(value)


# -------------------------------------------------------------------------------------------- wording


def _changes(changes: Counter) -> str:
    return ", ".join(f"{changes[status]} {status}" for status in ("new", "changed", "retired", "vanished") if changes[status]) or "nothing changed"


def _tally(counted: Counter, order: tuple[str, ...]) -> str:
    return ", ".join(f"{counted[name]} {name}" for name in order if counted[name])


def _media(rendered: Sequence[Rendered]) -> str:
    files = {name: len(data) for note in rendered for name, data in note.media.items()}
    return f"{_count(len(files), 'file')}, {_size(sum(files.values()))}"


def _figures(note: Rendered) -> int:
    """How many figures a note shows; one whose measurement is missing is none yet."""
    drawn = (alias for text in note.resolved.fields.values() for alias in re.findall("\ue000figure:(.*?)\ue001", text))
    return sum(note.resolved.results.get(alias) is not None for alias in drawn)


def _run_line(run: Mapping[str, Any]) -> str:
    where = f" on {run['made']['device_class']}" if run["kind"] == "measurement" and "device_class" in run["made"] else ""
    why = f": {', '.join(run['reasons'])}" if run["reasons"] else ""
    return f"{run['place']}: {run['call']}{where}{why}"


def _listed(name: str, lines: list[str]) -> list[tuple[str, str]]:
    more = [(name, f"... and {len(lines) - LISTED} more")] if len(lines) > LISTED else []
    return [(name, line) for line in lines[:LISTED]] + more


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def _size(size: int) -> str:
    return f"{size / 1e6:.1f} MB" if size >= 1e6 else f"{size / 1e3:.0f} kB"


def _relative(path: Path) -> str:
    """As seen from where the command runs, so that the report reads the same in every checkout."""
    shown = os.path.relpath(path)
    return path.name if shown.startswith("..") else Path(shown).as_posix()
