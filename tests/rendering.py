"""Notes rendered for a test, without reading or resolving: from a few fields, or from a case of tests/render/."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from our_types import note_types

from generator.notes import Claim, Note, Rendered, Resolved, Text
from generator.problems import Place, Problem
from generator.render.figures import Figure
from generator.render.note import render
from kernels.anatomy import Part
from kernels.record import Number, Result

CASES = Path(__file__).parent / "render"
CLAIM = Claim("an-id", "lora/4", "It takes *under* 10 GB", "< 10 GB", "lora.total", None, 0.05, "wrong", ("at rank 1", "x"), Place("cards/x.md", 3))
FORMULA = Result("made_up", "formula", {}, {"total": Number(1, "B")})
MEASURED = Result("made_up_rate", "measurement", {}, {"rate": Number(1, "B/s")}, {"device": "NVIDIA H100 80GB HBM3", "device_class": "h100"})


def draw(result: Result, measured: Result | None = None, without: str = "", with_parts: bool = False) -> Figure:
    svg = '<svg xmlns="http://www.w3.org/2000/svg" width="330" height="60" viewBox="0 0 330 60"><rect width="330" height="60" fill="{}"/></svg>'
    svg = svg.replace('width="330" height="60" fill', 'width="110" height="60" fill') if without else svg
    parts = [Part("label", name, name, (0.2 + 0.3 * number, 0.2, 0.2, 0.4)) for number, name in enumerate(("left", "right of it"))]
    return Figure(svg.format("#0b5cad").encode(), svg.format("#7ab8ff").encode(), 'one <bar> of "1 B"', 330, 60, tuple(parts * with_parts))


def resolved(type_: str, fields: Mapping[str, str], results: Mapping[str, Result | None] | None = None, directory: Path = CASES, **more) -> Resolved:
    written = {name: Text(text.replace("\ue000figure:", "![[").replace("\ue001", "]]"), Place("cards/x.md", 10)) for name, text in fields.items()}
    claims = tuple(judged.claim for judged in more.get("claims", ()))
    note = Note("an-id", type_, "Interviews::Training::LoRA", "lora", ("memory",), written, {}, claims, (), Place("cards/x.md", 9), directory)
    left_out, options = more.get("left_out", {}), more.get("options", ())
    return Resolved(note, fields, results or {}, more.get("claims", ()), more.get("expected"), None, left_out=left_out, options=options)


def rendered(type_: str, fields: Mapping[str, str], *args, **more) -> tuple[Rendered | None, list[Problem]]:
    problems: list[Problem] = []
    return render(resolved(type_, fields, *args, **more), note_types(), draw, problems), problems


def of_case(path: Path) -> tuple[Rendered | None, list[Problem]]:
    text = path.read_text(encoding="utf-8").replace("![[full]]", "\ue000figure:full\ue001")
    if path.name.startswith("cloze-") and not path.name.endswith(".qa.md"):
        return rendered("cloze", {"Front": "A front", "Text": text}, {"full": FORMULA})
    return rendered("qa", {"Front": "A front", "Answer": text}, {"full": FORMULA})
