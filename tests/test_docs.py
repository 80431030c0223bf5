"""The pages: every command that there is stands in them, every command, file and link that stands in them is there, and what is shown works.

Each fenced block is executed in the place that the words before it name: cards and deck.yml are checked and built, kernels run, commands typed.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
import yaml
from our_types import note_types
from workshop import ROOT, Workshop, environment

import generator.__main__ as generator
import kernels.__main__ as kernels
from generator import command as warpdeck
from generator.keep.deck import Built, build
from generator.read.deckfile import fresh_id
from generator.resolve.told import told_twice

README = (ROOT / "README.md").read_text(encoding="utf-8")
MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")
DOCUMENTS = [ROOT / "README.md", *(ROOT / folder / "README.md" for folder in ("cards", "generator", "kernels"))]
TARGETS = sorted(re.findall(r"^([a-z]+):.*## ", MAKEFILE, re.MULTILINE))


def commands(parser: argparse.ArgumentParser) -> dict[str, argparse.ArgumentParser]:
    (found,) = [action for action in parser._actions if isinstance(action, argparse._SubParsersAction)]
    return dict(found.choices)


def test_every_make_target_is_explained():
    assert len(TARGETS) >= 11
    assert [target for target in TARGETS if not re.search(rf"`?make {target}\b", README)] == []
    phony = re.findall(r"^\.PHONY: (.*)", MAKEFILE, re.MULTILINE)[0]
    assert sorted(phony.split()) == TARGETS


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_every_target_that_is_named_exists(document: Path):
    named = set(re.findall(r"(?:`|^|\$ )make ([a-z]+)\b", document.read_text(encoding="utf-8"), re.MULTILINE))
    assert named <= set(TARGETS)


def test_every_command_is_named():
    (line,) = [found for found in re.split(r"\n\s*\n", README) if "the commands of `warpdeck`" in found]
    ours, laboratory = line.split("`warpdeck kernels`")
    assert set(re.findall(r"`([a-z]+)`", ours)) - {"warpdeck"} == commands(warpdeck._parser()).keys() - {"kernels"}
    assert set(re.findall(r"`([a-z]+)`", laboratory)) == commands(kernels._parser()).keys()


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_commands_and_options_that_are_named_exist(document: Path):
    known = {"python -m generator": commands(generator._parser()), "warpdeck": commands(warpdeck._parser())}
    known |= dict.fromkeys(("python -m kernels", "warpdeck kernels"), commands(kernels._parser()))
    said = re.findall(rf"(?<![./\w])({'|'.join(sorted(known, reverse=True))}) ([a-z]+)([^\n`|]*)", code(document))
    for package, name, rest in said:
        assert name in known[package], (document, package, name)
        options = {option for action in known[package][name]._actions for option in action.option_strings}
        assert set(re.findall(r"(?<!\S)--[a-z]+", rest)) <= options, (document, name, rest)


def code(document: Path) -> str:
    """What stands in a document as code: its fences, and what is between backticks."""
    text = document.read_text(encoding="utf-8")
    return "\n".join([*re.findall(r"^ *```.*?\n(.*?)^ *```", text, re.DOTALL | re.MULTILINE), *re.findall(r"`([^`\n]+)`", text)])


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_links_lead_somewhere(document: Path):
    text = re.sub(r"^(~{3,}|`{3,}).*?^\1", "", document.read_text(encoding="utf-8"), flags=re.DOTALL | re.MULTILINE)
    text = re.sub(r"`[^`\n]*`", "", text)
    links = re.findall(r"\]\((?!https?:|#|mailto:)([^)\s]+)\)", text) + re.findall(r"src=\"(?!https?:)([^\"]+)\"", text)
    assert [link for link in links if not (document.parent / link.split("#")[0]).exists()] == []


def test_the_licences_are_there():
    text = (ROOT / "LICENSE").read_text(encoding="utf-8")
    assert "MIT" in text and "CC BY 4.0" in text


def test_the_lock_of_packages_covers_the_project():
    """Each requirement of pyproject.toml has its exact version in requirements.lock."""
    project = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    lists = re.findall(r"^(?:dependencies|kernels|test|lint|tokenizers) = \[(.*?)\]", project, re.DOTALL | re.MULTILINE)
    wanted = {re.split(r"[<>=!\[]", name)[0].lower() for part in lists for name in re.findall(r'"([A-Za-z0-9_.-]+[^"]*)"', part)} - {"warpdeck"}
    locked = {re.split(r"[=@ ]", line)[0].lower() for line in (ROOT / "requirements.lock").read_text().splitlines() if re.match(r"[A-Za-z0-9]", line)}
    assert len(wanted) >= 12 and wanted - locked == set()


# ---------------------------------------------------------------------------------- what stands in fenced blocks


class Block(NamedTuple):
    """place: the file that the words right before it name; "" where they name none."""

    language: str
    text: str
    place: str


FENCE = re.compile(r"^(?P<indent> *)(?P<fence>~{3,}|`{3,})(?P<language>\w*)\n(?P<text>.*?)^(?P=indent)(?P=fence)$", re.DOTALL | re.MULTILINE)
OWN = re.compile(r"^## Your own deck\n.*?(?=^## The deck in)", re.DOTALL | re.MULTILINE)  # is followed to the letter by test_own_decks.py
NAMED = re.compile(r"`((?:[\w.-]+/)+[\w.-]+\.(?:md|yml|py|html))`")


def blocks(document: Path, *languages: str) -> Iterator[Block]:
    """The fenced blocks of a page, those of these languages."""
    page = OWN.sub("", document.read_text(encoding="utf-8"))
    for match in FENCE.finditer(page):
        before = page[: match.start()].rstrip().rpartition("\n\n")[2]
        if match["language"] in languages:
            named = NAMED.findall(before)
            yield Block(match["language"], textwrap.dedent(match["text"]), named[0] if named else "")


def paged(languages: tuple[str, ...]) -> pytest.MarkDecorator:
    """Each page that has blocks of these languages."""
    return pytest.mark.parametrize(
        "document", [page for page in DOCUMENTS if any(blocks(page, *languages))], ids=lambda path: path.relative_to(ROOT).as_posix()
    )


CARDS = ("markdown", "yaml", "html")


def write_cards(document: Path, folder: Path) -> list[Path]:
    """The cards of a page with their deck.yml, or that of our deck with their folders alone."""
    written = []
    for number, block in enumerate(blocks(document, *CARDS)):
        assert block.place or block.text.startswith("---\n"), f"says not where it goes:\n{block.text}"
        if block.place == "cards/deck.yml":  # whose id is for the one who copies it to choose
            block = block._replace(text=re.sub(r"^id: 0 ", f"id: {fresh_id()} ", block.text, flags=re.MULTILINE))
        text = re.sub(r"^# [^{]*(?:\n[^{]*)+\{#", lambda match: match[0].replace("\n", " "), block.text, flags=re.MULTILINE)  # a front broken to fit
        path = folder / (block.place or f"cards/pages/page-{number}.md")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        written.append(path)
    if not (folder / "cards/deck.yml").exists():
        homes = sorted({path.parent for path in written})
        ours = yaml.safe_load((ROOT / "cards/deck.yml").read_text(encoding="utf-8"))
        subdecks = {home.name: {"name": home.name, "topics": [path.stem for path in written if path.parent == home]} for home in homes}
        (folder / "cards/deck.yml").write_text(yaml.safe_dump({**ours, "subdecks": subdecks}), encoding="utf-8")
    return written


@paged(CARDS)
def test_cards_that_are_shown_are_sound(document: Path, tmp_path: Path):
    write_cards(document, tmp_path)
    shop = Workshop(tmp_path)
    done = shop.run("check", "--strict")
    assert done.status == 0 and "warning" not in done.out, done
    done = shop.run("deck")
    assert done.status == 0, done.err


def test_a_card_of_each_type_is_shown():
    shown = "".join(block.text for block in blocks(ROOT / "cards/README.md", "markdown"))
    assert [key for key in note_types() if key != "qa" and f" .{key}}}" not in shown] == []


def test_a_card_in_a_minute_joins_our_deck(real_deck: Built, tmp_path: Path):
    """The cards of the first page go where it says, into the deck of this repository."""
    document = ROOT / "README.md"
    places = [block.place for block in blocks(document, *CARDS)]
    shutil.copytree(ROOT / "cards", tmp_path / "ours" / "cards")
    write_cards(document, tmp_path / "page")
    files = [tmp_path / "ours" / place for place in places if place]
    for path, place in zip(files, filter(None, places), strict=True):
        assert not path.exists(), f"{place} is there"
        shutil.copy(tmp_path / "page" / place, path)
    made = build(tmp_path / "ours" / "cards", real_deck.cache, only=files)
    assert made.entries and not {entry.id for entry in made.entries} & {entry.id for entry in (*real_deck.entries, *real_deck.withheld)}
    assert [
        str(problem) for problem in told_twice([*real_deck.entries, *made.entries]) if problem.place.path in {e.place.path for e in made.entries}
    ] == []


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkout of its own without records, to which kernels of the pages are added."""
    folder = tmp_path_factory.mktemp("checkout")
    (folder / "generator").symlink_to(ROOT / "generator")
    shutil.copytree(ROOT / "kernels", folder / "kernels", ignore=shutil.ignore_patterns("records", "__pycache__"))
    return folder


