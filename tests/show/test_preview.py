"""The preview's page: every card as Anki would fill it, its data safe inside a script element, and Chromium content with it."""

from __future__ import annotations

import html
import json
import re
import shutil
import subprocess

import pytest
from near import near

from generator.keep import shown
from generator.look.notetypes import NoteType
from generator.show import preview
from kernels import remote
from tests import notes_by_hand as made

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


@pytest.fixture(autouse=True)
def made_up_kernels(monkeypatch):
    monkeypatch.setattr(remote, "find", near(made.KERNELS))


@pytest.fixture
def types(tmp_path) -> dict[str, NoteType]:
    folder = tmp_path / "look"
    folder.mkdir()
    return made.types(folder)


def page(notes, types, statuses) -> str:
    return "".join(shown.whole(made.built(notes, types), statuses))


def data_of(text):
    return json.loads(re.search(r'<script type="application/json" id="data">(.*?)</script>', text, re.DOTALL)[1])


def test_every_card_has_both_sides(types):
    data = data_of(page(made.RENDERED, types, made.STATUSES))
    assert data["types"] == {key: f"Type {key}" for key in ("cloze", "numeric", "qa")} and set(data["styles"]) == set(data["types"])
    notes = {note["id"]: note for note in data["notes"]}
    assert list(notes) == [rendered.id for rendered in made.RENDERED]
    assert [card["question"] for card in notes["gaps"]["cards"]] == [
        '<h1>How much memory does gaps take?</h1><span class="cloze" data-cloze="the frozen weights" data-ordinal="1">[...]</span>'
        ' and <span class="cloze-inactive" data-ordinal="2">the adapters</span>\n',
        '<h1>How much memory does gaps take?</h1><span class="cloze-inactive" data-ordinal="1">the frozen weights</span>'
        ' and <span class="cloze" data-cloze="the adapters" data-ordinal="2">[small]</span>\n',
    ]
    assert 'id="typeans"' in notes["typed"]["cards"][0]["question"]
    assert '<code id="typeans">42</code>' in notes["typed"]["cards"][0]["answer"]


def test_states_to_filter_by(types):
    """What the lock says is apart, so that a note of the page stays while its status changes; the page's script puts them together."""
    data = data_of(page(made.RENDERED, types, made.STATUSES))
    assert {note["id"]: note["states"] for note in data["notes"]} == {
        "full-memory": ["claim wrong"],
        "calibration": ["claim misleading", "stale"],
        "bandwidth": ["claim holds"],
        "wide-norm": ["claim open", "waiting"],
        "gaps": [],
        "typed": [],
    }
    assert data["statuses"] == {"full-memory": "changed", "typed": "new"}


def test_what_a_note_waits_for_stands_on_the_page(types):
    data = data_of(page(made.RENDERED, types, {}))
    assert {note["id"]: note["waits"] for note in data["notes"] if note["waits"]} == {"wide-norm": {"wide": 2}}
    assert data["withheld"] == []
    built = made.built(made.RENDERED, types)
    (sheet,) = built.sheets
    entry = sheet.entries[3]._replace(waits={"made_up_bandwidth(rows=65536)": 2})
    text = "".join(
        shown.whole(
            built._replace(sheets=(sheet._replace(entries=sheet.entries[:3], facts="\n".join(sheet.facts.split("\n")[:3]), withheld=(entry,)),)), {}
        )
    )
    assert data_of(text)["withheld"] == [{"id": "wide-norm", "place": "cards/memory/lora.md:20", "waits": dict(entry.waits)}]


def test_words_find_text_ids_and_kernels(types):
    words = " ".join(note["words"] for note in data_of(page(made.RENDERED, types, {}))["notes"])
    for wanted in ("full-memory", "140 gb", "made_up_memory(parameters=70e9", "cards/memory/lora.md:20", "under 10 gb", "the frozen weights and"):
        assert wanted in words


