"""`release`: what it refuses, what a learner in the real Anki finds, what it makes, and that it happens as a whole or not at all."""

from __future__ import annotations

import hashlib
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
from workshop import FIRST, SECOND, THIRD, WHO, Workshop, workshop

from generator.pack import lock as locks
from generator.release import outcome, pictures, rehearsal, share, version
from generator.since.changes import of_package

pytest.importorskip("anki", reason="the anki library is not installed")
REHEARSED = ("--jobs", "1")  # Workshop.releases leaves the rehearsal out where nothing is asked for
CARD = ("training/pictures.md", ("Thirty-two", "Exactly 32"))


def git(shop: Workshop, *words: str) -> str:
    return subprocess.run(["git", *WHO, *words], cwd=shop.folder, check=True, capture_output=True, text=True).stdout


@pytest.fixture
def tracked(shop: Workshop) -> Workshop:
    """The first release in git, with its package where it was made."""
    git(shop, "init", "-qb", "main")
    (shop.folder / ".gitignore").write_text("build/\n*.apkg\nignored.md\n", encoding="utf-8")
    git(shop, "add", "cards", ".gitignore")
    git(shop, "commit", "-qm", "7")
    return shop


@pytest.fixture
def blind(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pictures, "CHROMIUM", ())


def everything(shop: Workshop) -> dict[str, bytes]:
    """Every file but the cache, and those of git."""
    files = [path for path in shop.folder.rglob("*") if path.is_file() and not {"cache", ".git"} & {*path.parts}]
    return {path.relative_to(shop.folder).as_posix(): path.read_bytes() for path in files}


# ------------------------------------------------------------------------------------------------- what is refused


def test_what_is_not_committed_is_not_released(tracked: Workshop):
    tracked.edit(*CARD)
    (tracked.folder / "cards/training/added.md").write_text("# What is added? {#added}\n\nThis.\n", encoding="utf-8")
    (tracked.folder / "cards/training/ignored.md").write_text("# What is ignored? {#ignored}\n\nThis.\n", encoding="utf-8")
    (tracked.folder / "notes.txt").write_text("nothing of the deck's", encoding="utf-8")
    tracked.edit("deck.yml", ("topics: [memory, pictures]", "topics: [memory, pictures, added, ignored]"))
    git(tracked, "mv", "cards/sources.yml", "cards/other.yml")
    git(tracked, "mv", "cards/other.yml", "cards/sources.yml")
    git(tracked, "rm", "-q", "--cached", "cards/serving/cache.md")
    before = everything(tracked)
    done = tracked.run("release", "8", "--no-rehearsal", now=SECOND)
    hint = "(commit what belongs to the release: git add {0} && git commit; or put it aside: git stash)"
    assert done.status == 1 and everything(tracked) == before
    assert done.err.splitlines() == [
        *(f"{path}:1: {what}, and not committed {hint.format(path)}" for path, what in (
            ("cards/deck.yml", "is changed"),
            ("cards/serving/cache.md", "is deleted"),
            ("cards/training/added.md", "is unknown to git"),
            ("cards/training/ignored.md", "is unknown to git"),
            ("cards/training/pictures.md", "is changed"),
        )),
        "5 problems; nothing was written",
    ]  # fmt: skip


def test_a_lock_that_a_build_wrote_is_no_change(tracked: Workshop):
    tracked.edit(*CARD)
    git(tracked, "commit", "-qam", "another text")
    tracked.build(SECOND)
    assert " M cards/deck.lock" in git(tracked, "status", "--short")
    assert tracked.run("release", "8", "--no-rehearsal", now=THIRD).status == 0


