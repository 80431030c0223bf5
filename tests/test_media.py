"""Pictures, sounds and films from the author's folder to the real Anki: packed, played, told of, and noticed when they change."""

from __future__ import annotations

import base64
import io
import json
import os
import random
import re
from pathlib import Path
from unicodedata import normalize

import pytest
from browser import CHROMIUM, browsing
from workshop import FIRST, SECOND, Workshop

from generator.read import html, media
from generator.render import figures
from generator.text.media import players
from generator.text.safe import defused

MP3 = (b"\xff\xfb\x90\x00" + bytes(413)) * 4  # frames of silence
SVG = b'<?xml version="1.0"?>\n<!-- drawn -->\n<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><rect width="9" height="9"/></svg>'
FILES = {  # name -> the least that is what the name says
    "perro.mp3": b"ID3\x03\0\0\0\0\0\0" + MP3,
    "sub dir/a 5 s_b_c.mp3": MP3,
    "gato.ogg": b"OggS" + bytes(60),
    "gato.opus": b"OggS" + bytes(60),
    "pato.flac": b"fLaC" + bytes(60),
    "rana.wav": b"RIFF\x24\0\0\0WAVEfmt " + bytes(28),
    "oso.m4a": b"\0\0\0\x18ftypM4A \0\0\0\0",
    "lobo.aac": b"\xff\xf1\x50\x80" + bytes(60),
    "run.mp4": b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom",
    "run.mov": b"\0\0\0\x14ftypqt  \0\0\0\0",
    "run.webm": b"\x1aE\xdf\xa3" + bytes(60),
    "run.ogv": b"OggS" + bytes(60),
    "run.avi": b"RIFF\x24\0\0\0AVI LIST",
    "run.mpg": b"\0\0\1\xba" + bytes(60),
    "foto.webp": b"RIFF\x1a\0\0\0WEBPVP8L\x0d\0\0\0\x2f\0\0\0\x10\x07\x10\x11\x11\x88\x88\xfe\x07\0",
    "foto.jpg": b"\xff\xd8\xff\xe0\0\x10JFIF" + bytes(12) + b"\xff\xda\0\x08" + bytes(9) + b"\xff\xd9",
    "foto.png": (Path(__file__).parent / "elsewhere" / "table" / "dot.png").read_bytes(),
    "foto.gif": b"GIF89a\1\0\1\0\0\0\0;",
    "plan.svg": SVG,
}
UNEASY = {"gato.ogg", "gato.opus", "pato.flac", "run.webm", "run.ogv", "run.avi", "run.mpg"}

CARDS = """# ![el perro](perro.mp3) {#dog .reversed}

the dog [sound:sub dir/a 5 s_b_c.mp3]

![a dog](foto.webp){width=200}

# Which animal barks? {#bark}

![bark](rana.wav), and `[sound:perro.mp3]` is its tag, $[sound:perro.mp3]$ and <span title="[sound:perro.mp3]">here</span>.

```
[sound:perro.mp3]
```

## Depth

![how it *runs*](run.mp4) and ![half](plan.svg){width=50%}

# It barks {#gap .cloze}

A dog says {{c1::![woof](perro.mp3)}}, a cat {{c2::meow::[sound:gato.mp3]}}. {{c3::![a dog](foto.webp){width=20}}}

# ![listen](perro.mp3) Write what you hear. {#typed .typed}

perro
"""


@pytest.fixture
def shop(tmp_path: Path) -> Workshop:
    """A deck with all of FILES beside its one topic."""
    made = Workshop(tmp_path / "deck")
    folder = made.folder / "cards" / "words"
    (folder / "sub dir").mkdir(parents=True)
    (made.folder / "cards" / "media").mkdir()
    for name, content in FILES.items():
        (folder / name).write_bytes(content)
    (made.folder / "cards" / "media" / "gato.mp3").write_bytes(MP3 + b"cat")
    (made.folder / "cards" / "deck.yml").write_text("name: Test interviews\nid: 1731234567890\n", encoding="utf-8")
    (folder / "animals.md").write_text(CARDS, encoding="utf-8")
    return made


