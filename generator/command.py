"""The command `warpdeck`: the compiler's commands, the laboratory's as `warpdeck kernels`, and completion for a shell.

In: the command line. Out: what `python -m generator` and `python -m kernels` make of it, where each command is declared once. What a
command does not need is imported inside the functions: an idle build loads this file and no more than `python -m generator` does.
"""

from __future__ import annotations

import argparse
import os
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NoReturn

SHELLS = ("bash", "zsh", "fish", "powershell")


def main() -> NoReturn:
    if message := _other_kernels():
        sys.exit(message)
    from kernels.parts import stops

    stops()
    if sys.argv[1:2] == ["kernels"] and "_ARGCOMPLETE" not in os.environ:
        from kernels.__main__ import main as laboratory

        sys.exit(laboratory(sys.argv[2:], "warpdeck kernels"))
    from generator.__main__ import run

    run(_parser())


def _parser() -> argparse.ArgumentParser:
    from generator.__main__ import add_commands

    parser = argparse.ArgumentParser(prog="warpdeck", description="Anki decks whose numbers are computed.")
    parser.add_argument("--version", action=_Version, nargs=0, help="say which version this is")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    add_commands(commands)
    laboratory = commands.add_parser("kernels", help="the laboratory: list, run, record, verify and rehearse kernels", add_help=False)
    about = "print what makes a shell complete this command"
    completion = commands.add_parser("completion", help=about, description=f'{about}: eval "$(warpdeck completion bash)" in its start-up file')
    completion.add_argument("shell", choices=SHELLS)
    completion.set_defaults(command=_completion)
    if "_ARGCOMPLETE" in os.environ:
        _complete(parser, laboratory)
    return parser


class _Version(argparse.Action):
    """Asks for the version only when it is wanted."""

    def __call__(self, parser: argparse.ArgumentParser, *_: Any) -> NoReturn:
        from importlib.metadata import version

        print(f"warpdeck {version('warpdeck')}")
        parser.exit()


# ---------------------------------------------------------------------------------------------- completion


def _completion(asked: argparse.Namespace) -> str:
    if find_spec("argcomplete") is None:
        sys.exit("completion needs the package argcomplete: pip install 'warpdeck[completion]'")
    import argcomplete

    return argcomplete.shellcode(["warpdeck"], shell=asked.shell) + "\n"


def _complete(parser: argparse.ArgumentParser, laboratory: argparse.ArgumentParser) -> None:
    """Answers a shell that asks what may come next, and ends. (Where this is not what it asks, `autocomplete` returns.)"""
    import argcomplete

    from kernels.__main__ import add_commands

    add_commands(laboratory)
    argcomplete.autocomplete(parser)


# ------------------------------------------------------------------------------------- another package's name


def _other_kernels() -> str:
    """What to do where the name `kernels` is another package's (Hugging Face has one); empty where it is ours."""
    found = find_spec("kernels")
    if found is None:
        return "warpdeck is not whole: its package `kernels` is missing; install warpdeck again"
    ours = Path(__file__).parents[1] / "kernels" / "__init__.py"
    if found.origin and os.path.samefile(found.origin, ours) and ours.read_bytes().startswith(b'"""The laboratory:'):
        return ""
    where = found.origin or ", ".join(found.submodule_search_locations or ())
    return (
        f"another package named `kernels` stands in the way of warpdeck's: {where}\n"
        "Give warpdeck an environment of its own, as pipx, uv tool install and python -m venv do."
    )