REFUSED = {
    "": "'' is no version (numbers joined by dots, greater than the last release's: 11, say)",
    "eight": "'eight' is no version (numbers",
    "v11": "'v11' is no version (numbers",
    "../11": "'../11' is no version (numbers",
    "11.": "'11.' is no version (numbers",
    "١١": "is no version (numbers",
    "10": "the version 10 was released before (take a greater one: 11, say)",
    "9": "the version 9 was released before (take a greater one: 11, say)",
    "10.0": "the version 10.0 is the same as 10, which was released (take a greater one: 11, say)",
    "9.9": "the version 9.9 is older than 10, which was released (take a greater one: 11, say)",
}


@pytest.mark.parametrize("asked", REFUSED)
def test_versions_that_are_none(asked: str):
    found = list(version.unfit(asked, ["first", "9", "10"], "10", outcome.Place("cards/deck.yml")))
    assert len(found) == 1 and REFUSED[asked] in str(found[0])


@pytest.mark.parametrize("asked", ["11", "10.1", "2026.11"])
def test_versions(asked: str):
    assert list(version.unfit(asked, ["first", "9", "10"], "10", outcome.Place("cards/deck.yml"))) == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("name: a\nversion: '7'  # of it\nid: 1\n", 'name: a\nversion: "8"  # of it\nid: 1\n'),
        ("name: a\nversion: 7\nid: 1\n", 'name: a\nversion: "8"\nid: 1\n'),
        ("name: a\nid: 1", 'name: a\nid: 1\nversion: "8"\n'),
        ("name: a\r\nversion: 7\r\nid: 1\r\n", 'name: a\r\nversion: "8"\r\nid: 1\r\n'),
        ("name: a\nversion:\nid: 1\n", 'name: a\nversion: "8"\nid: 1\n'),
        ("name: a\ndescription: |\n  x\n  version: 7\n", 'name: a\ndescription: |\n  x\n  version: 7\nversion: "8"\n'),
        ("name: a\nversion: 8\n", "name: a\nversion: 8\n"),
        ("{name: a, version: 7}\n", None),
        ("name: a\nversion: >\n  7\n", None),
    ],
)
def test_the_version_is_written_into_its_line(text: str, expected: str | None):
    assert version.written(text, "8", "deck.yml") == expected


def test_without_anki_it_says_how_to_get_it(shop: Workshop, monkeypatch: pytest.MonkeyPatch):
    def absent(name: str) -> str:
        raise rehearsal.PackageNotFoundError(name)

    monkeypatch.setattr(rehearsal, "version", absent)
    done = shop.releases(SECOND, "8", *REHEARSED)
    assert done.status == 1 and "which is not installed (pip install 'warpdeck[release]', or release with --no-rehearsal" in done.err
    assert "tried    by nobody: " in shop.releases(SECOND, "8").out


def test_a_release_whose_package_nobody_has(shop: Workshop, blind: None):
    shutil.rmtree(shop.folder / "build/release")
    done = shop.releases(SECOND, "8", *REHEARSED)
    assert done.status == 1 and "the package of release 7, which learners have, is neither there nor made again" in done.err
    assert shop.releases(SECOND, "8").status == 0


# --------------------------------------------------------------------------------------------------- what is found


def test_a_first_release(tmp_path: Path, blind: None):
    shop = workshop(tmp_path / "new")
    done = shop.releases(FIRST, "7", *REHEARSED)
    assert done.status == 0 and re.search(
        r"tried    Anki [\d.]+, a learner of 9 notes with \d+ reviews, .* again: nothing changed, nothing lost", done.out
    )
    made = {path.name for path in (shop.folder / "build/release/7").iterdir()}
    assert made == {*(f"test-interviews{of}.apkg" for of in ("", "-serving", "-training")), "CHANGES.md", "SHA256SUMS", "share.md"}
    log = (shop.folder / "build/release/7/CHANGES.md").read_text(encoding="utf-8")
    assert log == "# Test interviews 7: the first release\n\n- All: 9 notes\n- Training: 7 notes\n- Serving: 2 notes\n"