def shown(shop: Workshop) -> dict[str, list[tuple[str, list[str], str, list[str]]]]:
    """Each note's cards in the real Anki: the front and what it plays, the back and what it plays."""
    pytest.importorskip("anki", reason="the anki library is not installed")
    from test_anki import Learner

    learner = Learner(shop.folder / "collection.anki2")
    learner.takes(shop.package)
    check = learner.col.media.check()
    assert not list(check.missing) and not list(check.unused)
    found: dict[str, list[tuple[str, list[str], str, list[str]]]] = {}
    for id in learner.col.find_notes(""):
        for card in learner.col.get_note(id).cards():
            out = card.render_output()
            played = [[tag.filename for tag in tags] for tags in (out.question_av_tags, out.answer_av_tags)]
            found.setdefault(card.note()["Id"], []).append((out.question_text, played[0], out.answer_text, played[1]))
    learner.col.close()
    return found


def stems(names: list[str]) -> list[str]:
    return [re.sub(r"-[0-9a-f]{8}\.", ".", name) for name in names]


def test_anki_plays_them_and_misses_none(shop: Workshop):
    shop.build(FIRST)
    cards = shown(shop)
    (front, played, _, both), (_, backward, _, _) = cards["dog"]
    assert 'aria-label="el perro">[anki:play:q:0]' in front
    assert stems(played) == ["perro.mp3"] and stems(both) == ["a-5-s-b-c.mp3"] and stems(backward) == ["a-5-s-b-c.mp3"]
    ((_, nothing, back, played),) = cards["bark"]
    assert nothing == [] and stems(played) == ["rana.wav", "run.mp4"]  # what stands in code, math or a title is no sound
    assert back.count("&#91;sound:perro.mp3]") == 4 and 'alt="half" width="50%"' in back
    (hidden, played, _, answer), (hinted, _, _, _), (_, _, last, _) = cards["gap"]
    assert played == [] and stems(answer) == ["perro.mp3"] and "[anki:play" not in hidden
    assert "[anki:play:q:1]" in hinted and 'alt="a dog" width="20"' in last
    assert stems(cards["typed"][0][1]) == ["perro.mp3"]


def test_the_preview_has_players(shop: Workshop):
    assert shop.run("preview").status == 0
    page = (shop.folder / "build/preview/index.html").read_text(encoding="utf-8")
    found = re.findall(r'<(audio|video) controls(?:=\\"\\")? preload=\\"metadata\\" src=\\"([^\\]+)\\">', page)
    assert {(element, stem) for element, name in found for stem in stems([name])} == {
        ("audio", "perro.mp3"),
        ("audio", "a-5-s-b-c.mp3"),
        ("audio", "rana.wav"),
        ("audio", "gato.mp3"),
        ("video", "run.mp4"),
    }
    assert all((shop.folder / "build/preview/media" / name).is_file() for _, name in found)


def test_the_summary_counts_them(shop: Workshop):
    done = shop.run("deck")
    assert re.search(r"^media    7 files, \d+ kB: 2 images of 0 kB, 4 sounds of \d+ kB, 1 film of 0 kB$", done.out, re.MULTILINE), done.out
    report = json.loads((shop.folder / "build/report.json").read_text(encoding="utf-8"))
    assert report["media"]["films"] == {"files": 1, "bytes": len(FILES["run.mp4"])} and report["sizes"]["media_files"] == 7


