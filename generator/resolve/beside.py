"""One note's measured numbers on several devices, side by side, where records of more than one exist.

In: a Note and a Store of records. Out: a column for each quoted device, which render puts into the note's Depth.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from generator.notes import Note
from generator.resolve.formats import HTML, parse_format, written
from generator.resolve.names import device_name, names_in
from generator.resolve.note import resolve
from generator.resolve.references import references
from generator.resolve.results import Store, measured_on
from generator.resolve.series import number_of
from kernels import remote


def beside(note: Note, store: Store) -> tuple[tuple[str, Mapping[str, str]], ...]:
    """(device, label -> number as HTML) for each device that has all of the note's measurements; empty where fewer than two have."""
    measured = [alias for alias, run in note.runs.items() if remote.find(run.kernel).kind == "measurement"]
    devices = measured_on(note, store) if measured else ()
    if len(devices) < 2:
        return ()
    shown = {
        reference.source: reference
        for text in note.fields.values()
        for reference in references(text, [])
        if not reference.figure and names_in(reference.expression, measured)
    }
    columns = []
    for chosen in devices if shown else ():
        resolved = resolve(note, chosen.find, [])
        if resolved is not None:
            made = next(result.made for alias, result in sorted(chosen.results.items()) if alias in measured and result is not None)
            numbers = {source: number_of(resolved.values[source]) for source in shown if source in resolved.values}
            texts = {source: written(number, parse_format(shown[source].format), HTML) for source, number in numbers.items()}
            columns.append((device_name(made), {_label(shown[source].expression): text for source, text in texts.items()}))
    return tuple(columns) if len(columns) > 1 else ()


def _label(expression: str) -> str:
    """ "speed.layer_over_rms" as "layer over rms": what a reader takes for the name of the row."""
    return re.sub(r"\b[A-Za-z_]\w*\.(?=[A-Za-z_])", "", expression).replace("_", " ")