@pytest.fixture
def eight(tracked: Workshop, blind: None) -> tuple[Workshop, str]:
    """The second release, with a note that is new, one that changed and one that was retired; and what was said."""
    block = ("# What is a block? {#block}\n\nThreads that share memory.\n", "")
    tracked.edit("training/pictures.md", CARD[1], block, ("tags: [speed]\n", "tags: [speed]\nretired: {block: asked twice}\n"))
    tracked.edit("training/pictures.md", ("# What is a warp?", "# What is a grid? {#grid}\n\nAll blocks.\n\n# What is a warp?"))
    done = tracked.releases(SECOND, "8", *REHEARSED)
    assert done.status == 0, done.err
    return tracked, done.out


def test_an_update_is_rehearsed(eight: tuple[Workshop, str]):
    assert re.search(r"imported it over 7: 1 new, 1 changed, 1 retired, as told; 1 of the edits gone, on changed notes; nothing lost", eight[1])
    for line in ("1 new note: Anki adds it.", "1 changed note: Anki replaces its text,", "1 retired note: learners keep it"):
        assert f"update   {line}" in eight[1]


def test_a_release_that_was_taken_back(eight: tuple[Workshop, str]):
    """Somebody may have it all the same, so that its notes are not told to change; but whoever has the one before it is told what he gets."""
    shop, said = eight
    git(shop, "checkout", "-q", "--", "cards")
    done = shop.releases(THIRD, "9", *REHEARSED)
    assert done.status == 0 and "release 8 is not among what led to this deck" in done.out, done.err
    assert re.search("imported it over 7: 1 new, 1 changed, 1 retired, as told", done.out), done.out
    assert "- 1 new note: Anki adds it.\n- 1 changed note: " in (shop.folder / "build/release/9/CHANGES.md").read_text(encoding="utf-8")


def test_what_is_to_be_typed_makes_it_again_for_everybody(eight: tuple[Workshop, str]):
    """The commit that is tagged gives the package that is handed out, byte by byte, wherever it is built, and the next rehearsal too."""
    shop, said = eight
    assert git(shop, "status", "--short") == " M cards/deck.lock\n M cards/deck.yml\n" and shop.version == '"8"'
    typed = re.findall(r"^  (git .*)", said, re.MULTILINE)
    assert [words.split()[1] for words in typed] == ["add", "commit", "tag"]
    for words in typed:
        subprocess.run(words.replace("git ", f"git {' '.join(WHO)} ", 1), shell=True, cwd=shop.folder, check=True, stdout=subprocess.DEVNULL)
    assert git(shop, "status", "--short") == "" and git(shop, "tag") == "v8\n"
    made = shop.folder / "build/release/8/test-interviews.apkg"
    handed_out = made.read_bytes()
    clone = Workshop(shop.folder.with_name("clone"))
    git(shop, "clone", "-q", str(shop.folder), str(clone.folder))
    clone.build(THIRD, "--frozen")
    assert clone.package.read_bytes() == handed_out
    made.write_bytes(b"damaged")
    shop.edit("training/pictures.md", ("Exactly 32", "Always 32"))
    done = shop.releases(THIRD, "9", *REHEARSED)
    assert done.status == 0 and "over 8: 0 new, 1 changed, 0 retired, as told" in done.out, done


def test_what_is_handed_out(eight: tuple[Workshop, str]):
    folder = eight[0].folder / "build/release/8"
    sums = dict(reversed(line.split("  ")) for line in (folder / "SHA256SUMS").read_text(encoding="utf-8").splitlines())
    assert sums == {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.glob("*.apkg")} and len(sums) == 3
    log = (folder / "CHANGES.md").read_text(encoding="utf-8")
    assert log.startswith("# Test interviews 8: changes since version 7\n\n- 1 new note: ") and "- **What is a block?** (asked twice)\n" in log
    assert "<h1>Test interviews</h1>" in (folder / "diff.html").read_text(encoding="utf-8")
    form = (folder / "share.md").read_text(encoding="utf-8")
    (text,) = re.findall(r"```html\n(.*?)\n```", form, re.DOTALL)
    assert set(re.findall(r"</?(\w+)", text)) == {"b", "i", "ul", "li", "a"}
    assert "<b>9 notes, 10 cards</b>" in text and "<b>New in version 8</b>, for those who have 7:\n\n<ul>\n<li>1 new note: Anki adds it.</li>" in text
    assert "\n## Tags\n\nspeed memory\n" in form or "\n## Tags\n\nmemory speed\n" in form
    assert "(deck.yml names no licence" in form and "(no Chromium was here to make them)" in form


