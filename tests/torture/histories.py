"""Histories of a deck, made by chance: an author who edits, releases, reverts, merges and loses things, and learners who import some releases.

In: a seed, how many things the author does, an empty folder. Out: a sentence for each thing that a learner, or an author, must not meet:

- a release whose content a learner does not have after its import;
- a review, a schedule, a card or a note that an import took away, or a note that it doubled;
- an edit of a learner that is lost, though every release since has the note as it was then;
- a command that ends without a place, and a release that cannot be made by doing what its problems say.

An author who loses the lock has git, or what was built; without both nobody could know, so both are lost only once git has the last release.
"""

from __future__ import annotations

import json
import random
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from workshop import Workshop, rows

BEGIN = 1_790_000_000
WORDS = ["ring", "tree", "shard", "cache", "page", "warp", "block", "scale", "draft", "token"]
WHO = ["-c", "user.name=x", "-c", "user.email=x@y", "-c", "commit.gpgsign=false", "-c", "core.hooksPath=/dev/null"]
PLACE = re.compile(r"^\S.*?:\d+: ", re.MULTILINE)
DECK = 'name: Histories\nid: 1720310997\nslug: histories\nversion: "0"\ntags: [one, two]\n'
TYPE = "name: pair\nkind: basic\nmain: Back\nfields: [Id, Front, Back, Footer, Mine]\ntemplates: [{name: Card, front: front.html, back: back.html}]\n"
TRIES = 12  # of a release, each after doing what the last one's problems said


