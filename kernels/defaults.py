"""matplotlib without the settings of whoever builds, which move no card, and whose mistakes would end the build.

In: nothing. Out: matplotlib is imported, with the settings that it ships.
"""

from __future__ import annotations

import os
import sys
from contextlib import ExitStack
from importlib.util import find_spec

from kernels import parts


def load() -> None:
    """Imports it, from a folder whose matplotlibrc is its own where the current one has one, which it would read first."""
    if "matplotlib" in sys.modules or (found := find_spec("matplotlib")) is None or found.origin is None:
        return
    shipped = os.path.join(os.path.dirname(found.origin), "mpl-data")
    os.environ["MATPLOTLIBRC"] = shipped
    if sys.platform == "linux" and not _can_keep():
        os.environ["MPLCONFIGDIR"] = _held.enter_context(parts.folder())  # which it would make itself, with two long lines, and leave behind
    here = os.getcwd() if os.path.lexists("matplotlibrc") else None
    try:
        if here is not None:
            os.chdir(shipped)
        import matplotlib  # noqa: F401
    finally:
        if here is not None:
            os.chdir(here)


_held = ExitStack()  # to the end of the process; a later one sweeps what is in it


def _can_keep() -> bool:
    """Whether matplotlib can keep the list of fonts that it makes, and its settings, where it would."""
    said = os.environ.get("MPLCONFIGDIR")
    homes = [os.environ.get(f"XDG_{kind}_HOME") or os.path.expanduser(f"~/.{kind.lower()}") for kind in ("CONFIG", "CACHE")]
    for place in [said] if said else [os.path.join(home, "matplotlib") for home in homes]:
        try:
            os.makedirs(place, exist_ok=True)
        except (OSError, ValueError):
            return False
        if not os.access(place, os.W_OK):
            return False
    return True