def test_text_of_the_author_s_is_text(eight: tuple[Workshop, str]):
    assert share._safe("<script>*a* [b](c) `d` & #e") == "&lt;script&gt;&#42;a&#42; &#91;b&#93;(c) &#96;d&#96; &amp; #e"


@pytest.mark.skipif(not any(map(shutil.which, pictures.CHROMIUM)), reason="no Chromium")
def test_three_cards_are_shown(shop: Workshop):
    assert shop.releases(SECOND, "8", *REHEARSED).status == 0
    files = [shop.folder / f"build/release/8/card-{number}.png" for number in (1, 2, 3)]
    sizes = {tuple(int.from_bytes(path.read_bytes()[at : at + 4], "big") for at in (16, 20)) for path in files}
    assert sizes == {(720, 1440)} and len({path.read_bytes() for path in files}) == 3
    assert "](card-3.png)" in (shop.folder / "build/release/8/share.md").read_text(encoding="utf-8")


def test_a_change_that_no_learner_would_get_stops_it(shop: Workshop, blind: None, monkeypatch: pytest.MonkeyPatch):
    """As when notes were released with a `mod` that is not greater."""
    real = locks.release

    def stuck(lock: locks.Lock, *rest: Any) -> locks.Lock:
        made = real(lock, *rest)
        return made._replace(notes={id: line._replace(mod=FIRST) for id, line in made.notes.items()})

    shop.edit(*CARD)
    monkeypatch.setattr(locks, "release", stuck)
    before = everything(shop)
    done = shop.releases(SECOND, "8", *REHEARSED)
    assert done.status == 1 and everything(shop) == before
    assert "1 changed are told, and 0 found" in done.err


def test_an_unchanged_note_that_is_overwritten_stops_it(shop: Workshop, blind: None, monkeypatch: pytest.MonkeyPatch):
    real = locks.release

    def all_anew(lock: locks.Lock, *rest: Any) -> locks.Lock:
        made = real(lock, *rest)
        return made._replace(notes={id: line._replace(mod=SECOND) for id, line in made.notes.items()})

    monkeypatch.setattr(locks, "release", all_anew)
    done = shop.releases(SECOND, "8", *REHEARSED)
    assert done.status == 1 and re.search("is overwritten, with what the learner wrote, though it is not told to change", done.err)
    assert "0 changed are told, and 9 found" in done.err


@pytest.fixture(scope="module")
def states(first_release: Workshop, tmp_path_factory: pytest.TempPathFactory) -> tuple[list[Any], Any]:
    """A learner's collection before and after an import; and the notes."""
    package = first_release.package
    made = list(rehearsal._life(tmp_path_factory.mktemp("life") / "collection.anki2", package, package, SECOND, []))
    return made, {guid: side.id for guid, side in of_package(package, 1720310998).sides.items()}


def without_review(after: Any) -> None:
    after["reviews"].pop()


def other_interval(after: Any) -> None:
    after["cards"][0][7] += 1


def unsuspended(after: Any) -> None:
    next(card for card in after["cards"] if card[5] == -1)[5] = 0


def unflagged(after: Any) -> None:
    next(card for card in after["cards"] if card[12])[12] = 0


def moved_back(after: Any) -> None:
    next(card for card in after["cards"] if card[2] in rehearsal._mine(after))[2] = 1


def without_card(after: Any) -> None:
    after["cards"].pop()


def without_note(after: Any) -> None:
    after["notes"].pop()


