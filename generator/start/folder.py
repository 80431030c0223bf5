"""`init`: the folder of a new deck, from the files in deck/.

In: where it is to lie. Out: the folder, whole or not at all. In deck/, `dot-` stands for the dot of a hidden name, which would count there.
"""

from __future__ import annotations

import json
import os
import re
import shlex
from pathlib import Path

from generator.look.notetypes import environment
from generator.problems import DeckError, Place, Problem
from generator.read.deckfile import fresh_id, slug_of
from kernels.parts import folder_beside

DECK = Path(__file__).parent / "deck"


def init(folder: Path) -> str:
    """Makes the folder of a deck that can be built at once; what is then to be done."""
    if folder.exists() or folder.is_symlink():
        raise DeckError([Problem(Place(folder.as_posix()), "this is there already", "name a folder that is not, and move into it what you keep")])
    name = " ".join(re.split(r"[\s_-]+", folder.name)).strip()
    if not name:
        raise DeckError([Problem(Place(folder.as_posix()), "this is no name of a deck", "write letters or digits")])
    told = {"name": name[0].upper() + name[1:], "id": fresh_id(), "slug": slug_of(name), "requirement": _requirement()}
    try:
        with folder_beside(folder) as part:
            for path in sorted(path for path in DECK.rglob("*") if path.is_file() and path.suffix != ".pyc"):
                inside = path.relative_to(DECK)
                target = Path(part).joinpath(*(re.sub("^dot-", ".", word) for word in inside.parts))
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_text(environment(DECK).get_template(inside.as_posix()).render(told) + "\n", encoding="utf-8", newline="\n")
            os.rename(part, folder)
    except OSError as error:
        raise DeckError([Problem(Place(folder.as_posix()), f"it cannot be made: {error.strerror}", "name another place")]) from error
    return f"{folder.as_posix()}: a deck of its own, with a card of each kind\n  cd {shlex.quote(str(folder))} && warpdeck watch\n"


def _requirement() -> str:
    """The line of requirements.txt that installs this very compiler: by its version, or from the repository that it came from."""
    from importlib.metadata import PackageNotFoundError, distribution

    try:
        found = distribution("warpdeck")
    except PackageNotFoundError:  # a checkout that is not installed
        return "warpdeck"
    origin = json.loads(found.read_text("direct_url.json") or "{}")
    if "vcs_info" in origin:
        return f"warpdeck @ {origin['vcs_info']['vcs']}+{origin['url']}@{origin['vcs_info']['commit_id']}"
    return f"warpdeck=={found.version}"