@pytest.mark.parametrize("name", ["perro.mp3", "sub dir/a 5 s_b_c.mp3", "run.mp4", "plan.svg"])
def test_a_changed_file_is_noticed(name: str, shop: Workshop):
    shop.build(FIRST)
    before = set((shop.folder / "build/media").iterdir())
    file = shop.folder / "cards/words" / name
    file.write_bytes(file.read_bytes().replace(b"</svg>", b" </svg>") + b"\n")
    done = shop.run("deck", now=SECOND)
    assert done.status == 0 and " changed" in done.out.splitlines()[0] or " new" in done.out.splitlines()[0]
    after = set((shop.folder / "build/media").iterdir())
    assert len(after - before) == len(before - after) == 1
    file.unlink()
    done = shop.run("deck", now=SECOND)
    assert done.status == 1 and f"there is no {media.kind_of(name)} {name!r}" in done.err


def test_a_warning_outlives_the_cache(shop: Workshop):
    topic = shop.folder / "cards/words/animals.md"
    topic.write_text(f"{CARDS}\n## Note\n\n![miau](gato.ogg)\n", encoding="utf-8")
    told = [line for _ in range(2) for line in shop.run("deck").out.splitlines() if line.startswith("warning")]
    assert told == [told[0]] * 2 and "gato.ogg' is ogg, which an iPhone does not play (mp3 or m4a plays everywhere)" in told[0]


# ------------------------------------------------------------------------------------------- what is refused


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[sound:pero.mp3]", "there is no sound 'pero.mp3' (did you mean perro.mp3"),
        ("![el perro](pero.mp3)", "there is no sound 'pero.mp3' (did you mean perro.mp3"),
        ("[Sound: pero.mp3 ]", "there is no sound 'pero.mp3' (did you mean perro.mp3"),
        ("![run](runs.mp4)", "there is no film 'runs.mp4' (did you mean run.mp4"),
        ("[sound:https://example.org/perro.mp3]", "the sound 'https://example.org/perro.mp3' is remote"),
        ("[sound:../../secret.mp3]", "the sound path '../../secret.mp3' leads out of cards/"),
        ("[sound:/perro.mp3]", "the sound path '/perro.mp3' is absolute"),
        ("[sound:perro.mp5]", "'perro.mp5' is no image, sound or film that Anki shows"),
        ("[sound:perro.mp3", "[sound:perro.mp3 plays nothing (write [sound:perro.mp3], or ![perro](perro.mp3))"),
        ("[sound:]", "[sound:] plays nothing"),
        ("![](perro.mp3)", "a sound without alt text"),
        ("![el perro](perro.mp3){width=200}", "{width=200} says nothing of the sound 'perro.mp3' (only images have a width)"),
        ("![a dog](foto.png){width=big}", "{width=big} says nothing of the image 'foto.png' ({width=200} in pixels"),
        ("![a dog](foto.png){height=20}", "{height=20} says nothing of the image 'foto.png'"),
        ("![a dog](foto.png){.wide}", "{.wide} says nothing of the image 'foto.png'"),
        ('<audio src="perro.mp3"></audio>', "<audio> is not allowed on a card (write ![what is heard](path))"),
    ],
)
def test_what_cannot_be_played_is_told_where_it_stands(text: str, message: str, shop: Workshop):
    (shop.folder / "cards/words/animals.md").write_text(f"# Which animal? {{#animal}}\n\nThis one:\n\n{text}\n", encoding="utf-8")
    done = shop.run("deck")
    assert done.status == 1 and f"cards/words/animals.md:5: {message}" in done.err, done.err


