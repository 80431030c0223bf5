"""Decks to be mistreated: the test deck, one with kernels of its own, a new author's, and single topics of the shipped one."""

from __future__ import annotations

import random
import re
import shutil
from pathlib import Path

import yaml
from trial import command
from workshop import CARDS, ROOT

from generator.start.folder import init

TESTS = Path(__file__).parent.parent


def made(folder: Path, chance: random.Random) -> None:
    """Lays one of the decks into an empty folder."""
    how = chance.choice((_tested, _own, _new, _topic, _topic))
    how(folder, chance)


def package(folder: Path) -> Path:
    """The package that the last build in a folder wrote."""
    return next((folder / "build").glob("*.apkg"))


def edited(folder: Path, chance: random.Random) -> None:
    """An author changes a file of cards."""
    path = chance.choice(sorted(path for path in (folder / "cards").rglob("*.md") if path.name != "README.md"))
    text = path.read_text(encoding="utf-8")
    path.write_text(text.rstrip("\n") + " One more word.\n", encoding="utf-8")
    if command(folder, "check").status and command(folder, "deck", "--build", "elsewhere").status:
        path.write_text(text, encoding="utf-8")
    shutil.rmtree(folder / "elsewhere", ignore_errors=True)


def _tested(folder: Path, _: random.Random) -> None:
    shutil.copytree(CARDS, folder / "cards")


def _own(folder: Path, _: random.Random) -> None:
    shutil.copytree(TESTS / "decks" / "own", folder, dirs_exist_ok=True)


def _new(folder: Path, _: random.Random) -> None:
    init(folder / "made")
    for path in (folder / "made").iterdir():
        path.rename(folder / path.name)
    (folder / "made").rmdir()
    deck = folder / "cards/deck.yml"
    deck.write_text(re.sub(r"^id: \d+", "id: 1733112345", deck.read_text(encoding="utf-8"), flags=re.MULTILINE), encoding="utf-8")


def _topic(folder: Path, chance: random.Random) -> None:
    """A topic of the shipped deck with the sources that it answers, and the records of all runs."""
    source = chance.choice(sorted((ROOT / "cards").glob("*/*.md")))
    text, home = source.read_text(encoding="utf-8"), source.parent.name
    (folder / "cards" / home).mkdir(parents=True)
    shutil.copy(source, folder / "cards" / home)
    if (ROOT / "cards/media").is_dir():
        shutil.copytree(ROOT / "cards/media", folder / "cards/media")
    deck = yaml.safe_load((ROOT / "cards/deck.yml").read_text(encoding="utf-8"))
    deck["subdecks"] = {home: {"name": deck["subdecks"][home]["name"], "topics": [source.stem]}}
    deck["records"] = str(ROOT / "kernels/records")
    (folder / "cards/deck.yml").write_text(yaml.safe_dump(deck, sort_keys=False, allow_unicode=True), encoding="utf-8")
    named = set(re.findall(r"\b([a-z0-9-]+)/\d+\b", text))
    whole = (ROOT / "cards/sources.yml").read_text(encoding="utf-8").replace("  whole: true\n", "")
    topics = re.split(r"^(?=[a-z0-9-]+:\n)", whole, flags=re.MULTILINE)
    (folder / "cards/sources.yml").write_text("".join(topic for topic in topics[1:] if topic.partition(":")[0] in named), encoding="utf-8")
