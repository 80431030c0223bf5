"""What is no deck, or a damaged one: a line with the place of the file, never a traceback, never a wait."""

from __future__ import annotations

import io
import json
import os
import re
import sqlite3
import zipfile
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("markdownify", reason="markdownify is not installed")

from generator.elsewhere import apkg

LINE = re.compile(r"(?!/tmp/warpdeck)[^\n]+:\d+: [^\n]+|\d+ problems?; nothing was written")
STEERS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\uf8ff]")
PNG = (Path(__file__).parent / "table" / "dot.png").read_bytes()
ODD = ["\x1f", "\x00", "\x1b[31m", "\x85", "\ue000", "\ue010", "\ue013", "\ufffe"]


def model(**changes: Any) -> dict[str, Any]:
    template = {"name": "Card 1", "qfmt": "{{Front}}", "afmt": "{{FrontSide}}{{Back}}", "ord": 0}
    fields = [{"name": "Front", "ord": 0}, {"name": "Back", "ord": 1}]
    return {"id": 1500000000000, "name": "Word", "type": 0, "mod": 5, "css": "", "flds": fields, "tmpls": [template], **changes}


def package(models: Any = None, decks: Any = None, media: Any = "{}", more: str = "", **note: Any) -> bytes:
    values = {"id": 1, "guid": "abcd", "mid": 1500000000000, "mod": 7, "tags": "", "flds": "el perro\x1fthe dog", **note}
    with closing(sqlite3.connect(":memory:")) as database:
        database.executescript("create table col (models, decks); create table notes (id integer primary key, guid, mid, mod, tags, flds);")
        database.execute("create table cards (id integer primary key, nid, did, odid, ord)")
        said = [json.dumps(one) if isinstance(one, dict) else one for one in (models or {"1": model()}, decks or {"1": {"name": "Default"}})]
        database.execute("insert into col values (?, ?)", said)
        database.execute("insert into notes values (:id, :guid, :mid, :mod, :tags, :flds)", values)
        database.execute("insert into cards values (1, 1, 1, 0, 0)")
        database.executescript(more)
        database.commit()
        return zipped({"collection.anki2": database.serialize(), "media": media, "0": b"x"})


