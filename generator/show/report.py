"""What a build gave: a summary for the terminal and the dictionary that becomes build/report.json.

In: the deck, its rendered notes and what the lock says of each. Out: text, or plain data ready for JSON, in a fixed order.
"""

from __future__ import annotations

import json
import os
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from generator.gate.characters import without_unwanted
from generator.notes import VERDICTS, Deck, Entry, Judged, Rendered, Run, Sheet, call
from generator.show.coverage import Coverage
from generator.text.media import KINDS, kind_of

if TYPE_CHECKING:
    from kernels.declare import Kernel
    from kernels.results import Result

STATUSES = ("new", "changed", "unchanged", "withheld", "retired", "vanished")
RUN_STATES = ("computed", "fresh", "stale", "missing")
MADE = ("device", "device_class", "driver", "torch", "python", "packages", "utc", "commit", "seconds")
LISTED = 12  # stale and missing runs, warnings: beyond that a terminal scrolls away


def summary(
    sheets: Sequence[Sheet], deck: Deck, statuses: Mapping[str, str], coverage: Coverage, package: Path | None = None, since: str = ""
) -> str:
    """What a person wants to see after a build: one aligned line a subject, then the runs that need a machine and the warnings.

    statuses: note id -> one of STATUSES, retired and vanished notes too. package: the .apkg, where one was written. since: the version of the
    last release, "" before the first.
    """
    notes = [entry for sheet in sheets for entry in sheet.entries]
    withheld = [entry for sheet in sheets for entry in sheet.withheld]
    runs = merged_runs(run for sheet in sheets for run in sheet.runs)
    totals = coverage.totals()
    claims = Counter(verdict for note in notes for _, verdict in note.claims)
    media = {**deck.media, **{name: size for note in notes for name, size in note.media.items()}}
    rows = [
        ("notes", f"{_count(len(notes), 'note')}, {_count(sum(len(note.cards) for note in notes), 'card')}; {_changes(statuses, since)}"),
        *([("withheld", waiting(withheld))] if withheld else []),
        ("runs", _tally(Counter(run["state"] for run in runs), RUN_STATES) or "none"),
        ("claims", _tally(claims, VERDICTS) or "none"),
        *([("sources", _asked(totals))] if coverage.topics else []),
        ("media", _media(media)),
    ]
    if package is not None:
        rows.append(("package", f"{_relative(package)}, {_size(package.stat().st_size)}"))
    for state in ("stale", "missing"):
        rows += _listed(state, [_run_line(run) for run in runs if run["state"] == state])
    rows += _listed("warning", list(map(str, deck.warnings)))
    return _aligned(rows)


def released(deck: Deck, statuses: Mapping[str, str], withheld: Sequence[Entry], package: Path, lock: Path) -> str:
    """What a release brings: its notes by what became of them, and what is left to do."""
    rows = [("released", f"version {deck.version}: {_changes(statuses)}")]
    for status in ("new", "changed", "retired"):
        rows += _listed(status, sorted(id for id, s in statuses.items() if s == status))
    rows += [("withheld", waiting(withheld))] * bool(withheld) + _listed("warning", list(map(str, deck.warnings)))
    rows += [("package", f"{_relative(package)}, {_size(package.stat().st_size)}"), ("lock", f"commit {_relative(lock)} with the cards")]
    return _aligned(rows)


def _asked(totals: Mapping[str, int]) -> str:
    """What is covered of sources.yml."""
    return (
        f"{totals['questions_answered']} of {_count(totals['questions'], 'question')} answered, "
        f"{totals['claims_checked']} of {_count(totals['claims'], 'claim')} checked, {totals['claims_left_out']} left out; "
        f"{totals['topics_whole']} of {_count(totals['topics'], 'topic')} whole"
    )