PAGE = b"<!doctype html><html><title>404</title></html>"


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("perro.mp3", PAGE, "the sound 'perro.mp3' is no mp3: its content is of no kind known here"),
        ("run.mp4", PAGE, "the film 'run.mp4' is no mp4: its content is of no kind known here"),
        ("foto.png", PAGE, "the image 'foto.png' is no png: its content is of no kind known here"),
        ("plan.svg", PAGE, "the image 'plan.svg' is no svg: its content is of no kind known here"),
        ("perro.mp3", FILES["foto.png"], "the sound 'perro.mp3' is no mp3: it is png"),
        ("foto.png", MP3, "the image 'foto.png' is no png: it is mp3"),
        ("rana.wav", FILES["run.avi"], "the sound 'rana.wav' is no wav: it is avi"),
        ("perro.mp3", b"", "the sound 'perro.mp3' is empty"),
        *[
            ("plan.svg", SVG.replace(b"<rect", inside + b"<rect"), f"the image 'plan.svg' holds {told}")
            for inside, told in [
                (b"<script>alert(1)</script>", "<script"),
                (b"<svg:script>alert(1)</svg:script>", "<svg:script"),
                (b'<image href="https://example.org/a.png"/>', 'href="https://example.org/a.png'),
                (b'<image xlink:href="other.png"/>', 'href="other.png'),
                (b"<image href='//example.org/a.png'/>", "href='//example.org/a.png"),
                (b'<use href="other.svg#x"/>', 'href="other.svg#x'),
                (b'<image href="data:image/svg+xml;base64,AAAA"/>', 'href="data:image/svg+xml;base64,AAAA'),
                (b"<style>rect { fill: url(pattern.svg#x) }</style>", "url(pattern.svg#x"),
                (b'<style>@import "a.css";</style>', "@import"),
                (b'<g onclick="x()"/>', "onclick="),
                (b"<?xml-stylesheet href='a.css'?>", "<?xml-stylesheet"),
            ]
        ],
    ],
)
def test_content_is_what_the_name_says(name: str, content: bytes, message: str, shop: Workshop):
    folder = shop.folder / "cards/words"
    (folder / name).write_bytes(content)
    found = media.problem(name, folder, folder.parent)
    assert found and found[0] == message


@pytest.mark.parametrize("inside", [b'<use href="#x"/>', b'<rect fill="url(#g)"/>', b'<image href="data:image/png;base64,AAAA"/>', b'<a href=""/>'])
def test_an_svg_may_refer_to_itself(inside: bytes, shop: Workshop):
    folder = shop.folder / "cards/words"
    (folder / "plan.svg").write_bytes(SVG.replace(b"<rect", inside + b"<rect"))
    assert media.problem("plan.svg", folder, folder.parent) is None


@pytest.mark.parametrize("name", FILES)
def test_each_format_is_known_and_said_where_a_phone_is_uneasy(name: str, shop: Workshop):
    folder = shop.folder / "cards/words"
    assert media.problem(name, folder, folder.parent) is None
    warned = media.warning(name, folder, folder.parent)
    assert (warned is not None) == (name in UNEASY)
    assert warned is None or "which an iPhone does not play" in warned[0]


@pytest.mark.parametrize(
    ("name", "content", "right"),
    [("foto.webp", FILES["foto.png"], "foto.png"), ("foto.png", FILES["foto.jpg"], "foto.jpeg"), ("perro.mp3", FILES["oso.m4a"], "perro.m4a")],
)
def test_another_format_under_the_name_is_told(name: str, content: bytes, right: str, shop: Workshop):
    folder = shop.folder / "cards/words"
    (folder / name).write_bytes(content)
    assert media.problem(name, folder, folder.parent) is None
    warned = media.warning(name, folder, folder.parent)
    assert warned and "by its content" in warned[0] and warned[1] == f"rename it to {right}"


def test_what_is_too_large_is_refused_with_the_reason(shop: Workshop):
    folder = shop.folder / "cards/words"
    with (folder / "run.mp4").open("r+b") as file:
        file.truncate(media.LARGEST + (1 << 20))
    assert media.problem("run.mp4", folder, folder.parent) == ("the film 'run.mp4' has 101 MiB", "at most 100 MiB: AnkiWeb syncs no larger file")
    with (folder / "rana.wav").open("r+b") as file:
        file.truncate(5_300_000)
    warned = media.warning("rana.wav", folder, folder.parent)
    assert warned and warned[0] == "the sound 'rana.wav' is 5.3 MB of wav, which is not compressed"


def test_players_stand_where_tags_do():
    assert (
        players('<i title="[sound:a.mp3]">[sound:a.mp3]</i>')
        == '<i title="[sound:a.mp3]"><audio controls preload="metadata" src="a.mp3"></audio></i>'
    )
    assert defused("[sound:a] [anki:tts lang=en]") == "&#91;sound:a] &#91;anki:tts lang=en]"


