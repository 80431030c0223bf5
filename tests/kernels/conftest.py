"""The made-up kernels of tests/kernels/library stand beside the real ones while a test asks for them; oracles are watched."""

import sys
from pathlib import Path

import pytest

from kernels import library
from kernels.declare import Kernel


def pytest_configure(config):
    config.addinivalue_line("markers", "oracle(kernel, what): holds that formula against something independent of it")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item):
    """A test marked as an oracle runs the kernel that it names: otherwise it fails."""
    named, ran, call = {mark.args[0] for mark in item.iter_markers("oracle")}, set(), Kernel.__call__
    if not named:
        return (yield)

    def noted(kernel, **given):
        ran.add(kernel.name)
        return call(kernel, **given)

    Kernel.__call__ = noted
    try:
        result = yield
    finally:
        Kernel.__call__ = call
    assert named <= ran, f"an oracle of {', '.join(sorted(named - ran))} that does not run it"
    return result


@pytest.fixture
def shelf(monkeypatch):
    """Adds folders to the library for the time of the test: `shelf(folder)`. Their files lie flat or in areas."""
    added = []

    def add(folder: Path) -> None:
        monkeypatch.setattr(library, "__path__", [*library.__path__, str(folder)])
        added.append(folder)

    yield add
    for name, module in sys.modules.copy().items():
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
