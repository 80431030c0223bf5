"""Warpdeck as others have it: a wheel, installed into an environment of its own, and its command in empty folders outside the repository.

Nothing is downloaded: the environment sees the packages of the one that runs the tests, behind its own, and of these none is warpdeck.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
import venv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parent.parent
SHIPPED = ("generator", "kernels", "pyproject.toml", "README.md", "LICENSE")


def wheel(folder: Path) -> Path:
    """The wheel of this checkout, built in a copy: where it is built, setuptools leaves what it made on the way."""
    source = folder / "source"
    source.mkdir()
    for name in SHIPPED:
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
        copy(ROOT / name, source / name, **({"ignore": shutil.ignore_patterns("__pycache__")} if (ROOT / name).is_dir() else {}))
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check"]
    subprocess.run([*pip, "wheel", "--quiet", "--no-deps", "--no-index", "--no-build-isolation", "--wheel-dir", folder, source], check=True)
    (made,) = folder.glob("*.whl")
    return made


@dataclass(frozen=True)
class Installed:
    """An environment, by its folder."""

    folder: Path

    @property
    def bin(self) -> Path:
        return self.folder / ("Scripts" if os.name == "nt" else "bin")

    @property
    def environment(self) -> dict[str, str]:
        """That of a shell in which it is activated, and in which nothing leads to the checkout."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "VIRTUAL_ENV", "SOURCE_DATE"))}
        return {**kept, "VIRTUAL_ENV": str(self.folder), "PATH": os.pathsep.join([str(self.bin), kept.get("PATH", "")])}

    def run(self, folder: Path, *words: str | Path, now: int | None = None, **options: object) -> subprocess.CompletedProcess[str]:
        """`warpdeck WORDS` in a folder, at the time `now`."""
        environment = self.environment if now is None else {**self.environment, "SOURCE_DATE_EPOCH": str(now)}
        command: Sequence[str | Path] = [self.bin / "warpdeck", *words]
        return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False, **options)  # type: ignore[call-overload]

    def does(self, folder: Path, *words: str | Path, now: int | None = None) -> str:
        """The same where it is to succeed; what it said."""
        done = self.run(folder, *words, now=now)
        assert done.returncode == 0, (words, done.stdout, done.stderr)
        return done.stdout


def installed(folder: Path, package: Path) -> Installed:
    venv.create(folder, symlinks=os.name != "nt")
    made = Installed(folder)
    python = made.bin / "python"
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--python", str(python)]
    subprocess.run([*pip, "install", "--quiet", "--no-deps", "--no-index", package], check=True)
    ask = "import sysconfig; print(sysconfig.get_path('purelib'))"
    own = subprocess.run([python, "-I", "-c", ask], capture_output=True, text=True, check=True).stdout.strip()
    Path(own, "dependencies.pth").write_text("\n".join({sysconfig.get_path("purelib"), sysconfig.get_path("platlib")}) + "\n", encoding="utf-8")
    return made