def report(
    sheets: Sequence[Sheet],
    deck: Deck,
    statuses: Mapping[str, str],
    coverage: Coverage,
    package: Path | None = None,
    sha256: str | None = None,
    since: str = "",
) -> str:
    """Everything about a build, as JSON text. sha256: of the package."""
    notes = [entry for sheet in sheets for entry in sheet.entries]
    runs = merged_runs(run for sheet in sheets for run in sheet.runs)
    media = {**deck.media, **{name: size for note in notes for name, size in note.media.items()}}
    claims = Counter(verdict for note in notes for _, verdict in note.claims)
    about = {
        "deck": {"name": deck.name, "id": deck.id, "slug": deck.slug, "version": deck.version, "devices": list(deck.devices)},
        "totals": {
            "notes": len(notes),
            "cards": sum(len(note.cards) for note in notes),
            "withheld": sum(len(sheet.withheld) for sheet in sheets),
            "types": dict(sorted(Counter(note.type for note in notes).items())),
            "statuses": _counted(Counter(statuses.values()), STATUSES),
            "runs": _counted(Counter(run["state"] for run in runs), RUN_STATES),
            "claims": _counted(claims, VERDICTS),
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
        "media": _by_kind(media),
        "sha256": sha256,
        "warnings": list(map(str, deck.warnings)),
        "premises_unsaid": [str(problem) for sheet in sheets for problem in sheet.unsaid],
        "typed_by_hand": [str(problem) for sheet in sheets for problem in sheet.typed],
        "since": since,
        "changes": {status: sorted(id for id, s in statuses.items() if s == status) for status in STATUSES if status != "unchanged"},
        "withheld": [withheld_entry(entry) for sheet in sheets for entry in sheet.withheld],
        "runs": runs,
    }
    parts = [f"{json.dumps(name)}: {line_of(value)}" for name, value in about.items()]
    facts = ",\n".join(sheet.facts.replace("\n", ",\n") for sheet in sheets if sheet.facts)  # joined as text: nobody has to read them for it
    return "{" + ",\n".join([*parts, f'"notes": [\n{facts}\n]']) + "}\n"


def line_of(value: Any) -> str:
    """A value as JSON on one line, past the gate: names of files and of devices are whatever they are."""
    return _ESCAPED.sub(lambda match: "" if match["unwanted"] else match[0], without_unwanted(json.dumps(value, ensure_ascii=False)))


_ESCAPED = re.compile(r"\\(?:(?P<unwanted>u00[01][0-9a-f]|[bf])|.)")  # of JSON's escapes, those of characters that no text may hold


# ------------------------------------------------------------------------- a note, its claims, its runs


def facts(note: Rendered, hash: str, roots: Sequence[Path]) -> dict[str, Any]:
    """A note as the report and the preview have it, but for its text and for what became of it since the last release."""
    source = note.resolved.note
    return {
        "id": note.id,
        "type": note.type,
        "deck": note.deck,
        "topic": source.topic,
        "place": str(source.place),
        "tags": list(note.tags),
        "hash": hash,
        "cards": len(note.cards),
        "answers": list(source.answers),
        "claims": [claim_entry(judged) for judged in note.resolved.claims],
        "values": values_of(note),
        "expected": note.resolved.expected,
        "device": note.resolved.device,
        "waits": dict(note.resolved.waits),
        "runs": runs_of(note, roots),
        "media": sorted(note.media),
    }


def withheld_entry(note: Entry) -> dict[str, Any]:
    """A note that is not packed as the report and the preview have it, with the runs that it waits for."""
    return {"id": note.id, "place": str(note.place), "waits": dict(note.waits)}


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
        "thresholds": [list(threshold) for threshold in claim.thresholds],
        "decided": list(claim.decided) if claim.decided else None,
        "place": str(claim.place),
    }


def verdict_of(judged: Judged) -> str:
    """The computed verdict; "open" where the measurement is missing."""
    return judged.verdict or "open"


def values_of(note: Rendered) -> dict[str, dict[str, Any]]:
    """Every computed value that the note shows: the reference as written -> its number in SI base units, and its unit."""
    return {reference: {"value": number.value, "unit": number.unit} for reference, number in sorted(note.resolved.values.items())}


def runs_of(note: Rendered, roots: Sequence[Path]) -> dict[str, dict[str, Any]]:
    """The runs that a note uses, by alias: what ran, its state, and how, where and when it was made."""
    runs = note.resolved.note.runs
    return {alias: _run(runs[alias], result, roots) for alias, result in sorted(note.resolved.results.items())}