def test_widths():
    good, bad = (
        ("{width=200}", "{width=200px}", "{width=50%}", "{width=100%}"),
        ("{width=0}", "{width=120%}", "{width=}", "{width=1.5}", "{width=20em}"),
    )
    assert all(html.WIDTH.fullmatch(width) for width in good) and not any(html.WIDTH.fullmatch(width) for width in bad)


# ------------------------------------------------------------------------------------- pictures that show nothing, or too much


def picture(format: str, draw: random.Random) -> bytes:
    """A picture of some pixels."""
    image = pytest.importorskip("PIL.Image")
    written = io.BytesIO()
    made = image.effect_noise((draw.randint(8, 40), draw.randint(8, 40)), 60)
    made.save(written, format, **({"progressive": draw.random() < 0.5, "exif": made.getexif()} if format == "jpeg" else {}))
    return written.getvalue()


@pytest.mark.parametrize("format", ["png", "jpeg", "gif", "webp"])
def test_a_picture_that_is_cut_or_damaged_is_told(format: str, tmp_path: Path):
    draw = random.Random(5)
    for _ in range(30):
        whole = picture(format, draw)
        for content, told in ((whole, False), (whole + bytes(draw.randint(0, 40)), False), (whole[: draw.randint(60, len(whole) - 1)], True)):
            (tmp_path / f"x.{format}").write_bytes(content)
            found = media.problem(f"x.{format}", tmp_path, tmp_path)
            assert (found is not None) == told, found


def test_a_bit_of_a_png_that_flipped_is_told(tmp_path: Path):
    draw = random.Random(7)
    for _ in range(60):
        content = bytearray(picture("png", draw))
        content[draw.randrange(8, len(content))] ^= 1 << draw.randrange(8)
        (tmp_path / "x.png").write_bytes(content)
        assert media.problem("x.png", tmp_path, tmp_path) is not None


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("x.png", b"", "is empty"),
        (
            "x.png",
            b"<!doctype html><title>404</title>",
            "is no png: its content is of no kind known here (a page that was saved in place of the file?)",
        ),
        ("x.svg", b"<html><body>404</body></html>", "is no svg"),
        ("x.svg", SVG[: len(SVG) // 2], "is broken on its line 3"),
        ("x.svg", SVG.replace(b"</svg>", b"<g></svg>"), "mismatched tag"),
        ("x.svg", b"<svg/>", 'lacks xmlns="http://www.w3.org/2000/svg"'),
    ],
)
def test_a_picture_that_shows_nothing_is_told(name: str, content: bytes, says: str, tmp_path: Path):
    (tmp_path / name).write_bytes(content)
    message, hint = media.problem(name, tmp_path, tmp_path) or ("", "")
    assert says in f"{message} ({hint})"


def test_a_twin_that_is_cut_is_told(tmp_path: Path):
    (tmp_path / "x.svg").write_bytes(SVG)
    (tmp_path / "x.dark.svg").write_bytes(SVG[:-4])
    message, _ = media.problem("x.svg", tmp_path, tmp_path) or ("", "")
    assert message.startswith("the image 'x.dark.svg' is broken on its line 3")