class Learner:
    """A learner's Anki, and what is known of it. edited: GUID of a note with an edit -> the last release before that."""

    def __init__(self, python: str, path: Path):
        words = [python, str(Path(__file__).with_name("learner.py")), str(path)]
        self.cried = tempfile.TemporaryFile("w+")  # noqa: SIM115
        self.process = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.cried, text=True)
        self.state: dict[str, Any] = {"notes": [], "cards": [], "reviews": [], "types": {}}
        self.edited: dict[str, int] = {}

    def does(self, what: str, **how: Any) -> dict[str, Any]:
        assert self.process.stdin and self.process.stdout
        self.process.stdin.write(json.dumps({"do": what, **how}) + "\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline()
        if not answer:
            self.cried.seek(0)
            raise RuntimeError(f"a learner's Anki died: {self.cried.read()[-500:]}")
        self.state = json.loads(answer)
        return self.state

    def notes(self) -> dict[str, list[str]]:
        """GUID -> tags and fields."""
        return {guid: [tags.strip(), fields] for guid, _, _, tags, fields in self.state["notes"]}

    def leaves(self) -> None:
        self.process.communicate()


class Author:
    """A deck with its history, each note in a file of its own."""

    def __init__(self, seed: int, folder: Path, python: str):
        self.walk, self.shop, self.now = random.Random(seed), Workshop(folder), BEGIN
        self.python, self.faults, self.did = python, list[str](), list[str]()
        self.version, self.count = 0, 0
        self.git = shutil.which("git") is not None and self.walk.random() < 0.75
        self.releases: list[dict[str, list[str]]] = []  # GUID -> tags and fields, of each
        self.kept = True  # whether git has the last release
        cards = folder / "cards"
        for where in ("one", "two", "look/pair"):
            (cards / where).mkdir(parents=True)
        (cards / "deck.yml").write_text(DECK, encoding="utf-8")
        (cards / "look/pair/type.yml").write_text(TYPE, encoding="utf-8")
        (cards / "look/pair/back.html").write_text("{{Front}}<hr id=answer>{{Back}}{{Footer}}", encoding="utf-8")
        self.restyles()
        (cards / "gone.md").write_text("---\nretired: {}\n---\n\n# What stays? {#anchor}\n\nThis.\n", encoding="utf-8")
        for _ in range(5):
            self.adds()
        (folder / ".gitignore").write_text("build/\nlearners/\n*.apkg\n", encoding="utf-8")
        if self.git:
            self._git("init", "-qb", "main")
            self.commits()
        self.learners = [Learner(python, folder / "learners" / str(number) / "collection.anki2") for number in range(3)]

    # ------------------------------------------------------------------------------------------ what an author does

    def files(self) -> list[Path]:
        return sorted(path for place in ("one", "two") for path in (self.shop.folder / "cards" / place).glob("*.md"))

    def some(self, kind: str = "") -> Path | None:
        found = [path for path in self.files() if path.stem.startswith(kind)]
        return self.walk.choice(found) if found else None

    def adds(self) -> None:
        kind, place = self.walk.choice(["qa", "qa", "cloze", "pair"]), self.walk.choice(["one", "two"])
        self.count += 1
        self._write(self.shop.folder / "cards" / place / f"{kind}-{self.count}.md")

    def edits(self) -> None:
        """Another text, often one that the note had before."""
        if path := self.some():
            self._write(path)

    def swaps(self) -> None:
        """Two clozes change their numbers: nothing that was released may do so."""
        if not (path := self.some("cloze")):
            return
        before = path.read_text(encoding="utf-8")
        after = before.replace("{{c1::", "{{c0::").replace("{{c2::", "{{c1::").replace("{{c0::", "{{c2::")
        hides = dict(re.findall(r"\{\{c(\d)::(.*?)\}\}", before))
        path.write_text(after, encoding="utf-8")
        done = self.runs("check")
        known = {text for line in self._lock() if line.get("note") == path.stem for text in line.get("clozes", {}).values()}
        if {"1", "2"} <= hides.keys() and {hides["1"], hides["2"]} <= known and not re.search("fits what c|is taken", done.err):
            self.faults.append(f"swapped clozes of {path.stem} are not refused: {done.err}")
        path.write_text(before, encoding="utf-8")

    def retires(self) -> None:
        if path := self.some():
            path.unlink()
            self._retire(path.stem, True)

    def returns(self) -> None:
        if gone := self._retired():
            id = self.walk.choice(sorted(gone))
            self._retire(id, False)
            self._write(self.shop.folder / "cards" / self.walk.choice(["one", "two"]) / f"{id}.md")

    def moves(self) -> None:
        if path := self.some():
            (path.parent.parent / {"one": "two", "two": "one"}[path.parent.name]).mkdir(exist_ok=True)
            path.rename(path.parent.parent / {"one": "two", "two": "one"}[path.parent.name] / path.name)

    def restyles(self) -> None:
        path = self.shop.folder / "cards/look/pair/front.html"
        path.write_text(f"<p class=v{self.walk.randrange(4)}>{{{{Front}}}}</p>", encoding="utf-8")

    def builds(self) -> None:
        self.runs("deck")

    def releases_it(self) -> None:
        """A release that is made as its problems say, and the learners who take it."""
        said = ""
        for _ in range(TRIES):
            self.version += 1
            deck = self.shop.folder / "cards/deck.yml"
            deck.write_text(re.sub("version: .*", f'version: "{self.version}"', deck.read_text(encoding="utf-8")), encoding="utf-8")
            done = self.runs("release")
            if done.status == 0:
                break
            said = done.err
            self._mends(said)
        else:
            self.faults.append(f"no release can be made: {said}")
            return
        self.kept = False
        if self.git and self.walk.random() < 0.8:
            self.commits()
        packed = self._packed()
        self.releases.append(packed)
        for number, learner in enumerate(self.learners):
            if number == 0 or self.walk.random() < 0.5:
                self._taken(learner, packed)

    def commits(self) -> None:
        self._git("add", "-A")
        self._git("commit", "-qm", "more", "--allow-empty")
        self.kept = True

    def reverts(self) -> None:
        commits = self._clean()
        if len(commits) > 1:
            self._git("revert", "--no-edit", self.walk.choice(commits[: min(3, len(commits) - 1)]))
            self._settles()

    def resets(self) -> None:
        if len(self._clean()) > 1:
            self._git("reset", "-q", "--hard", "HEAD~1")

    def merges(self) -> None:
        """Work on a branch, which may be released as well, comes together with what was done meanwhile."""
        commits = self._clean()
        self._git("checkout", "-qB", "side", self.walk.choice(commits[:4]))
        for _ in range(self.walk.randrange(1, 4)):
            self.walk.choice([self.edits, self.adds, self.moves, self.releases_it])()
        self.commits()
        self._git("checkout", "-q", "main")
        self._git("merge", "-q", "-m", "merged", *self.walk.choice([[], ["-X", "ours"], ["-X", "theirs"], ["-s", "ours"]]), "side")
        self._settles()

    def checks_out(self) -> None:
        """Older files in place of those of now: the lock, the cards, or both."""
        commits = self._clean()
        what = self.walk.choice(["cards/deck.lock", "cards", "cards/one"])
        self._git("checkout", "-q", self.walk.choice(commits[:6]), "--", what)

    def loses_lock(self) -> None:
        self.shop.lock.unlink(missing_ok=True)

    def loses_lines(self) -> None:
        lines = self.shop.lock.read_text(encoding="utf-8").splitlines(keepends=True) if self.shop.lock.exists() else []
        self.shop.lock.write_text("".join(line for line in lines if self.walk.random() < 0.7), encoding="utf-8")

    def lowers(self) -> None:
        """A hand in the lock."""
        if self.shop.lock.exists():
            text = self.shop.lock.read_text(encoding="utf-8")
            self.shop.lock.write_text(re.sub(r'("mod": 1\d)\d', r"\g<1>0", text, count=self.walk.randrange(1, 4)), encoding="utf-8")

    def loses_build(self) -> None:
        if self.git and self.kept:
            shutil.rmtree(self.shop.folder / "build", ignore_errors=True)
        else:
            self.shop.forgets()

    def restores_lock(self) -> None:
        """A lock that was saved some time ago, as one does without git."""
        saved = self.shop.folder / "build" / "saved.lock"
        if saved.exists():
            shutil.copy(saved, self.shop.lock)
        elif self.shop.lock.exists() and saved.parent.exists():
            shutil.copy(self.shop.lock, saved)

    # -------------------------------------------------------------------------------------------------- how

    def runs(self, command: str) -> Any:
        try:
            done = self.shop.run(command, now=self.now)
        except Exception as error:
            self.faults.append(f"{command}: {type(error).__name__}: {error}")
            raise
        if done.status and not PLACE.search(done.err):
            self.faults.append(f"{command} ends with {done.status} and no place: {done.err}")
        return done

    def _write(self, path: Path) -> None:
        word, number = WORDS[int(path.stem.split("-")[1]) % len(WORDS)], self.walk.randrange(4)
        tags = self.walk.choice(["[one]", "[one]", "[two]"])
        path.parent.mkdir(exist_ok=True)
        text = f"The {word} takes version {number}."
        if path.stem.startswith("cloze"):
            parts = [f"{{{{c{n}::{n * 111} {word}s of {number} bytes for {WORDS[n]}}}}}" for n in (1, 2, 3) if n < 3 or self.walk.random() < 0.5]
            text = f"It holds {' and '.join(parts)}."
        path.write_text(f"---\ntags: {tags}\n---\n\n# What of {path.stem}? {{#{path.stem} .{path.stem.split('-')[0]}}}\n\n{text}\n", encoding="utf-8")

    def _lock(self) -> list[dict[str, Any]]:
        found = []
        for line in self.shop.lock.read_text(encoding="utf-8").splitlines() if self.shop.lock.exists() else ():
            with suppress(ValueError):
                found.append(json.loads(line))
        return found

    def _retired(self) -> set[str]:
        found = re.search(r"^retired: \{(.*)\}$", (self.shop.folder / "cards/gone.md").read_text(encoding="utf-8"), re.MULTILINE)
        return {one.split(":")[0].strip() for one in found[1].split(",") if one.strip()} if found else set()

    def _retire(self, id: str, is_gone: bool) -> None:
        path, gone = self.shop.folder / "cards/gone.md", self._retired()
        gone = {*gone, id} if is_gone else gone - {id}
        said = ", ".join(f"{one}: why" for one in sorted(gone))
        path.write_text(f"---\nretired: {{{said}}}\n---\n\n# What stays? {{#anchor}}\n\nThis.\n", encoding="utf-8")

    def _mends(self, said: str) -> None:
        """Does what the problems of a release say."""
        for id in re.findall(r"the note '([\w-]+)' has vanished", said):
            self._retire(id, True)
        for id in re.findall(r"the note '([\w-]+)' is retired and yet stands", said):
            self._retire(id, False)
        for path in re.findall(r"^(cards/\S+\.md):\d+: the id '[\w-]+' is taken", said, re.MULTILINE):
            (self.shop.folder / path).unlink(missing_ok=True)
        lines = {int(number) for number in re.findall(r"deck\.lock:(\d+): .*\(take the line away", said)}
        if lines:
            kept = [line for number, line in enumerate(self.shop.lock.read_text(encoding="utf-8").splitlines(True), 1) if number not in lines]
            self.shop.lock.write_text("".join(kept), encoding="utf-8")
        if "a merge left its marks" in said:
            text = self.shop.lock.read_text(encoding="utf-8")
            self.shop.lock.write_text(re.sub(r"^(<<<<<<<|=======|>>>>>>>|\|\|\|\|\|\|\|).*\n", "", text, flags=re.MULTILINE), encoding="utf-8")

    def _git(self, *words: str) -> str:
        done = subprocess.run(["git", *WHO, *words], cwd=self.shop.folder, capture_output=True, text=True, check=False)
        return done.stdout

    def _clean(self) -> list[str]:
        """All is committed; the commits, the newest first."""
        self.commits()
        return self._git("log", "--format=%H", "--first-parent").split()

    def _settles(self) -> None:
        """Ends a merge or a revert in which both sides changed something: one side's files, or in the lock both sides' lines with git's marks."""
        for path in sorted({line.split("\t")[1] for line in self._git("ls-files", "--unmerged").splitlines()}):
            if path.endswith("deck.lock") and self.walk.random() < 0.3:
                continue
            side = self.walk.choice(["--ours", "--theirs"])
            if self._git("checkout", side, "--", path) == "" and "<<<<<<<" in self._text(path):
                self._git("rm", "-qf", "--", path)
            if not self._text(path) or "<<<<<<<" in self._text(path):
                (self.shop.folder / path).unlink(missing_ok=True)
        self.commits()

    def _text(self, path: str) -> str:
        file = self.shop.folder / path
        return file.read_text(encoding="utf-8") if file.exists() else ""

    def _packed(self) -> dict[str, list[str]]:
        package = self.shop.folder / "build/histories.apkg"
        return {guid: [tags.strip(), fields] for guid, tags, fields in rows(package, "select guid, tags, flds from notes")}

    # --------------------------------------------------------------------------------------------- what learners do

    def studies(self) -> None:
        learner = self.walk.choice(self.learners)
        if learner.state["cards"]:
            learner.does("studies", seed=self.walk.randrange(1000))

    def writes(self) -> None:
        """A learner edits a note."""
        learner = self.walk.choice(self.learners)
        if notes := learner.notes():
            guid = self.walk.choice(sorted(notes))
            learner.does("edits", guid=guid, text=f"mine at {self.now}", at=self.now)
            learner.edited[guid] = len(self.releases) - 1
            self.now += 2

    def _taken(self, learner: Learner, packed: dict[str, list[str]]) -> None:
        before, notes = learner.state, learner.notes()
        package = self.shop.folder / "build/histories.apkg"
        after = learner.does("takes", package=str(package))
        now, last, faults = learner.notes(), len(self.releases) - 1, self.faults
        guids = [row[0] for row in after["notes"]]
        faults += [f"release {last}: the note {guid} is doubled" for guid in set(guids) if guids.count(guid) > 1]
        for guid, content in packed.items():
            name = content[1].partition("\x1f")[0]
            if guid in learner.edited:
                at = learner.edited[guid]
                then = next((release[guid] for release in self.releases[at::-1] if guid in release), content)  # a release may have been without it
                if all(release.get(guid, content) == content for release in self.releases[at:]) and then == content:
                    if now.get(guid) != notes[guid]:
                        faults.append(f"release {last}: an edit of {name} is lost, though it did not change")
                    continue
            if now.get(guid) != content:
                faults.append(f"release {last}: {name} does not arrive: {now.get(guid)} in place of {content}")
            learner.edited.pop(guid, None)
        for guid in notes.keys() - packed.keys():
            if now.get(guid) != notes[guid]:
                faults.append(f"release {last}: {notes[guid]} changed, though it is not packed")
        for what in ("cards", "reviews"):
            known = {row[0]: row for row in after[what]}
            faults += [f"release {last}: {what} {row} became {known.get(row[0])}" for row in before[what] if known.get(row[0]) != row]
        (models,) = rows(package, "select models from col")[0]
        for id, kind in json.loads(models).items():
            sides = [[[one["qfmt"], one["afmt"]] for one in kind["tmpls"]], kind["css"]]
            if after["types"].get(id) != sides:
                faults.append(f"release {last}: the note type {kind['name']} does not arrive")


def run(seed: int, steps: int, folder: Path, python: str = sys.executable) -> list[str]:
    """Plays a history in an empty folder; what went wrong. python: of the learners, with an Anki of its own."""
    author = Author(seed, folder, python)
    does: list[tuple[int, Callable[[], None]]] = [
        (6, author.edits),
        (2, author.adds),
        (1, author.swaps),
        (2, author.retires),
        (2, author.returns),
        (1, author.moves),
        (1, author.restyles),
        (2, author.builds),
        (5, author.releases_it),
        (2, author.loses_lock),
        (1, author.loses_lines),
        (1, author.lowers),
        (1, author.loses_build),
        (1, author.restores_lock),
        (2, author.studies),
        (3, author.writes),
    ]
    if author.git:
        does += [(2, author.commits), (3, author.reverts), (1, author.resets), (2, author.merges), (2, author.checks_out)]
    try:
        author.releases_it()
        for _ in range(steps):
            (what,) = author.walk.choices([do for _, do in does], [weight for weight, _ in does])
            author.did.append(what.__name__)
            author.now += author.walk.choice([1, 60, 86_400])
            what()
            if author.faults:
                break
        else:
            author.now += 60
            author.releases_it()
    finally:
        for learner in author.learners:
            learner.leaves()
    return [f"{fault} (seed {seed}, after {', '.join(author.did[-8:])})" for fault in author.faults]
