"""A small deck made by hand, for the tests of the preview and the report: no reading, resolving or rendering in between.

It has one note of each state: computed, simulated and stale, measured, waiting for its measurement. The kernels and the numbers are made up.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from generator.keep.cache import Cache
from generator.keep.deck import Built
from generator.keep.sheets import END, _entry
from generator.look.notetypes import NoteType, Template, tight
from generator.notes import Claim, Deck, Entry, Judged, Note, Question, Rendered, Resolved, Run, Sheet, SourceClaim, Text, Topic
from generator.problems import Place, Problem
from generator.show.report import facts, merged_runs
from kernels import kernel
from kernels.record import RECORDS
from kernels.results import Number, Result

FIGURE = b'<svg xmlns="http://www.w3.org/2000/svg" width="330" height="60" viewBox="0 0 330 60"><rect width="330" height="60" fill="#b06f00"/></svg>'


@kernel(kind="formula", outputs={"total": "B"})
def made_up_memory(parameters: int, dtype: str = "bf16"):
    """A formula."""
    return {"total": 2 * parameters}


@kernel(kind="simulation", outputs={"error": ""}, tolerance=0.01)
def made_up_simulation(bins: int = 15):
    """A simulation."""
    return {"error": 0.1}


@kernel(kind="measurement", outputs={"bandwidth": "B/s"})
def made_up_bandwidth(rows: int = 8192):
    """A measurement."""
    return {"bandwidth": 2.7e12}


KERNELS = {k.name: k for k in (made_up_memory, made_up_simulation, made_up_bandwidth)}
MADE = {
    "device": "NVIDIA H100",
    "device_class": "h100",
    "driver": "580.1",
    "torch": "2.13.0",
    "python": "3.11.7",
    "utc": "2026-11-20T10:00:00Z",
    "commit": "a1b2c3d",
    "seconds": 12.3456,
}
PLACE = Place("cards/memory/lora.md", 12)
RUNS = {
    "full": Run("full", "made_up_memory", {"parameters": 70_000_000_000, "dtype": "bf16"}, PLACE),
    "bins": Run("bins", "made_up_simulation", {"bins": 15}, Place("cards/memory/lora.md", 5)),
    "norm": Run("norm", "made_up_bandwidth", {"rows": 8192}, Place("cards/memory/lora.md", 6)),
    "wide": Run("wide", "made_up_bandwidth", {"rows": 65536}, Place("cards/memory/lora.md", 7)),
}
RESULTS = {
    "full": made_up_memory(parameters=70_000_000_000),
    "bins": Result("made_up_simulation", "simulation", {"bins": 15}, {"error": Number(0.1)}, {"seconds": 0.2}, ("made_up_simulation.py changed",)),
    "norm": Result("made_up_bandwidth", "measurement", {"rows": 8192}, {"bandwidth": Number(2.7e12, "B/s", 2.6e12, 2.8e12)}, MADE),
    "wide": None,
}


def claim(note: str, verdict: str | None, number: int) -> Judged:
    says = "LoRA fine-tunes a 70B model in under 10 GB, </script> and <!-- all."
    made = Claim(note, f"lora/{number}", says, "< 10 GB", "full.total", None, 0.05, verdict or "open", None, PLACE)
    return Judged(made, verdict, "140 GB" if verdict else "", "14 times more" if verdict == "wrong" else "")


def note(
    id: str, type: str = "qa", deck: str = "Interviews::Memory", runs: tuple[str, ...] = (), claims: tuple[Judged, ...] = (), **fields: str
) -> Rendered:
    shown = {"Front": f"How much memory does {id} take?", **fields}
    tags = ("memory::training", "fine-tuning") if "Memory" in deck else ("gpu::bandwidth",)
    written = Note(
        id=id,
        type=type,
        deck=deck,
        topic="lora",
        tags=tags,
        fields={name: Text(text, PLACE) for name, text in shown.items()},
        runs=RUNS,
        claims=tuple(judged.claim for judged in claims),
        answers=("lora/1",) if runs else (),
        place=Place("cards/memory/lora.md", 20),
        directory=Path("cards/memory"),
    )
    waits = {alias: 2 for alias in runs if RESULTS[alias] is None}
    values = {"full.total | GB": Number(1.4e11, "B")} if "full" in runs else {}
    resolved = Resolved(
        written, shown, {alias: RESULTS[alias] for alias in runs}, claims, "42" if type == "numeric" else None, None, waits, values=values
    )
    media = {"figure-1a2b3c4d.svg": FIGURE} if "figure-" in str(fields) else {}
    cards = (0, 1) if type == "cloze" else (0,)
    return Rendered(id, type, deck, tags, shown, media, cards, {1: "a", 2: "b"} if type == "cloze" else {}, resolved)


RENDERED = (
    note(
        "full-memory",
        runs=("full",),
        claims=(claim("full-memory", "wrong", 1),),
        Answer='<p><span class="num">140&#8239;GB</span>: \\(2 \\cdot 70\\times10^9\\,\\text{B}\\) &lt; \\[\\frac{a}{b}\\]</p>'
        '<img src="figure-1a2b3c4d.svg" alt="A bar">',
    ),
    note("calibration", runs=("bins", "full"), claims=(claim("calibration", "misleading", 2),), Answer="<p>stale <code>\\(raw\\)</code></p>"),
    note("bandwidth", deck="Interviews::GPU", runs=("norm",), claims=(claim("bandwidth", "holds", 3),), Answer="<p>measured &lt;/script&gt;</p>"),
    note(
        "wide-norm",
        deck="Interviews::GPU",
        runs=("wide",),
        claims=(claim("wide-norm", None, 4),),
        Answer="<p>what is not measured is not said</p>",
    ),
    note("gaps", "cloze", Text="{{c1::the frozen weights}} and {{c2::the adapters::small}}"),
    note("typed", "numeric", Expected="42", Answer="<p>42 GB</p>"),
)
TOPICS = {
    "lora": Topic(
        "lora",
        "finetuning",
        "LoRA",
        (Question(1, "How much?"), Question(2, "Why?")),
        tuple(SourceClaim(n, "said", "formula") for n in (1, 2, 3, 4)) + (SourceClaim(5, "a price", "literature", "it ages"),),
        False,
        Place("cards/sources.yml", 3),
    )
}
DECK = Deck(
    name="Interviews",
    id=1,
    slug="interviews",
    version="1",
    source="",
    description="",
    devices=("h100", "h200"),
    subdecks={},
    tags=(),
    notes=(),
    retired={},
    topics=TOPICS,
    warnings=(Problem(Place("cards/deck.yml", 9), "topic lora is not listed", "it comes last"),),
    root=Path("cards"),
)
STATUSES = {
    "full-memory": "changed",
    "typed": "new",
    "old-one": "retired",
    **dict.fromkeys(("calibration", "bandwidth", "wide-norm", "gaps"), "unchanged"),
}


def entry(note: Rendered) -> Entry:
    return _entry(note, (f"note:{note.id}",), DECK.id)


def sheet(notes: Sequence[Rendered]) -> Sheet:
    """The notes as one file of cards; `declare.find` must know KERNELS."""
    told = [facts(note, entry(note).hash, (RECORDS,)) for note in notes]
    return Sheet(
        path=PLACE.path,
        entries=tuple(map(entry, notes)),
        runs=tuple(merged_runs({**run, "notes": [one["id"]]} for one in told for run in one["runs"].values())),
        facts="\n".join(json.dumps(one) for one in told),
    )


def built(notes: Sequence[Rendered], types: Mapping[str, NoteType]) -> Built:
    """The notes as a deck that was built, its cache in memory."""
    cache = Cache()
    for note in notes:
        cache.put(entry(note).pieces[0], END.join(["{}", *(note.fields.get(name, "") for name in types[note.type].fields)]).encode())
        for name, content in note.media.items():
            cache.put(f"media:{name}", content)
    return Built(DECK, types, (sheet(notes),), cache, "code")


def types(folder: Path) -> dict[str, NoteType]:
    """Note types with plain templates, written to `folder`."""
    made = {}
    backs = {"qa": "{{Answer}}", "numeric": "{{type:Expected}}{{Answer}}", "cloze": "{{cloze:Text}}"}
    (folder / "style.css").write_text(".card { color: #111; background: #fdfcf9 } .night_mode.card { color: #eee; background: #171614 }\n")
    for number, (key, back) in enumerate(backs.items(), 1):
        fields = ("Front", "Text") if key == "cloze" else ("Front", "Expected", "Answer")
        (folder / key).mkdir()
        (folder / key / "front.html").write_text("<h1>{{Front}}</h1>" + {"cloze": "{{cloze:Text}}", "numeric": "{{type:Expected}}"}.get(key, ""))
        (folder / key / "back.html").write_text(f"<h1>{{{{Front}}}}</h1><hr id=answer>{back}")
        ids = {name: n for n, name in enumerate(fields, 1)}
        kind, css = ("cloze" if key == "cloze" else "basic"), (folder / "style.css").read_text()
        card = Template("Card", 1, *(tight((folder / key / f"{side}.html").read_text()) for side in ("front", "back")))
        made[key] = NoteType(key, f"Type {key}", number, kind, "Front", fields[-1], (), (), (), ids, (card,), css)
    return made