@pytest.mark.parametrize(
    "style",
    [
        "rect{fill:#000}@media (prefers-color-scheme: dark){rect{fill:#fff}}",
        "rect{fill:#fff}@media screen and ( Prefers-Color-Scheme:light ){rect{fill:#000}}",
        "svg{color-scheme: light dark}rect{fill:light-dark(#000,#fff)}",
        "svg{color-scheme:dark light}rect{fill:CanvasText}",
        "svg{color-scheme:dark light}rect{fill:#888}@media not (prefers-color-scheme: dark){rect{fill:black}}",
    ],
)
def test_a_picture_does_not_ask_the_phone_for_its_theme(style: str, tmp_path: Path):
    """Its paper is light at night too, whatever the phone says: black on it stays black, and its twin for the night is white."""
    content = f'<svg xmlns="http://www.w3.org/2000/svg" width="60" height="60"><style>{style}</style><rect width="60" height="60"/></svg>'
    for name in ("x.svg", "x.dark.svg"):
        (tmp_path / name).write_text(content)
    (_, light), (_, dark) = sorted(figures.picture(tmp_path / "x.svg", "x")[1].items(), key=lambda one: "-dark-" in one[0])
    assert b"prefers" not in light + dark
    if not CHROMIUM:
        pytest.skip("there is no Chromium")
    page = "<!doctype html><style>:root{{color-scheme:{}}}</style><img src='data:image/svg+xml;base64,{}'>"
    with browsing(tmp_path / "profile") as browser:
        for system in ("light", "dark"):
            browser.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": system}])
            for card in ("normal", "only light", "only dark"):
                for shown, colour in ((light, 0), (dark, None if "#888" in style else 255)):
                    (tmp_path / "page.html").write_text(page.format(card, base64.b64encode(shown).decode()))
                    browser.go((tmp_path / "page.html").as_uri())
                    drawn = "c=document.createElement('canvas').getContext('2d'),c.drawImage(document.images[0],0,0),c.getImageData(9,9,1,1).data[0]"
                    assert colour is None or browser.value(drawn) == colour, (system, card)


ODD = {
    "a folder": (Path.mkdir, "it is a folder and no file"),
    "a pipe": (os.mkfifo, "it is a pipe and no file"),
    "a loop": (lambda path: path.symlink_to(path.name), "Too many levels of symbolic links"),
    "a broken link": (lambda path: path.symlink_to("nowhere.png"), "a broken link"),
}


@pytest.mark.parametrize("case", ODD)
@pytest.mark.parametrize("name", ["plan.png", "deep/plan.svg", "perro.mp3", "run.mp4"])
def test_what_lies_in_the_place_of_a_medium_is_named(name: str, case: str, tmp_path: Path):
    make, says = ODD[case]
    for cards in (tmp_path / "beside" / name, tmp_path / "shared" / "media" / name):
        cards.parent.mkdir(parents=True)
        make(cards)
    for directory, cards in ((tmp_path / "beside", tmp_path / "beside"), (tmp_path / "shared" / "topic", tmp_path / "shared")):
        message, hint = media.problem(name, directory, cards) or ("", "")
        kind = media.kind_of(name)
        assert (message, hint) == (f"the {kind} {name!r} cannot be read: {says}", f"put the {kind} itself in its place")


@pytest.mark.parametrize("name", ["caf\u00e9.png", "\u00e9t\u00e9/plan.png", "\u00e9t\u00e9/../\u00fcber/\u1ec7.png", "\ud55c\uad6d.png"])
@pytest.mark.parametrize("folder", ["topic", "media"])
def test_a_picture_whose_accents_are_apart_is_told_so(folder: str, name: str, tmp_path: Path):
    for part in Path(normalize("NFD", name)).parts[:-1]:
        (tmp_path / folder / part).mkdir(parents=True, exist_ok=True)
    path = tmp_path / folder / normalize("NFD", name)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(FILES["foto.png"])
    if (tmp_path / folder / name).exists():
        pytest.skip("a file system to which both are one")
    message, hint = media.problem(name, tmp_path / "topic", tmp_path) or ("", "")
    assert message == f"the image {name!r} is there, under a name whose accents are apart from their letters (NFD)"
    assert hint == "rename it, typing the name anew"
    for part in Path(name).parts[:-1]:
        (tmp_path / folder / part).mkdir(exist_ok=True)
    written = path.rename(tmp_path / folder / name)
    assert media.problem(name, tmp_path / "topic", tmp_path) is None
    written.unlink()
    assert (media.problem(name, tmp_path / "topic", tmp_path) or ("", ""))[0] == f"there is no image {name!r}"
