"""Nothing in a card runs or loads, and nothing but what was meant is Anki's own markup: each payload in each place, in one deck.

What is not refused with its place is packed, imported into the real Anki, and built in Chromium.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

import pytest
from browser import CHROMIUM, browsing
from injections import PAYLOADS, PLACES, card
from workshop import FIRST, Workshop, rows

DECK = "name: Injections\nid: 1750000000000\nslug: test-interviews\n"
PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c4890000000d49444154789c6360000002000001e221bc330000000049454e44ae426082"
)
CARDS = {
    f"{number:02}-{place.replace(' ', '-')}": card(place, payload, f"n{number:02}-{place.replace(' ', '-')}")
    for place in PLACES
    for number, payload in enumerate(PAYLOADS)
}


@pytest.fixture(scope="module")
def deck(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Workshop, dict[str, list[str]]]]:
    """The deck of what was not refused, and what was said against the rest, by file."""
    folder = tmp_path_factory.mktemp("injections")
    (folder / "cards" / "media").mkdir(parents=True)
    (folder / "cards" / "deck.yml").write_text(DECK)
    (folder / "cards" / "media" / "dot.png").write_bytes(PNG)
    for name, text in CARDS.items():
        (folder / "cards" / f"{name}.md").write_text(text, encoding="utf-8")
    shop, refused = Workshop(folder), dict[str, list[str]]()
    for line in shop.run("check").err.splitlines():
        if found := re.match(r"cards/([^:]*)\.md:(\d+): .", line):
            refused.setdefault(found[1], []).append(line)
    for name in refused:
        (folder / "cards" / f"{name}.md").unlink()
    shop.build(FIRST)
    yield shop, refused


def test_most_is_refused_and_what_is_not_is_packed(deck):
    shop, refused = deck
    packed = {fields.split("\x1f")[-3:][0] for (fields,) in rows(shop.package, "select flds from notes")}
    assert len(refused) + len(rows(shop.package, "select 1 from notes")) == len(CARDS)
    assert len(refused) > len(CARDS) // 3 and packed
    scripts = [
        f"{PAYLOADS.index('<script>alert(1)</script>'):02}-{place}" for place in ("claim", "under", "decided", "threshold", "value-in-math", "answer")
    ]
    assert set(scripts) <= set(refused)
    assert any("the note holds <script>" in line for line in refused[scripts[0]])


WHAT_RUNS = """(() => {
  const found = [];
  window.alert = () => found.push("alert");
  const host = document.createElement("div");
  document.body.append(host);
  for (const [id, html] of FIELDS) {
    host.innerHTML = html;
    for (const one of host.querySelectorAll("*")) {
      const name = one.localName;
      if (!ALLOWED.includes(name) || one.namespaceURI !== "http://www.w3.org/1999/xhtml") found.push([id, name]);
      for (const { name: attribute, value } of one.attributes) {
        if (/^on|^(srcset|action|formaction|data|poster|ping|id)$/.test(attribute)) found.push([id, name, attribute]);
        if (attribute === "src" && !/^dot-[0-9a-f]{8}\\.png$/.test(value)) found.push([id, name, value]);
        if (attribute === "href" && !["http:", "https:", "mailto:"].includes(one.protocol)) found.push([id, name, value]);
      }
      const style = getComputedStyle(one);
      if (style.position !== "static" || /url/.test(one.getAttribute("style") ?? "")) found.push([id, name, style.position]);
    }
    const again = host.innerHTML;
    host.innerHTML = again;
    if (host.innerHTML !== again) found.push([id, "is built otherwise from what is printed"]);
  }
  return JSON.stringify(found);
})()"""


@pytest.mark.skipif(not CHROMIUM, reason="no Chromium on this machine")
def test_a_browser_finds_nothing_that_runs_or_loads(deck, tmp_path: Path):
    from generator.text.safe import ELEMENTS

    shop, _ = deck
    fields = [(number, field) for number, (text,) in enumerate(rows(shop.package, "select flds from notes")) for field in text.split("\x1f") if field]
    with browsing(tmp_path / "profile") as page:
        page.go("about:blank")
        allowed = json.dumps([*ELEMENTS, "img"])

        def found(fields: list[tuple[int, str]]) -> list:
            return json.loads(page.value(WHAT_RUNS.replace("FIELDS", json.dumps(fields)).replace("ALLOWED", allowed)))

        assert found(fields) == []
        assert (
            len(found([(0, '<b style="position:fixed" onclick="x">a</b><svg></svg><a href="javascript:x">b</a><img src="//x.example/y.png">')])) == 5
        )


def test_anki_reads_no_markup_of_its_own(deck, tmp_path: Path):
    """No sound, no speech, no LaTeX, no typed answer but those of the note's type, and one cloze where one is meant."""
    collection = pytest.importorskip("anki.collection", reason="the real Anki is not installed")
    shop, _ = deck
    col = collection.Collection(str(tmp_path / "collection.anki2"))
    try:
        options = collection.ImportAnkiPackageOptions()
        col.import_anki_package(collection.ImportAnkiPackageRequest(package_path=str(shop.package), options=options))
        packed = dict(rows(shop.package, "select guid, flds from notes"))
        assert col.note_count() == len(packed)
        assert col._backend.extract_latex(text="[$]x[/$]", svg=False, expand_clozes=True).latex  # which is how LaTeX would be seen
        for id in col.find_notes(""):
            note = col.get_note(id)
            assert note.joined_fields() == packed[note.guid], "Anki keeps each field as it is"
            kind = note.note_type()["name"].rpartition(": ")[2]
            meant = {1, 9} if kind == "cloze" and PAYLOADS[int(note.fields[0][1:3])] == "{{c9::a}}" else {1}
            assert len(note.cards()) == (2 if kind == "reversed" else len(meant)), note.fields
            for one in note.cards():
                output = one.render_output()
                assert output.question_av_tags == output.answer_av_tags == [], note.fields
                for text in (output.question_text, output.answer_text):
                    assert text.count("[[type:") == (kind == "typed"), text
                    assert "[anki:" not in text and "[sound:" not in text
            for field in note.fields:
                assert not col._backend.extract_latex(text=field, svg=False, expand_clozes=True).latex, field
                assert set(col._backend.cloze_numbers_in_note(note._to_backend_note())) <= meant
    finally:
        col.close()


def test_the_preview_holds_no_more_than_the_cards(deck):
    shop, _ = deck
    shop.run("preview")
    text = (shop.folder / "build" / "preview" / "index.html").read_text(encoding="utf-8")
    data = json.loads(text.split('id="data">')[1].partition("</script>")[0])
    sides = [card[side] for note in data["notes"] for card in note["cards"] for side in ("question", "answer")]
    assert len(sides) > 500
    assert {what for side in sides for what in active(side)} == set()


def active(html: str) -> list[str]:
    """The elements and attributes of some HTML that run or load."""
    found: list[str] = []

    class Reader(HTMLParser):
        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            found.extend(re.findall(r"^(?:script|iframe|svg|style|link|meta|object|embed|form|base|noscript|template)$", tag))
            for name, value in attrs:
                if re.match(r"on|srcset|action|formaction|xlink", name) or (
                    name in ("src", "href") and not re.match(r"https?:|mailto:|dot-", value or "")
                ):
                    found.append(f"{tag} {name}={value}")

    Reader().feed(html)
    return found
