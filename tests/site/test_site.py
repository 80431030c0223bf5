"""The page for readers: what stands on it, that nothing loads from elsewhere and no script runs, and how it looks in Chromium."""

from __future__ import annotations

import hashlib
import html
import re
import zipfile
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

import pytest
from browser import CHROMIUM, browsing
from workshop import FIRST, SECOND, Workshop

from generator.keep.age import told
from generator.look.notetypes import NoteType
from generator.notes import Entry, day_of
from generator.problems import Place
from generator.site.showcase import showcase

DECK = """\
name: Seen & read
id: 1750000000000
slug: test-interviews
version: "1"
source: https://example.org/seen
description: What is <often> said.
licence: CC BY 4.0
"""
SOURCES = """\
adam:
  document: A guide
  link: https://example.org/guide?a=1&b=2
  area: training
  title: What AdamW keeps
  claims:
    1: {check: formula, says: A 70B model needs 560 GB.}
    2: {check: formula, says: Its weights take 140 GB in bf16.}
    3: {check: formula, says: The gradients take more than the moments.}
    4: {check: literature, says: Everybody does it.}
    5: {check: formula, says: The moments are the most of it.}
zebra:
  area: training
  title: Zebra & <co>
  claims:
    1: {check: formula, says: Gradients take 280 GB.}
"""
CARDS = """\
---
runs:
  full: {kernel: training_memory, parameters: 70e9}
claims:
  - {note: adam, source: adam/1, value: 560 GB, computed: full.total, verdict: wrong}
  - {note: adam, source: adam/2, value: 140 GB, computed: full.weights, verdict: holds}
  - note: adam
    source: adam/3
    holds: full.gradients > full.optimizer
    verdict: misleading
    under: {text: with one moment in bf16, computed: full.gradients >= full.optimizer / 4}
  - {note: adam, source: adam/4, decided: {by: A paper, at: table 1, value: nobody does}, verdict: wrong}
  - {note: gap, source: zebra/1, value: 280 GB, computed: full.gradients, verdict: wrong}
  - {note: gap, says: Weights take 140 GB., value: 140 GB, computed: full.weights, verdict: holds}
---

# What does AdamW hold for $N$ parameters at 70B? {#adam}

All in all [[full.total | GB]], of $16N$ bytes ![a dot](dot.svg).

![[full]]

# What AdamW keeps {#gap .cloze}

The moments take {{c1::[[full.optimizer | GB]]}}.
"""
PLAIN = "# What is it? {#seen}\n\n![a dot](dot.svg), and nothing else.\n"
DOT = '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><rect width="9" height="9"/></svg>'
VOID = {"meta", "link", "img", "input", "br", "hr", "source", "col", "wbr"}
NO_P = {"div", "ul", "ol", "table", "section", "article", "details", "p", "h1", "h2", "h3", "h4", "pre", "figure"}  # which end a paragraph


class Page(HTMLParser):
    """A page read strictly: each element ends where it was opened, and what it names is gathered."""

    def __init__(self, text: str):
        super().__init__()
        self.open: list[str] = []
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.ids: list[str] = []  # outside of shadow roots, which have their own
        self.words = ""
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag not in NO_P or "p" not in self.open, (tag, self.open, self.getpos())
        attributes = dict(attrs)
        assert len(attributes) == len(attrs), (attrs, self.getpos())
        self.elements.append((tag, attributes))
        if "id" in attributes and "template" not in self.open:
            self.ids.append(attributes["id"] or "")
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open and self.open[-1] == tag, (tag, self.open, self.getpos())
        self.open.pop()

    def handle_data(self, data: str) -> None:
        self.words += data


def made(folder: Path, deck: str = DECK, cards: str = CARDS, sources: str = SOURCES) -> Workshop:
    (folder / "cards").mkdir()
    for name, text in {"deck.yml": deck, "cards.md": cards, "sources.yml": sources, "dot.svg": DOT}.items():
        if text:
            (folder / "cards" / name).write_text(text, encoding="utf-8")
    return Workshop(folder)


def files(shop: Workshop, now: int = FIRST) -> dict[str, bytes]:
    done = shop.run("site", now=now)
    assert done.status == 0, done.err
    assert done.out.startswith("build/site/index.html: ")
    return {path.name: path.read_bytes() for path in sorted((shop.folder / "build/site").iterdir())}


def text(shop: Workshop) -> str:
    return files(shop)["index.html"].decode()


def words(page: str) -> str:
    return " ".join(Page(page).words.split())


@pytest.fixture
def seen(tmp_path: Path) -> Workshop:
    return made(tmp_path)


