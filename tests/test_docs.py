"""The READMEs: every command that there is stands in them, and every command, file and link that stands in them is there."""

from __future__ import annotations

import argparse
import re
from pathlib import Path

import pytest
from workshop import ROOT

import generator.__main__ as generator
import kernels.__main__ as kernels
from generator import command as warpdeck

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
