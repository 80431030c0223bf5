"""The command `warpdeck`: what it takes over from the compiler and the laboratory, and what it loads for it."""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from workshop import ROOT, Workshop, environment

import generator.__main__ as generator
import kernels.__main__ as kernels
from generator import command

WARPDECK = "import sys; sys.argv[0] = 'warpdeck'; from generator.command import main; main()"


def warpdeck(folder: Path, *words: str, **changes: str) -> subprocess.CompletedProcess[str]:
    program = [sys.executable, "-c", WARPDECK, *words]
    return subprocess.run(program, cwd=folder, env=environment(**changes), capture_output=True, text=True, check=False)


def commands(parser: argparse.ArgumentParser) -> dict[str, argparse.ArgumentParser]:
    (found,) = [action for action in parser._actions if isinstance(action, argparse._SubParsersAction)]
    return dict(found.choices)


def test_it_has_every_command():
    assert commands(command._parser()).keys() == commands(generator._parser()).keys() | {"kernels", "completion"}


def test_every_command_says_how_it_is_used():
    ours = {**commands(command._parser()), **{f"kernels {name}": one for name, one in commands(kernels._parser("warpdeck kernels")).items()}}
    assert [name for name, one in ours.items() if not one.format_usage().startswith(f"usage: warpdeck {name} ")] == ["kernels"]  # it has its own


def test_the_laboratory_answers(tmp_path: Path):
    done = warpdeck(tmp_path, "kernels", "run", "training_memory", "parameters=7e9", "--json")
    assert done.returncode == 0 and '"total": {"value": 112000000000' in done.stdout
    assert warpdeck(tmp_path, "kernels", "run", "training_memry").returncode == 2
    assert warpdeck(tmp_path, "kernels").stderr.startswith("usage: warpdeck kernels ")


def test_its_version_is_the_project_s(tmp_path: Path):
    project = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    version = warpdeck(tmp_path, "--version").stdout.removeprefix("warpdeck ").strip()
    assert f'version = "{version}"' in project


def imports(folder: Path, *program: str) -> set[str]:
    done = subprocess.run([sys.executable, "-X", "importtime", *program], cwd=folder, env=environment(), capture_output=True, text=True, check=True)
    return {line.rpartition("|")[2].strip() for line in done.stderr.splitlines() if line.startswith("import time:")}


@pytest.mark.parametrize("words", [("check",), ("deck",)])
def test_it_loads_no_more_than_the_compiler(words: tuple[str, ...], shop: Workshop):
    for _ in range(2):  # the second finds everything as it was
        plain, ours = imports(shop.folder, "-m", "generator", *words), imports(shop.folder, "-c", WARPDECK, *words)
    assert "generator.build" in ours and ours - plain <= {"generator.command", "generator.__main__"}  # which -m calls __main__


# ------------------------------------------------------------------------------------------------- deck --open


@pytest.mark.skipif(os.name == "nt" or sys.platform == "darwin", reason="other desktops have other ways")
def test_a_package_is_handed_to_the_desktop(shop: Workshop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    program = tmp_path / "bin" / "xdg-open"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\necho "$1" >> {tmp_path}/opened\n', encoding="utf-8")
    program.chmod(0o755)
    path = f"{program.parent}{os.pathsep}{os.environ['PATH']}"
    for _ in range(2):  # built, and as it was
        assert warpdeck(shop.folder, "deck", "--open", PATH=path).returncode == 0
    assert (tmp_path / "opened").read_text(encoding="utf-8").split() == [str(shop.package)] * 2
    program.write_text("#!/bin/sh\nexit 3\n", encoding="utf-8")
    done = warpdeck(shop.folder, "deck", "--open", PATH=path)
    assert done.returncode == 1 and "nothing here opens build/test-interviews.apkg" in done.stderr


# -------------------------------------------------------------------------------------------------- completion


@pytest.mark.parametrize("shell", ["zsh", "fish"])
def test_what_completion_prints_is_a_script(shell: str, tmp_path: Path):
    pytest.importorskip("argcomplete")
    script = warpdeck(tmp_path, "completion", shell).stdout
    assert "warpdeck" in script
    if program := shutil.which(shell):
        subprocess.run([program, "-n"], input=script, text=True, check=True)


@pytest.mark.skipif(shutil.which("bash") is None, reason="no bash")
@pytest.mark.parametrize(
    ("typed", "offers"),
    [
        ("warpdeck ", {"deck", "check", "kernels", "completion"}),
        ("warpdeck ch", {"check"}),
        ("warpdeck check --fo", {"--format"}),
        ("warpdeck check --format ", {"json", "gcc", "text"}),
        ("warpdeck kernels ", {"list", "run", "record", "verify", "rehearse", "oracles"}),
        ("warpdeck kernels verify --se", {"--seeds"}),
    ],
)
def test_bash_offers_what_may_come_next(typed: str, offers: set[str], tmp_path: Path):
    pytest.importorskip("argcomplete")
    program = tmp_path / "warpdeck"
    program.write_text(f"#!{sys.executable}\n{WARPDECK.replace('; ', chr(10))}\n", encoding="utf-8")
    program.chmod(0o755)
    words = typed.split(" ")
    ask = f'eval "$(warpdeck completion bash)"; COMP_LINE={typed!r}; COMP_POINT={len(typed)}; COMP_WORDS=({typed}); COMP_CWORD={len(words) - 1}; '
    ask += 'COMP_TYPE=9; _python_argcomplete warpdeck "" ""; printf "%s\\n" "${COMPREPLY[@]}"'
    own = environment(PATH=f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    done = subprocess.run(["bash", "-c", ask], cwd=tmp_path, env=own, capture_output=True, text=True, check=True)
    assert offers <= {word.strip() for word in done.stdout.split("\n")}, done