def zipped(members: dict[str, Any]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return out.getvalue()


def fits(elsewhere, content: bytes, suffix: str = ".apkg") -> str:
    file = elsewhere.folder / f"some{suffix}"
    file.write_bytes(content)
    done = elsewhere.imports(file)
    assert not STEERS.search(done.out + done.err)
    if done.status:
        assert all(LINE.fullmatch(line) for line in done.err.strip().split("\n")), done.err
        return done.err
    assert elsewhere.run("check").status == 0
    return done.out


@pytest.mark.parametrize("odd", ODD, ids=ascii)
def test_odd_characters_are_left_out_wherever_they_stand(odd, elsewhere):
    template = {"name": f"Card{odd} 1", "qfmt": f"{{{{Front}}}}{odd}", "afmt": f"{{{{FrontSide}}}}{{{{Back}}}}{odd}"}
    kind = model(name=f"W{odd}", flds=[{"name": f"Front{odd}"[:5]}, {"name": "Back"}], tmpls=[template], css=f"a{odd} {{}}")
    parted = odd == "\x1f"
    fields = "el perro\x1fthe dog" if parted else f"el {odd}perro\x1fthe{odd} dog &#x{ord(odd[0]):x};"
    said = fits(elsewhere, package({"1": kind}, {"1": {"name": f"De{odd}ck", "desc": "x"}}, flds=fields, tags=f"a{odd}b", guid=f"g{odd}"))
    assert said.startswith("1 notes") and ("characters that no text may hold were left out" in said) is not parted
    assert not any(one in text for text in elsewhere.topics().values() for one in ODD)


@pytest.mark.parametrize(
    "damage", ["null", "[]", "3", '""', '{"1": null}', '{"x": {}}', '{"1": {"name": 5}}', "{" * 5000, '{"1": {"id": 1e999}}', b"\xff"]
)
@pytest.mark.parametrize("what", ["models", "decks", "media"])
def test_damaged_lists(what, damage, elsewhere):
    if (what, damage) not in {("media", '{"1": null}')}:
        fits(elsewhere, package(**{what: damage}))


@pytest.mark.parametrize(
    "changes",
    [
        *({name: value} for name in ("guid", "mid", "mod", "tags", "flds") for value in (None, 5, b"\xff", -(2**62), 2**62)),
        {"models": {"1": model(flds=[])}},
        {"models": {"1": model(type=1, tmpls=[])}},
        {"models": {"1": model(flds=[{"name": "Front"}, {"name": "a:b"}])}},
        {"models": {"1": model(name="<b>")}},
        {"models": {"1": model(mod=10**30)}},
        {"models": {"1": model(id="x")}},
        {"decks": {"1": {"name": "{{x}}"}}},
        {"flds": "a\x1f" + "<div>" * 3000},
        {"flds": "a\x1f" + "<b>" * 100_000},
        {"flds": "a\x1f" + "<" * 30_000},
        {"more": "update notes set flds = cast(x'ff1f61' as text)"},
        {"more": "drop table notes; create view notes as with recursive r(id) as (select 1 union all select id + 1 from r) "
         "select id, 'g' as guid, 1500000000000 as mid, 1 as mod, '' as tags, 'a' as flds from r"},
    ],
    ids=lambda changes: ascii(changes)[:50],
)  # fmt: skip
def test_damaged_collections(changes, elsewhere):
    fits(elsewhere, package(**changes))


@pytest.mark.parametrize("share", range(10))
def test_cut_packages(share, elsewhere):
    whole = package()
    assert "some.apkg:1: this is no Anki package" in fits(elsewhere, whole[: len(whole) * share // 10])


@pytest.mark.parametrize("name", ["../../x.png", "/etc/x.png", "..", "." * 300 + ".png", "-rf.png", "C:\\x.png", "a\x1fb.png"])
def test_names_of_media(name, elsewhere):
    fits(elsewhere, package(media=json.dumps({"0": name}), flds=f'a<img src="{name}">\x1fb' if "\x1f" not in name else "a\x1fb"))
    assert not [path for path in elsewhere.folder.rglob("x.png") if not path.is_relative_to(elsewhere.cards)]


def test_a_package_that_unpacks_to_more_than_is_read(elsewhere, monkeypatch):
    monkeypatch.setattr(apkg, "LARGEST_COLLECTION", 10_000_000)
    said = fits(elsewhere, zipped({"collection.anki2": bytes(20_000_000), "media": "{}"}))
    assert "unpacks to more than is read" in said


@pytest.mark.parametrize("content", [{}, {"collection.anki2": b""}, {"collection.anki2": b"no database" * 99}, {"/collection.anki2": b""}], ids=str)
def test_collections_that_are_none(content, elsewhere):
    assert "some.apkg:1: " in fits(elsewhere, zipped(content))


@pytest.mark.parametrize("suffix", [".apkg", ".csv", ".md"])
@pytest.mark.parametrize("kind", ["pipe", "folder", "loop", "device", "nothing"])
def test_what_is_no_file(kind, suffix, elsewhere):
    path = elsewhere.folder / f"x{suffix}"
    makes = {"pipe": os.mkfifo, "folder": Path.mkdir, "loop": lambda one: one.symlink_to(one), "device": lambda one: one.symlink_to("/dev/zero")}
    makes.get(kind, lambda one: None)(path)
    done = elsewhere.imports(path)
    assert done.status == 1 and all(LINE.fullmatch(line) for line in done.err.strip().split("\n")), done.err
    assert f"x{suffix}:1: " in done.err


@pytest.mark.parametrize(
    "text",
    [b"a,\xe9\n", b"a,b\0\n", b'"a,b\n', b"a," + b"x" * 200_000, b"#tags column:\xc2\xb2\na,b\n", b"#separator:\na,b\n"]
    + [b'#separator:"\na"b\n', b"", b"\xff\xfea", b"a\x1f,b\xee\x80\x80\n"],
    ids=lambda text: ascii(text)[:20],
)  # fmt: skip
@pytest.mark.parametrize("suffix", [".csv", ".md"])
def test_text_that_is_none(suffix, text, elsewhere):
    fits(elsewhere, text, suffix)


@pytest.mark.parametrize("name", ["../secret.png", "{}/secret.png", "media/../../secret.png"])
def test_nothing_is_taken_from_outside_of_the_folder(name, elsewhere):
    folder = elsewhere.folder / "theirs"
    folder.mkdir()
    (elsewhere.folder / "secret.png").write_bytes(b"\x89PNG")
    (folder / "a.csv").write_text(f'#html:true\na,<img src="{name.format(elsewhere.folder)}">\n', encoding="utf-8")
    done = elsewhere.imports(folder / "a.csv")
    assert "was left out" in done.out + done.err and not list(elsewhere.cards.rglob("*.png"))


@pytest.mark.parametrize(("link", "target"), [("b.md", "secret.md"), ("deep/b.md", "secret.md"), ("more", "others"), ("c.md", "nowhere.md")])
def test_a_note_of_a_vault_that_lies_outside_of_it(link, target, elsewhere):
    vault = elsewhere.folder / "vault"
    (vault / "deep").mkdir(parents=True)
    (vault / "a.md").write_text("el perro::the dog\n", encoding="utf-8")
    (elsewhere.folder / "others").mkdir()
    for name in ("secret.md", "others/d.md"):
        (elsewhere.folder / name).write_text("mine::alone\n", encoding="utf-8")
    (vault / link).symlink_to(elsewhere.folder / target)
    done = elsewhere.imports(vault)
    said = f"{(vault / link).as_posix()}:1: this link leads out of the folder that is imported (put a copy in its place)"
    assert (done.status, done.err.splitlines()) == (1, [said, "1 problem; nothing was written"]) and not elsewhere.cards.exists()


@pytest.mark.parametrize("suffix", [".md", ".csv"])
@pytest.mark.parametrize("link", ["p.png", "deep/p.png", "deep"])
@pytest.mark.parametrize("inside", [True, False])
def test_a_picture_that_is_a_link(inside, link, suffix, elsewhere):
    folder, kept = elsewhere.folder / "theirs", elsewhere.folder / ("theirs/kept" if inside else "kept")
    for one in (folder, kept, *[folder / "deep"] * (link == "deep/p.png")):
        one.mkdir(exist_ok=True)
    (kept / "p.png").write_bytes(PNG)
    (folder / link).symlink_to(kept / "p.png" if link.endswith(".png") else kept)
    picture = link if link.endswith(".png") else "deep/p.png"
    text = f"el perro::![it]({picture})\n" if suffix == ".md" else f'#html:true\na,<img src="{picture}">\n'
    (folder / f"a{suffix}").write_text(text, encoding="utf-8")
    done = elsewhere.imports(folder / f"a{suffix}")
    assert done.status == (not inside) and ("p.png:1: this link leads out" in done.err) is not inside
    assert bool(list(elsewhere.cards.rglob("*.png"))) is inside


def test_a_vault_that_is_a_link_itself(elsewhere):
    (elsewhere.folder / "there").mkdir()
    (elsewhere.folder / "there" / "a.md").write_text("el perro::the dog\n", encoding="utf-8")
    (elsewhere.folder / "there" / "b.md").symlink_to("a.md")
    (elsewhere.folder / "vault").symlink_to("there")
    assert elsewhere.imports(elsewhere.folder / "vault").status == 0


ABOUT = "name: Deck\nid: 1735000001\n"
SETTINGS = {
    "open": "name: [x\n",
    "a control character": "name: a\0b\n",
    "another text": b"\xff\xfe\0",
    "a list": "- name: Deck\n",
    "nothing": "",
    "deep": f"name: {'[' * 5000}\n",
    "an object": "name: !!python/object:os.path x\n",
    "a day that is none": "name: 2020-99-99\n",
    "a key that is none": "? [a]\n: b\n",
    "merged": "<<: 3\n",
    "endless": f"id: {'9' * 5000}\n",
    **{f"kernels {what[:9]!r}": f"{ABOUT}kernels: {what}\n" for what in ("[a]", "nowhere", '"a\\nb"', '"a\\0b"', "a" * 300, "a" * 5000, "b/" * 3000)},
    "records": f"{ABOUT}records: {{a: b}}\n",
    "units": f"{ABOUT}units: [token, 3]\n",
    "units that are none": f"{ABOUT}units: words\n",
}


@pytest.mark.parametrize("settings", SETTINGS.values(), ids=SETTINGS)
@pytest.mark.parametrize("words", ["import a.csv", "schema", "new topic/an-id --kernel training_memory"])
def test_a_folder_whose_settings_are_broken(words, settings, elsewhere):
    elsewhere.cards.mkdir()
    (elsewhere.cards / "deck.yml").write_bytes(settings if isinstance(settings, bytes) else settings.encode())
    (elsewhere.folder / "a.csv").write_text("el perro,the dog\n", encoding="utf-8")
    done = elsewhere.run(*words.split())
    assert not elsewhere.topics() or done.status == 0
    lines = done.err.strip().split("\n")
    assert done.status == 0 or all(LINE.fullmatch(line) for line in lines), done.err
    if words.startswith("import"):
        assert done.status == 1 and lines[0].startswith(("cards/deck.yml:", "cards/a", "cards/b"))
