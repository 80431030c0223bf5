"""Decks made by the real Anki: every stock type, media, tags, decks in decks, odd characters; and a learner who has studied them."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import anki.lang
from anki.collection import Collection, ExportAnkiPackageOptions, ImportAnkiPackageOptions, ImportAnkiPackageRequest

MADE = 1_780_000_000  # when its notes were last changed

PNG = (Path(__file__).parent / "table" / "dot.png").read_bytes()
BASIC = [
    ("el perro", "the dog", "Español::Capítulo 1", ["animal", "a1::noun"]),
    ("la <b>casa</b> &amp; el&nbsp;jardín", "the house<br>and the garden<div><i>both</i></div>", "Español::Capítulo 1", ["a1::noun"]),
    ("el perro", "another dog", "Español::Capítulo 1", []),
    ("猫", "ねこ", "Español::日本語", ["日本"]),
    (r"\(x_1^2 &lt; 3\)", r"\[\frac{a}{b}\] and [latex]$y$[/latex]", "Español", ["math"]),
    ('<img src="my picture.png">', "a pixel", "Español", []),
    ("# of *stars* [x](y) $5 {{no}} [[ref]]", "1. not a list<br>- nor this<br>&lt;b&gt; C:\\dir `tick` |", "Español", ["odd"]),
    ("what is listed?", "<ul><li>one</li><li>two<ul><li>inner</li></ul></li></ul>", "Español", []),
    (
        "<ul><li>front</li><li>list</li></ul>",
        '<span style="color: rgb(255, 0, 0);">red</span> <a href="https://example.org/a_b">link</a>',
        "Español",
        [],
    ),
    ("code", "<pre><code>def f(x):\n    return x &lt; 3\n</code></pre>", "Español", []),
    ("table", "<table><tbody><tr><td>a</td><td>1</td></tr><tr><td>b</td><td>2</td></tr></tbody></table>", "Español", []),
    ("math in a table", "<table><tr><th>x</th></tr><tr><td>\\(x^2\\)</td></tr></table>", "Español", []),
    ("blank lines", "one<br><br>two<br><br><br>three", "Español", []),
    ("literal {{c1::cloze}} marks", "stay", "Español", []),
]


def made(path: Path) -> Any:
    """A collection with all of them."""
    anki.lang.set_lang("en")
    col = Collection(str(path))
    col.media.write_data("my picture.png", PNG)
    col.media.write_data("_logo.png", PNG + b"logo")

    def add(kind: str, fields: list[str], deck: str, tags: list[str]) -> Any:
        note = col.new_note(col.models.by_name(kind))
        note.fields[: len(fields)] = fields
        note.tags = tags
        col.add_note(note, col.decks.id(deck))
        return note

    for front, back, deck, tags in BASIC:
        add("Basic", [front, back], deck, tags)
    add("Basic (and reversed card)", ["uno", "one"], "Español::Capítulo 2", [])
    add("Basic (optional reversed card)", ["dos", "two", "y"], "Español::Capítulo 2", [])
    add("Basic (optional reversed card)", ["tres", "three"], "Español::Capítulo 2", [])
    add("Basic (type in the answer)", ["cuatro", "<b>four</b>"], "Español::Capítulo 2", [])
    add("Cloze", ["The {{c1::<b>powerhouse</b>::what?}} of the {{c2::cell}}", "extra"], "Español::Capítulo 2", ["bio"])
    add("Cloze", [r"{{c1::\(\frac{a}{\sqrt{b} }\)}} is {{c2::std:<!-- -->:vector}}<br>line {{c3::two}}", ""], "Español::Capítulo 2", [])
    rectangle = "{{{{c{}::image-occlusion:rect:left=.{}:top=.2:width=.3:height=.1:oi=1}}}}<br>"
    occlusion = rectangle.format(1, 1) + rectangle.format(2, 5)
    add("Image Occlusion", [occlusion, '<img src="my picture.png">', "Header", "Back", "Comment"], "Español::Capítulo 2", [])
    kind = col.models.new("Vocabulary")
    for name in ("Word", "Reading", "Meaning", "Front", "Id"):
        col.models.add_field(kind, col.models.new_field(name))
    for name, front, back in (
        (
            "Read",
            '<script>alert(1)</script><div onclick="x()" class=w>{{Word}}</div><img src="_logo.png">',
            "{{FrontSide}}<hr id=answer>{{Reading}} {{furigana:Reading}} {{hint:Id}}",
        ),
        (
            "Mean",
            "{{#Meaning}}{{Meaning}}{{/Meaning}}",
            '{{FrontSide}}<hr id=answer>{{Word}}{{addon:Reading}}<link href="https://example.org/x.css" rel="stylesheet">',
        ),
    ):
        template = col.models.new_template(name)
        template["qfmt"], template["afmt"] = front, back
        col.models.add_template(kind, template)
    kind["css"] += '\n@import url("https://example.org/font.css");\n.w { color: #123456; background: url("_logo.png"); }\n'
    col.models.add(kind)
    add("Vocabulary", ["食べる", " 食[た]べる", "to eat", "F", "17"], "Español::日本語", ["verb"])
    add("Vocabulary", ["飲む", " 飲[の]む", "", "", ""], "Español::日本語", ["verb"])
    col.db.execute("update notes set mod = ?", MADE)
    return col


def studied(col: Any) -> None:
    """Its owner reviews some cards, suspends and flags others, and edits nothing."""
    cards = col.find_cards("")
    for number, id in enumerate(cards[:12]):
        card = col.get_card(id)
        card.start_timer()
        col.sched.answerCard(card, 1 + number % 4)
    col.sched.suspend_cards(cards[-2:])
    col.set_user_flag_for_cards(3, cards[12:14])


def taken(col: Any, package: Path) -> SimpleNamespace:
    """Imports a package with Anki's own defaults; returns how many notes it took in which way."""
    log = col.import_anki_package(ImportAnkiPackageRequest(package_path=str(package), options=ImportAnkiPackageOptions())).log
    col.models._clear_cache()
    return SimpleNamespace(new=len(log.new), updated=len(log.updated), same=len(log.duplicate), conflicting=len(log.conflicting))


def state(col: Any) -> list[Any]:
    """All that a learner has: cards with their schedules, reviews, notes, note types."""
    cards = col.db.all("select id, nid, did, ord, type, queue, due, ivl, factor, reps, lapses, left, flags, data from cards order by id")
    notes = col.db.all("select id, guid, mid, mod, tags, flds from notes order by id")
    types = [(kind.id, kind.name, kind.use_count) for kind in col.models.all_use_counts()]
    return [cards, col.db.all("select * from revlog order by id"), notes, types, [col.models.get(id) for id, _, _ in types]]


def exported(col: Any, path: Path, legacy: bool = False) -> Path:
    options = ExportAnkiPackageOptions(with_scheduling=False, with_deck_configs=False, with_media=True, legacy=legacy)
    col.export_anki_package(out_path=str(path), options=options, limit=None)
    return path