def test_what_stands_on_it(seen: Workshop):
    found = files(seen)
    page = found["index.html"].decode()
    said = words(page)
    assert said.startswith("Seen & read Seen & read What is <often> said. Download the deck")
    assert "2 cards in 2 notes" in said and "The deck is given away under CC BY 4.0." in said
    package = found["test-interviews.apkg"]
    assert package == (seen.folder / "build/test-interviews.apkg").read_bytes() and zipfile.is_zipfile(
        seen.folder / "build/site/test-interviews.apkg"
    )
    assert hashlib.sha256(package).hexdigest() in said and f"test-interviews.apkg, {len(package) / 1e3:.0f} kB" in said
    assert "Id:adam finds it" in said and 'href="https://example.org/seen"' in page
    assert "<math" in page and "\\(" not in page


def test_the_version_and_its_day(seen: Workshop):
    assert f"Version 1, not released yet; last changed {told(day_of(FIRST))}" in words(text(seen))
    seen.release(SECOND, "1")
    assert f"Version 1, released {told(day_of(SECOND))}" in words(text(seen))
    seen.edit("cards.md", ("All in all", "In all"))
    assert f"Version 1, not released yet; last changed {told(day_of(SECOND + 1))}" in words(text(seen))


def test_errata_by_source(seen: Workshop):
    page = text(seen)
    errata = page[page.index('<section id="errata">') : page.index('<section id="download">')]
    said = words(page)
    assert "hold 4 sentences of the sources they were made from against a computed value. 1 held, and 3 are listed here; 1 more were" in said
    order = ["A guide", "A 70B model needs 560 GB.", "The gradients take more", "Zebra & <co>", "Gradients take 280 GB."]
    assert sorted(order, key=lambda one: words_at(errata, one)) == order
    assert '<a href="https://example.org/guide?a=1&amp;b=2" rel="external">A guide</a>' in errata
    assert "1,120" in errata and "2× what is said" in html.unescape(errata), "what comes out, and how far off"
    assert "True with one moment in bf16." in errata
    assert "All in all" in errata and "<img" not in errata, "what the card answers stands where the claim has no number of its own"
    assert "What is often" not in errata and "Everybody does it" not in errata and "Weights take" not in errata
    assert errata.count("<article>") == 3 and errata.count("<code>adam</code>") == 2


def words_at(page: str, one: str) -> int:
    at = html.unescape(page).replace("\u202f", " ").replace("\u00a0", " ").find(one)
    assert at >= 0, one
    return at


def test_nothing_loads_from_elsewhere_and_no_script_runs(seen: Workshop):
    found = files(seen)
    page = Page(found["index.html"].decode())
    loads = [value for tag, attributes in page.elements for name, value in attributes.items() if name == "src" or (name == "href" and tag == "link")]
    assert len(loads) > 3 and {value for value in loads if value != "data:,"} <= found.keys()
    led = [attributes["href"] or "" for tag, attributes in page.elements if tag == "a"]
    inside = [link for link in led if not link.startswith("https://")]
    assert len(inside) >= 6 and all(link in found or link.removeprefix("#") in page.ids for link in inside), inside
    assert len(set(page.ids)) == len(page.ids)
    tags = {tag for tag, _ in page.elements}
    assert not tags & {"script", "iframe", "object", "embed", "form", "base"}
    assert not [name for _, attributes in page.elements for name in attributes if name.startswith("on")]
    (policy,) = [attributes["content"] for _, attributes in page.elements if attributes.get("http-equiv") == "Content-Security-Policy"]
    rules = dict(rule.strip().split(" ", 1) for rule in (policy or "").split(";"))
    assert rules["default-src"] == rules["base-uri"] == rules["form-action"] == "'none'" and "script-src" not in rules
    assert {word for rule in rules.values() for word in rule.split()} == {"'none'", "'self'", "file:", "data:", "'unsafe-inline'"}
    for name in found:
        if name.endswith(".css"):
            assert not re.search(rb"@import|//[a-z]", found[name]), name


def test_the_same_bytes_again_and_no_file_too_many(seen: Workshop):
    first = files(seen)
    (seen.folder / "build/site/old.svg").write_text("from before")
    seen.forgets()
    assert files(seen, SECOND) == first


def test_each_card_is_there_by_day_and_by_night(seen: Workshop):
    page = text(seen)
    assert page.count('<template shadowrootmode="open">') == 4 and page.count("nightMode night_mode") == 4
    assert page.count('class="light"') == page.count('class="dark"') == 2  # the figure on the one back
    assert '<link rel="stylesheet" href="card-qa.css">' in page and '<link rel="stylesheet" href="card-cloze.css">' in page


def test_a_deck_of_one_note_without_claims(tmp_path: Path):
    shop = made(tmp_path, "name: Small\nid: 1750000000000\n", PLAIN, "")
    found = files(shop)
    page = found["index.html"].decode()
    said = words(page)
    assert "errata" not in page.lower() and "Licence" not in said and "nobody typed" not in said and "Version" not in said
    assert "1 card in 1 note." in said and "A card to turn over" in said and "to whoever gave you this page" in said
    assert any(name.startswith("dot-") for name in found)