def test_a_card_cannot_end_the_data(types):
    bad = made.note("sly", Answer="</script><script>alert(1)</script><!-- <script> \u2028")
    text = page([bad], types, {})
    assert "<script" not in data_of(text)["notes"][0]["cards"][0]["answer"]
    assert text.count("</script>") == 2
    assert "<!--" not in text


def test_same_bytes_twice_and_stale_media_removed(types, tmp_path):
    out = tmp_path / "preview"
    built = made.built(made.RENDERED, types)
    path = shown.write_preview(built, made.STATUSES, out)
    first = path.read_bytes()
    assert (out / "media" / "figure-1a2b3c4d.svg").read_bytes() == made.FIGURE
    (out / "media" / "old-00000000.svg").write_bytes(b"")
    for again in (built, made.built(made.RENDERED, types)):  # its pieces kept, and made anew
        assert shown.write_preview(again, made.STATUSES, out).read_bytes() == first
    assert [p.name for p in (out / "media").iterdir()] == ["figure-1a2b3c4d.svg"]


@pytest.mark.parametrize(
    ("tex", "expected"),
    [
        (r"a \(x_1\) b", "<msub>"),
        (r"\[\frac{a}{b}\]", 'display="block"'),
        (r"\(a &lt; b\)", "&#x0003C;"),
        (r"\[\begin{aligned}a &amp;= b \\ &amp;= c\end{aligned}\]", "<mtable"),
        (r"\[\begin{align}a &amp;= b\end{align}\]", "<mtable"),
        (r"\(143\,\text{GB}\)", "<mtext>GB</mtext>"),
        (r"\(1{,}120{,}000 \times 2\)", "<mtext>1,120,000</mtext>"),
        (r"\(x <b>y</b>\)", "<mi>y</mi>"),
    ],
)
def test_math_becomes_mathml(tex, expected):
    pytest.importorskip("latex2mathml")
    shown = preview.with_mathml(tex)
    assert expected in shown
    assert "\\(" not in shown and "\\[" not in shown


def test_math_left_alone():
    pytest.importorskip("latex2mathml")
    for text in (r"<code>\(x\)</code>", r"<pre class='x'><code>\[x\]</code></pre>", r'<img alt="\(x\)">', r"<!-- \(x\) -->"):
        assert preview.with_mathml(text) == text
    assert preview.with_mathml(r"\(a_b_c\)").startswith('<code class="tex"')


@pytest.mark.skipif(not CHROMIUM, reason="no Chromium on this machine")
def test_chromium_has_nothing_to_complain_of(types, tmp_path):
    copies = tuple(note._replace(id=f"{note.id}-{n}") for n in range(20) for note in made.RENDERED)
    path = shown.write_preview(made.built(copies, types), {"gaps-1": "new", "full-memory-7": "changed"}, tmp_path / "preview")
    command = [CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"]
    command += [
        "--disable-component-update",
        "--disable-sync",
        "--disable-quic",
        f"--user-data-dir={tmp_path / 'profile'}",
        "--window-size=1280,900",
        "--enable-logging=stderr",
    ]
    command += ["--virtual-time-budget=4000", "--dump-dom", f"{path.as_uri()}#gaps-1"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert [line for line in done.stderr.splitlines() if "CONSOLE" in line] == []
    dom = html.unescape(done.stdout)
    assert dom.count("<article") == len(copies)
    assert re.search(r'<article id="note-gaps-1"[^>]*aria-current="true"', dom)
    told = {"gaps-1": ["new"], "full-memory-7": ["changed", "claim is wrong"], "full-memory-8": ["claim is wrong"]}  # what the lock says too
    for id, marks in told.items():
        header = re.search(rf'<article id="note-{id}".*?</header>', dom, re.DOTALL)[0]
        assert re.findall(r'<span class="mark [\w ]+">(.*?)</span>', header) == marks
    assert {"new", "changed"} <= set(re.findall(r'<input type="checkbox" value="(\w+)">', dom))
    frames = dom.count("<iframe")
    assert 0 < frames < len(copies)  # only near the viewport