def merged_runs(runs: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Each run once, sorted, with all the notes that use it."""
    found: dict[str, dict[str, Any]] = {}
    for run in runs:
        key = json.dumps([run["kernel"], run["parameters"], run["made"].get("device_class")], sort_keys=True)
        entry = found.setdefault(key, {**run, "notes": []})
        entry["notes"] += [id for id in run["notes"] if id not in entry["notes"]]
    return [found[key] for key in sorted(found)]


def _run(run: Run, result: Result | None, roots: Sequence[Path]) -> dict[str, Any]:
    from kernels.remote import find

    kernel = find(run.kernel)
    record = _record(kernel, result, roots) if result and not kernel.evaluated else None
    return {
        "kernel": run.kernel,
        "parameters": dict(run.parameters),
        "call": call(run),
        "kind": kernel.kind,
        "state": _state(kernel, result),
        "reasons": list(result.stale) if result else [],
        "made": {key: result.made[key] for key in MADE if key in result.made} if result else {},
        "record": _relative(record) if record else None,
        "place": str(run.place),
    }


def _record(kernel: Kernel, result: Result, roots: Sequence[Path]) -> Path:
    """The file that the result came from: where several roots have the case, the one that was made at the same time."""
    from kernels.record import path_of

    paths = [path_of(kernel, result.parameters, result.made.get("device_class"), root) for root in roots]
    there = [path for path in paths if path.exists()] or paths
    if len(there) == 1:
        return there[0]
    return next((path for path in there if json.loads(path.read_text(encoding="utf-8"))["made"] == dict(result.made)), there[0])


def _state(kernel: Kernel, result: Result | None) -> str:
    if result is None:
        return "missing"
    if kernel.evaluated:
        return "computed"
    return "stale" if result.stale else "fresh"


# -------------------------------------------------------------------------------------------- wording


def _aligned(rows: Iterable[tuple[str, str]]) -> str:
    return "\n".join(f"{name:<9}{text}" for name, text in rows)


def _changes(statuses: Mapping[str, str], since: str = "") -> str:
    changes = _tally(Counter(statuses.values()), ("new", "changed", "retired", "vanished")) or "nothing changed"
    return changes + (f" since release {since}" if since else "")


def waiting(notes: Sequence[Entry]) -> str:
    """ "3 notes wait for a measurement", of those that are withheld."""
    return f"{_count(len(notes), 'note')} wait{'s' if len(notes) == 1 else ''} for a measurement"


def _counted(counts: Counter, order: tuple[str, ...]) -> dict[str, int]:
    return {name: counts[name] for name in order if counts[name]}


def _tally(counts: Counter, order: tuple[str, ...]) -> str:
    return ", ".join(f"{count} {name}" for name, count in _counted(counts, order).items())


def _run_line(run: Mapping[str, Any]) -> str:
    where = f" on {run['made']['device_class']}" if run["kind"] == "measurement" and "device_class" in run["made"] else ""
    why = f": {', '.join(run['reasons'])}" if run["reasons"] else ""
    return f"{run['place']}: {run['call']}{where}{why}"


def _listed(name: str, lines: list[str]) -> list[tuple[str, str]]:
    more = [(name, f"... and {len(lines) - LISTED} more")] if len(lines) > LISTED else []
    return [(name, line) for line in lines[:LISTED]] + more


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def _by_kind(media: Mapping[str, int]) -> dict[str, dict[str, int]]:
    """The files of each kind and their bytes, by the kind's plural."""
    sizes: dict[str, list[int]] = {}
    for name, size in media.items():
        sizes.setdefault(kind_of(name) or "font", []).append(size)
    return {f"{kind}s": {"files": len(sizes[kind]), "bytes": sum(sizes[kind])} for kind in (*KINDS, "font") if kind in sizes}


def _media(media: Mapping[str, int]) -> str:
    """ "31 files, 1.2 MB", and of what kind where there are sounds or films among them."""
    kinds, whole = _by_kind(media), f"{_count(len(media), 'file')}, {_size(sum(media.values()))}"
    if not {"sounds", "films"} & set(kinds):
        return whole
    told = [_count(about["files"], kind[:-1]) + " of " + _size(about["bytes"]) for kind, about in kinds.items()]
    return f"{whole}: {', '.join(told)}"


def _size(size: int) -> str:
    return f"{size / 1e6:.1f} MB" if size >= 1e6 else f"{size / 1e3:.0f} kB"


def _relative(path: Path) -> str:
    """As seen from where the command runs, so that the report reads the same in every checkout."""
    shown = os.path.relpath(path)
    return path.name if shown.startswith("..") else Path(shown).as_posix()