def doubled(after: Any) -> None:
    after["notes"].append(after["notes"][0])


def untagged(after: Any) -> None:
    row = next(row for row in after["notes"] if rehearsal.TAG in row[3])
    row[3] = row[3].replace(rehearsal.TAG, "")


def without_words(after: Any) -> None:
    row = next(row for row in after["notes"] if row[4].endswith(rehearsal.WORDS))
    row[4] = row[4].removesuffix(rehearsal.WORDS)


def other_type(after: Any) -> None:
    after["notes"][0][2] += 1


def other_options(after: Any) -> None:
    after["decks"]["Default"] = 7


def other_preset(after: Any) -> None:
    after["presets"]["1"]["new"]["perDay"] = 7


def without_file(after: Any) -> None:
    after["media"].pop()


LOSSES = {
    without_review: "1 of the reviews are lost",
    other_interval: ": interval \\d+ is \\d+",
    unsuspended: ": queue -1 is 0",
    unflagged: ": flag \\d is 0",
    moved_back: ": deck \\d+ is 1",
    without_card: "changed: it is gone",
    without_note: " is gone",
    doubled: "1 of the notes stand there twice",
    untagged: "is overwritten, with what the learner wrote",
    without_words: "is overwritten, with what the learner wrote",
    other_type: "has another note type",
    other_options: "the deck Default has other options",
    other_preset: "the preset Default is another",
    without_file: "the file \\S+ is gone",
}


def test_nothing_is_lost(states: tuple[list[Any], Any]):
    (_, used, after, _), had = states
    assert list(rehearsal._lost(used, after, {}, had)) == []
    assert all(number > 0 for number in rehearsal._used(used).values()), rehearsal._used(used)


@pytest.mark.parametrize("loss", LOSSES, ids=lambda loss: loss.__name__)
def test_each_loss_is_found(loss: Callable[[Any], None], states: tuple[list[Any], Any]):
    (_, used, after, _), had = states
    after = deepcopy(after)
    loss(after)
    found = list(rehearsal._lost(used, after, {}, had))
    assert any(re.search(LOSSES[loss], fault) for fault in found), found


def test_anki_that_fails_is_told(tmp_path: Path):
    (tmp_path / "broken.apkg").write_bytes(b"none")
    with pytest.raises(rehearsal.DeckError, match=r"broken.apkg:1: Anki failed as it was to take it: "):
        list(rehearsal._life(tmp_path / "collection.anki2", tmp_path / "broken.apkg", tmp_path / "broken.apkg", SECOND, []))


# ------------------------------------------------------------------------------------------------- whole or not at all


def full(*_: Any) -> Iterator[None]:
    raise OSError(28, "No space left on device", "build")


def interrupted(*_: Any) -> Iterator[None]:
    raise KeyboardInterrupt


@pytest.mark.parametrize("where", ["_packages", "_documents", "screenshots", "put"])
@pytest.mark.parametrize("how", [full, interrupted], ids=lambda how: how.__name__)
def test_what_fails_midway_leaves_nothing(where: str, how: Callable[..., Any], shop: Workshop, monkeypatch: pytest.MonkeyPatch):
    shop.edit(*CARD)
    before, writes = everything(shop), outcome.write
    if where == "put":  # as the lock is written, when folder and version are in place
        monkeypatch.setattr(outcome, "write", lambda path, content: how() if b'{"release": "8"' in content else writes(path, content))
    else:
        monkeypatch.setattr(outcome, where, how)
    try:
        done = shop.releases(SECOND, "8")
        assert done.status == 1 and "No space left" in done.err
    except KeyboardInterrupt:
        assert how is interrupted
    assert everything(shop) == before and not list((shop.folder / "build/release").glob(".*"))
    monkeypatch.undo()
    (shop.folder / "build/release/8").mkdir()  # as a process leaves it that is killed where no other can put things back
    assert shop.releases(SECOND, "8").status == 0 and (shop.folder / "build/release/8/share.md").is_file()
