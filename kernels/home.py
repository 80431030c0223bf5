"""What a deck has of its own: kernels, records of runs and counting units, as its deck.yml says; and the library with them at hand.

In: the folder of cards. Out: a Home, and after `use` a process whose library is ours and that deck's. The one place that reads
these keys, for the compiler and for the laboratory's command. Imports nothing heavy: a build that finds nothing to do asks it too.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from kernels import files, library

DECK = "deck.yml"
KERNELS, RECORDS = "../kernels", "../records"  # beside the folder of cards


class Home(NamedTuple):
    """kernels: the folder of the deck's own, which need not be there; None where that is the laboratory itself.
    records: by the same way as the cards. units: what its numbers count."""

    kernels: Path | None
    records: Path
    units: tuple[str, ...] = ()


def home_of(cards: Path) -> Home:
    """What deck.yml says, or where things lie if it says nothing. Raises KernelError for what cannot be understood."""
    from kernels.results import KernelError

    said = _said(cards / DECK)
    places = {key: said.get(key, usual) for key, usual in (("kernels", KERNELS), ("records", RECORDS))}
    wrong = [f"{key} must be the path of a folder, but is {place!r}" for key, place in places.items() if not isinstance(place, str) or not place]
    units = said.get("units") or []
    wrong += unfit(units) if isinstance(units, list) else [f"units must be a list of words, but is {units!r}"]
    if wrong:
        raise KernelError("\n".join(f"{cards / DECK}: {one}" for one in wrong))
    kernels, records = Path(os.path.abspath(cards / places["kernels"])), Path(os.path.normpath(cards / places["records"]))
    if "kernels" in said and not os.path.isdir(kernels):  # which asks after a name that none can have, too
        raise KernelError(f"{cards / DECK}: there is no folder {said['kernels']!r} of kernels")
    if in_the_way(kernels):
        raise KernelError(f"{kernels / INIT} {IN_THE_WAY}: delete it")
    return Home(None if _is_laboratory(kernels) else kernels, records, tuple(units))


INIT, IN_THE_WAY = "__init__.py", "makes a package of this folder, which hides our own package of that name"


def in_the_way(kernels: Path) -> bool:
    """Whether a folder of kernels, with that name, is a Python package that would be imported in place of ours."""
    return os.path.exists(kernels / INIT) and not _is_laboratory(kernels)


def _is_laboratory(folder: Path) -> bool:
    """Whether it is our own package, which lies beside our own cards."""
    return os.path.isfile(folder / "library" / INIT)


def unfit(words: Sequence[object]) -> list[str]:
    """What is wrong with words that are to be counting units."""
    if not words:
        return []
    from kernels.units import RESERVED, standard

    wrong, met = [], set[str]()
    for word in words:
        if not isinstance(word, str) or not word.isalpha():
            wrong.append(f"the unit {word!r} must be a word of letters alone")
        elif word in RESERVED or standard(word) or standard(f"{word}s"):
            wrong.append(f"the unit {word!r} has a meaning of its own already")
        elif met & {word, f"{word}s", word.removesuffix("s")}:
            wrong.append(f"the unit {word!r} stands twice (a plural in -s is there by itself)")
        else:
            met.add(word)
    return wrong


def _said(file: Path) -> Mapping[str, Any]:
    import yaml

    from kernels.results import KernelError

    try:
        said = yaml.load(files.read(file), getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    except (OSError, yaml.YAMLError, ValueError, RecursionError) as error:
        why = getattr(error, "strerror", None) or str(error)
        raise KernelError(f"{file} cannot be read: {' '.join(why.split())}") from error
    return said if isinstance(said, dict) else {}


def cards_from(folder: Path) -> Path | None:
    """The folder of cards of the deck that a folder belongs to: the nearest at or above it that has cards/deck.yml or a deck.yml."""
    for one in (folder, *folder.parents):
        for cards in (one / "cards", one):
            if (cards / DECK).is_file():
                return cards
    return None


# ------------------------------------------------------------------------------------------------- this process


def use(home: Home | None) -> None:
    """From now on this process has the deck's kernels beside the library's, and its units; those of a deck before are forgotten."""
    take(str(home.kernels) if home and home.kernels else None, home.units if home else ())


def take(own: str | None, units: Iterable[str]) -> None:
    """The same, of a folder and words as another process has them (`own`, `units.declared`)."""
    global _own
    others = [part for part in library.__path__ if part != _own]
    words, _own = tuple(units), None if own in others else own
    path = [*others, *([_own] if _own else [])]
    declared = sys.modules.get("kernels.units")
    if path == list(library.__path__) and words == (declared.declared() if declared else ()):
        return
    library.__path__[:] = path
    if words or declared:
        from kernels.units import declare

        declare(words)
    if "kernels.catalogue" in sys.modules:
        sys.modules["kernels.catalogue"].forget()


def own() -> str | None:
    """The folder of the kernels that the deck at hand has of its own."""
    return _own


_own: str | None = None


def keep_in(keep: Keep) -> None:
    """From now on this keeps what kernels declare and formulas give, and has what they did before."""
    global _keep
    _keep = keep


def kept(about: Sequence[Any], make: Callable[[], bytes]) -> bytes:
    """What the parts of a key stand for, as it was made before or is made now."""
    return _keep(about, make)


def _at_once(_: Sequence[Any], make: Callable[[], bytes]) -> bytes:
    return make()


Keep = Callable[[Sequence[Any], Callable[[], bytes]], bytes]
_keep: Keep = _at_once
