"""Mistakes of someone new, in each kind of file: all that is said of one, word for word, in mistakes.yml. Each is told once, with what to write."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml
from workshop import Workshop

CASES = yaml.safe_load((Path(__file__).parent / "mistakes.yml").read_text(encoding="utf-8"))
RUN = "---\nruns:\n  full: {kernel: training_memory, parameters: 70e9}\n---\n\n# What does it take? {#a-note}\n\n[[full.total | GB]]\n\n"
CARD = "# What does it take? {#a-note}\n\nA.\n"
FALL = "---\nruns:\n  f: {kernel: fall}\n---\n\n# What? {#a-note}\n\n[[f.time | s]]\n"
TYPE = """
name: word
kind: basic
heading: Word
main: Meaning
required: [Meaning]
sections: [Example]
fields: [Word, Meaning, Example, Id, Footer]
templates:
  - {name: Recognise, front: front.html, back: back.html}
"""
FILES = {
    "card": "cards/gpu/a.md",
    "deck": "cards/deck.yml",
    "sources": "cards/sources.yml",
    "type": "cards/look/word/type.yml",
    "front": "cards/look/word/front.html",
    "picture": "cards/gpu/a.svg",
    "kernel": "kernels/fall.py",
    "other kernel": "kernels/drop.py",
    "topic": "cards/gpu/My Topic.md",
}


def files(case: dict) -> dict[str, str]:
    written = {"cards/deck.yml": "name: T\nid: 1400000000000\n", "cards/gpu/a.md": CARD}
    if "answer" in case:
        written["cards/gpu/a.md"] = f"{RUN}{case['answer']}\n"
    if {"kernel", "other kernel"} & set(case):
        written["cards/gpu/a.md"] = FALL
    if {"type", "front"} & set(case):
        back = "{{FrontSide}}<hr id=answer><p>{{Meaning}}</p><footer>{{Footer}}</footer>\n"
        written |= {FILES["type"]: TYPE.lstrip(), FILES["front"]: "<h1>{{Word}}</h1>\n", "cards/look/word/back.html": back}
        written["cards/gpu/a.md"] = "# el perro {#el-perro .word}\n\nthe dog\n"
    return written | {FILES[name]: text for name, text in case.items() if name in FILES}


@pytest.mark.parametrize("case", CASES, ids=[case["mistake"] for case in CASES])
def test_it_is_told_once_and_with_what_to_write(case: dict, tmp_path: Path):
    for name, text in files(case).items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(text.encode())
    done = Workshop(tmp_path).run("check")
    assert done.status == (1 if "says" in case else 0)
    assert [line.removeprefix("warning  ") for line in done.out.splitlines() if line.startswith("warning  ")] == case.get("warns", [])
    assert [re.sub(r"take \d{13},", "take …,", line) for line in done.err.splitlines() if re.match(r"\S.*:\d+: ", line)] == case.get("says", [])
