"""The package: the same bytes for the same notes, names and ids that Anki keeps, and a file that is replaced whole or not at all."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import zipfile
from pathlib import Path

import pytest
from our_types import note_types
from workshop import FIRST, SECOND, Workshop, command, environment, notes, rows, workshop

from generator.pack import output, package

DAY_MS = 86_400_000


def entries(path: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(path) as archive:
        return {entry.filename: archive.read(entry) for entry in archive.infolist()}


def media_of(path: Path) -> dict[str, bytes]:
    inside = entries(path)
    return {name: inside[number] for number, name in json.loads(inside["media"]).items()}


# --------------------------------------------------------------------------------------------- the same bytes


def test_the_same_bytes_without_the_cache(shop: Workshop):
    before = shop.state()
    shutil.rmtree(shop.folder / "build")
    shop.build(SECOND)
    assert shop.state() == before


def test_the_same_bytes_whatever_the_machine(first_release: Workshop, tmp_path: Path):
    """Another hash seed, zone, language, umask, folder and age of the files, a cold cache, and no clock to speak of."""
    other = workshop(tmp_path / "elsewhere", like=first_release.folder)
    shutil.rmtree(other.folder / "build")
    for path in other.folder.rglob("*"):
        os.utime(path, (1_000_000_000, 1_000_000_000))
    changed = environment(PYTHONHASHSEED="4711", TZ="Pacific/Chatham", LC_ALL="C", LANG="tr_TR.UTF-8", SOURCE_DATE_EPOCH="", COLUMNS="20")
    subprocess.run(["sh", "-c", 'umask 077 && exec "$@"', "sh", *command("deck")], cwd=other.folder, env=changed, check=True, capture_output=True)
    assert other.state() == first_release.state()


def test_two_first_builds_agree(first_release: Workshop, tmp_path: Path):
    """Two clones of one commit that has no lock yet, at one time."""
    other = workshop(tmp_path / "clone")
    other.release(FIRST)
    assert other.state() == first_release.state()


def test_the_zip_has_no_times_and_one_order(shop: Workshop):
    with zipfile.ZipFile(shop.package) as archive:
        inside = archive.infolist()
    assert {entry.date_time for entry in inside} == {(1980, 1, 1, 0, 0, 0)}
    assert {(entry.external_attr >> 16, entry.create_system, entry.compress_type) for entry in inside} == {(0o600, 3, zipfile.ZIP_DEFLATED)}
    assert [entry.filename for entry in inside] == ["collection.anki2", "media", *(str(n) for n in range(len(inside) - 2))]


# ------------------------------------------------------------------------------------------------ ids and times


def test_no_time_of_today_is_inside(shop: Workshop):
    """Anki takes ids for times of creation, moves those of the future, and updates by mod alone."""
    ids = [id for table in ("notes", "cards") for (id,) in rows(shop.package, f"select id from {table}")]
    assert len(set(ids)) == len(ids) and all(1_500_000_000_000 < id < FIRST * 1000 - DAY_MS for id in ids)
    assert {mod for (mod,) in rows(shop.package, "select mod from notes union select mod from cards")} == {FIRST}
    ((models, decks),) = rows(shop.package, "select models, decks from col")
    assert {model["mod"] for model in json.loads(models).values()} == {FIRST}
    assert {deck["name"] for deck in json.loads(decks).values()} == {
        "Default",
        "Test interviews",
        "Test interviews::Training",
        "Test interviews::Serving",
    }


def test_each_note_has_the_time_of_its_own_change(shop: Workshop):
    shop.edit("training/pictures.md", ("Thirty-two", "Exactly 32"))
    found = notes(shop.build(SECOND))
    assert {id for id, (_, _, mod, _, _) in found.items() if mod == SECOND} == {"warp"}
    ((models,),) = rows(shop.package, "select models from col")
    assert {model["mod"] for model in json.loads(models).values()} == {FIRST}


def test_ids_stay_when_a_note_comes_before_others(shop: Workshop):
    before = notes(shop.package)
    cards = dict(rows(shop.package, "select id, nid from cards"))
    shop.edit("training/memory.md", ("# What does mixed-precision", "# What comes first? {#before-all}\n\nThis.\n\n# What does mixed-precision"))
    after = notes(shop.build(SECOND))
    assert {id: after[id] for id in before} == before and set(after) - set(before) == {"before-all"}
    assert cards.items() <= dict(rows(shop.package, "select id, nid from cards")).items()
    due = {fields.split("\x1f")[0]: due for fields, due in rows(shop.package, "select flds, due from notes join cards on nid = notes.id")}
    assert sorted(due, key=due.__getitem__)[:2] == ["before-all", "adam-bytes"] and sorted(due.values()) == list(range(1, 11))


def test_types_have_the_ids_of_the_look(shop: Workshop):
    ((models,),) = rows(shop.package, "select models from col")
    packed = {int(id): model for id, model in json.loads(models).items()}
    used = [note_types()[key] for key in ("cloze", "numeric", "qa", "trap")]
    assert set(packed) == {note_type.id for note_type in used}
    for note_type in used:
        model = packed[note_type.id]
        assert {field["name"]: field["id"] for field in model["flds"]} == note_type.fields
        assert [(t["name"], t["id"]) for t in model["tmpls"]] == [one[:2] for one in note_type.templates]
        assert (model["type"], model["css"]) == (int(note_type.kind == "cloze"), note_type.css)


def test_only_types_that_are_used_are_packed(shop: Workshop):
    shop.build(SECOND, "--each")
    ((models,),) = rows(shop.folder / "build" / "test-interviews-serving.apkg", "select models from col")
    assert [int(id) for id in json.loads(models)] == [note_types()["qa"].id]


# ------------------------------------------------------------------------------------------------------ media


def test_media_names(shop: Workshop):
    media = media_of(shop.package)
    assert len(media) == 4 and list(media) == sorted(media)
    for name, content in media.items():
        assert re.fullmatch(r"[a-z0-9][a-z0-9-]{0,100}-[0-9a-f]{8}\.svg", name) and content
    assert {path.name: path.read_bytes() for path in (shop.folder / "build" / "media").iterdir()} == media
    fields = "".join(fields for *_, fields in notes(shop.package).values())
    assert set(re.findall(r'src="([^"]+)"', fields)) == set(media)


def test_an_awkward_name_becomes_a_plain_one(shop: Workshop):
    folder = shop.folder / "cards" / "media"
    (folder / "roofline.svg").rename(folder / "_Größe.SVG")
    shop.edit("training/pictures.md", ("](roofline.svg)", "](_Größe.SVG)"))
    assert any(re.fullmatch(r"gro-?e-[0-9a-f]{8}\.svg", name) for name in media_of(shop.build(SECOND)))


def test_media_that_went_leave_the_folder(shop: Workshop):
    shop.edit("training/pictures.md", ("![Two lines that meet](roofline.svg)\n", ""))
    assert len(media_of(shop.build(SECOND))) == 2 == len(list((shop.folder / "build" / "media").iterdir()))


# ------------------------------------------------------------------------------------------- one per subdeck


def test_decks_apart_share_guids_and_times(shop: Workshop):
    shop.edit("training/pictures.md", ("Thirty-two", "Exactly 32"))
    whole = notes(shop.build(SECOND, "--each"))
    apart = [notes(shop.folder / "build" / f"test-interviews-{name}.apkg") for name in ("training", "serving")]
    assert {id: row for one in apart for id, row in one.items()} == whole
    assert [len(one) for one in apart] == [7, 2]
    ((decks,),) = rows(shop.folder / "build" / "test-interviews-serving.apkg", "select decks from col")
    ((all_decks,),) = rows(shop.package, "select decks from col")
    assert json.loads(decks).items() <= json.loads(all_decks).items()


# ------------------------------------------------------------------------------------------------ replacement


@pytest.mark.parametrize(("where", "step"), [(output.os, "replace"), (package._Remembered, "flush")])
def test_a_write_that_fails_leaves_the_old_package(where: object, step: str, shop: Workshop, monkeypatch: pytest.MonkeyPatch):
    before = shop.state()
    shop.edit("training/pictures.md", ("Thirty-two", "Exactly 32"))

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as broken:
        broken.setattr(where, step, full)
        done = shop.run("deck", now=SECOND)
    assert done.status == 1 and "No space left on device" in done.err
    assert shop.state() == before
    assert not list(shop.folder.rglob(".*.part"))
    assert notes(shop.build(SECOND))["warp"][2] == SECOND