def typed(line: str, folder: Path, code: Path) -> str:
    """What a command line says that is typed in a folder, with the packages of this checkout."""
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    ran = subprocess.run(
        ["bash", "-o", "pipefail", "-c", line],
        cwd=folder,
        env=environment(PYTHONPATH=str(code), PATH=path),
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, (line, ran.stdout, ran.stderr)
    return ran.stdout


@paged(("python",))
def test_kernels_that_are_shown_run(document: Path, checkout: Path, tmp_path: Path, pytestconfig: pytest.Config):
    pytestconfig.addinivalue_line("markers", "oracle(kernel, what): as tests/kernels/conftest.py has it")
    for block in blocks(document, "python"):
        if not block.place:
            exec(compile(block.text, document.name, "exec"), {"__name__": "page"})
            continue
        path = checkout / document.parent.relative_to(ROOT) / block.place
        assert not path.exists(), f"{block.place} is there"
        path.write_text(block.text, encoding="utf-8")
        (about,) = [
            kernel for kernel in json.loads(typed(f"python -m kernels list {path.stem} --json", tmp_path, checkout)) if kernel["name"] == path.stem
        ]
        if about["kind"] == "measurement":
            typed(f"python -m kernels rehearse {path.stem} --into rehearsal", tmp_path, checkout)
            assert list((tmp_path / "rehearsal").rglob(f"{path.stem}/*.json"))
        else:
            assert set(about["outputs"]) <= set(json.loads(typed(f"python -m kernels run {path.stem} --json", tmp_path, checkout)))


PLACEHOLDER = re.compile(r"\b[A-Z]{4,}\b|\[|\bkey=value\b")


def commands_shown() -> list[str]:
    """The command lines of all pages that can be typed as they stand."""
    lines = [line for document in DOCUMENTS for block in blocks(document, "") for line in block.text.splitlines()]
    found = [re.split(r"\s{2,}", line.removeprefix("$ "))[0] for line in lines if re.match(r"(?:\$ )?python -m ", line)]
    return [line for line in dict.fromkeys(found) if not PLACEHOLDER.search(line)]


@pytest.mark.parametrize("line", commands_shown())
def test_commands_that_are_shown_work(line: str, checkout: Path, tmp_path: Path):
    """In our deck where they name a file of it, else beside the deck that a page shows."""
    ours = any((ROOT / word).is_file() for word in line.split())
    if ours:
        (tmp_path / "cards").symlink_to(ROOT / "cards")
    else:
        write_cards(ROOT / "cards/README.md", tmp_path)
    typed(line, tmp_path, ROOT if ours else checkout)


@paged(("",))
def test_files_that_are_listed_are_there(document: Path):
    """ "cards/   Markdown, ...": a folder of the page's own, or of the repository."""
    listed = [name for block in blocks(document, "") for name in re.findall(r"^([\w./-]+/) +\S", block.text, re.MULTILINE)]
    assert [name for name in listed if name != "build/" and not any((home / name).is_dir() for home in (document.parent, ROOT))] == []


def test_every_block_is_of_a_kind_that_is_executed():
    kinds = {match["language"] for document in DOCUMENTS for match in FENCE.finditer(OWN.sub("", document.read_text(encoding="utf-8")))}
    assert kinds <= {*CARDS, "python", ""}
    assert len(commands_shown()) >= 4 and "python -m generator wanted | python -m kernels record -" in commands_shown()
