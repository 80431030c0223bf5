"""The made-up kernels of tests/kernels/library stand beside the real ones while a test asks for them."""

import sys
from pathlib import Path

import pytest

from kernels import library


@pytest.fixture
def shelf(monkeypatch):
    """Adds folders to the library for the time of the test: `shelf(folder)`. Their files lie flat or in areas."""
    added = []

    def add(folder: Path) -> None:
        monkeypatch.setattr(library, "__path__", [*library.__path__, str(folder)])
        added.append(folder)

    yield add
    for name, module in list(sys.modules.items()):
        if name.startswith("kernels.library.") and all(any(Path(part).is_relative_to(folder) for folder in added) for part in places(module)):
            del sys.modules[name]
            package, _, inner = name.rpartition(".")
            vars(sys.modules.get(package, module)).pop(inner, None)


def places(module):
    """The file of a module, or the folders of an area."""
    return [module.__file__] if module.__file__ else list(module.__path__)


@pytest.fixture
def made_up(shelf):
    shelf(Path(__file__).parent / "library")
