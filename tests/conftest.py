"""What all tests share: `pytest --accept` writes what came out as what is expected, to be looked at in the diff; and workshops."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType

import pytest
from workshop import FIRST, ROOT, Workshop, forget, workshop

from generator.build import Order
from generator.keep.cache import Cache
from generator.keep.deck import Built, build
from kernels import home


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--accept", action="store_true", help="write what came out as what is expected")


@pytest.fixture
def expect(request: pytest.FixtureRequest) -> Callable[[Path, str], None]:
    """expect(path, text): the file at `path` holds `text`; with --accept it is made to."""

    def check(path: Path, text: str) -> None:
        if request.config.getoption("--accept"):
            path.write_text(text, encoding="utf-8", newline="\n")
        assert path.is_file(), f"{path} is missing: pytest --accept writes it"
        assert text == path.read_text(encoding="utf-8")

    return check


COLLECTED: dict[str, ModuleType] = {}  # the library's modules that the tests imported, and hold on to


def pytest_collection_finish() -> None:
    COLLECTED.update((name, module) for name, module in sorted(sys.modules.items()) if name.startswith("kernels.library."))


@pytest.fixture(autouse=True)
def no_deck_at_hand() -> Iterator[None]:
    """What a deck of a test had of its own, kernels and units, is forgotten when it ends, and nothing of the library is."""
    for name, module in COLLECTED.items():
        if sys.modules.get(name) is not module:
            sys.modules[name] = module
            package, _, inner = name.rpartition(".")
            setattr(sys.modules[package], inner, module)
    yield
    home.use(None)


@pytest.fixture(scope="session")
def first_release(tmp_path_factory: pytest.TempPathFactory) -> Workshop:
    """The test deck, released once at the time FIRST; to be copied, not touched."""
    made = workshop(tmp_path_factory.mktemp("workshop") / "first")
    made.release(FIRST)
    made.build(FIRST)  # as whoever works on it has it
    return made


@pytest.fixture
def shop(first_release: Workshop, tmp_path: Path) -> Workshop:
    """A workshop of one's own of the first release."""
    return workshop(tmp_path / "shop", like=first_release.folder)


@pytest.fixture(scope="session")
def real_deck(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Built]:
    """The deck of cards/, built; from a copy of the cache that an earlier build left, where there is one."""
    order, mine = Order(ROOT / "cards", ROOT / "build"), tmp_path_factory.mktemp("real") / "cache.sqlite"
    for kept in order.cache.parent.glob(f"{order.cache.name}*"):  # with SQLite's -wal and -shm
        shutil.copy(kept, f"{mine}{kept.name.removeprefix(order.cache.name)}")
    forget()
    cache = Cache(mine)
    yield build(order.cards, cache, circumstances=order.circumstances)
    cache.close()
