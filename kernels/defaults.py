"""matplotlib without the settings of whoever builds, which move no card, and whose mistakes would end the build.

In: nothing. Out: matplotlib is imported, with the settings that it ships.
"""

from __future__ import annotations

import os
import sys
from importlib.util import find_spec


def load() -> None:
    """Imports it, from a folder whose matplotlibrc is its own where the current one has one, which it would read first."""
    if "matplotlib" in sys.modules or (found := find_spec("matplotlib")) is None or found.origin is None:
        return
    shipped = os.path.join(os.path.dirname(found.origin), "mpl-data")
    os.environ["MATPLOTLIBRC"] = shipped
    here = os.getcwd() if os.path.lexists("matplotlibrc") else None
    try:
        if here is not None:
            os.chdir(shipped)
        import matplotlib  # noqa: F401
    finally:
        if here is not None:
            os.chdir(here)