def test_the_deck_that_init_makes(tmp_path: Path):
    shop = Workshop(tmp_path)
    assert shop.run("init", "kitchen").status == 0
    done = shop.run("site", "kitchen/cards", "--build", "kitchen/build")
    assert done.status == 0, done.err
    page = Page((tmp_path / "kitchen/build/site/index.html").read_text(encoding="utf-8"))
    assert len([tag for tag, _ in page.elements if tag == "template"]) >= 10


def test_the_notes_that_deck_yml_names(seen: Workshop):
    seen.edit("deck.yml", ("licence:", "showcase: [gap]\nlicence:"))
    page = text(seen)
    assert 'id="card-gap"' in page and 'id="card-adam"' not in page and "All in all" in page and "<img" not in page
    seen.edit("deck.yml", ("[gap]", "[gap, adams, gap]"))
    assert "cards/deck.yml:7: the note 'gap' stands twice" in seen.run("site").err
    seen.edit("deck.yml", ("[gap, adams, gap]", "[gap, adams]"))
    for command in ("site", "check"):
        done = seen.run(command)
        assert done.status == 1 and "cards/deck.yml:7: the showcase names a note 'adams' that the deck does not hold (did you mean adam?" in done.err


def entries(*notes: str) -> Iterator[Entry]:
    """Notes as "id deck type" or "id deck type picture"."""
    for note in notes:
        id, deck, type, *picture = note.split()
        yield Entry(id, type, deck, (), (0,), {}, dict.fromkeys(picture, 1), (), (), "", "", (), (), {}, "", Place(f"cards/{id}.md"), (id,))


def types_of(**fronts: str) -> dict[str, NoteType]:
    return {key: type("Kind", (), {"templates": [type("Side", (), {"front": front, "back": ""})]})() for key, front in fronts.items()}


@pytest.mark.parametrize(
    ("notes", "chosen"),
    [
        (["a one qa", "b one qa svg", "c two qa", "d two cloze"], "b d a c"),  # a picture first, then another type
        (["a one qa", "b two qa", "c two occlusion"], "a b"),  # what needs a script is left out
        ([f"{deck}{number} {deck} qa" for deck in "vwx" for number in range(9)], "v0 w0 x0 v1 w1 x1 v2 w2 x2 v3"),  # ten at most
        ([], ""),
    ],
)
def test_which_notes_are_chosen(notes: list[str], chosen: str):
    types = types_of(qa="{{Front}}", cloze="{{cloze:Text}}", occlusion="<script>anki.imageOcclusion.setup()</script>")
    assert " ".join(entry.id for entry in showcase(list(entries(*notes)), {}, types)) == chosen


def test_what_is_no_address(seen: Workshop):
    seen.edit("sources.yml", ("https://example.org/guide?a=1&b=2", "javascript:alert(1)"))
    assert "cards/sources.yml:3: the link 'javascript:alert(1)' is no web address" in seen.run("site").err


TURN = "[...document.querySelectorAll('.day')][0].shadowRoot.querySelector('summary').click()"
SHOWN = """(() => {
  const seen = element => element.checkVisibility();
  const hosts = [...document.querySelectorAll('.day, .night')].filter(seen);
  const root = hosts[0].shadowRoot;
  const images = [...root.querySelectorAll('img')].filter(seen);
  const shown = images.map(image => image.className + (image.naturalWidth > 0)).join(' ');
  return [hosts.map(host => host.className).join(' '), seen(root.querySelector('.question')), shown];
})()"""


@pytest.mark.skipif(not CHROMIUM, reason="no Chromium on this machine")
def test_in_chromium(seen: Workshop, tmp_path: Path):
    files(seen)
    with browsing(tmp_path / "profile") as page:
        page.go((seen.folder / "build/site/index.html").as_uri())
        page.until("[...document.querySelectorAll('.day, .night')].every(host => host.shadowRoot.querySelector('details'))")
        for theme, other in (("light", "day day"), ("dark", "night night")):
            page.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": theme}])
            for width in (360, 1280):
                page.call("Emulation.setDeviceMetricsOverride", width=width, height=800, deviceScaleFactor=1, mobile=False)
                assert page.value("document.documentElement.scrollWidth") == width
            assert page.value(SHOWN) == [other, True, ""]
            page.value(TURN if theme == "light" else TURN.replace(".day", ".night"))
            page.until(f"({SHOWN})[2] === 'platetrue {theme}true'")
            assert page.value(SHOWN) == [other, False, f"platetrue {theme}true"]
        page.value("document.body.insertAdjacentHTML('beforeend', '<img src=\"https://evil.example/x.png\" onerror=\"window.ran = 1\">')")
        assert page.complaints and all("Content Security Policy" in one for one in page.complaints)
