"""One in six of the cases of each test, drawn by a fixed seed, so that the usual run is short; with TORTURE=1 in the environment, all of them."""

from __future__ import annotations

import os
import random
from itertools import groupby

import pytest

SHARE = 6


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if os.environ.get("TORTURE") == "1":
        return
    draw, kept = random.Random(12), set()
    here = [item for item in items if os.path.dirname(item.path) == os.path.dirname(__file__)]
    for _, cases in groupby(here, key=lambda item: getattr(item, "originalname", item.name)):
        cases = list(cases)
        kept.update(draw.sample(cases, -(-len(cases) // SHARE)))
    left = [item for item in here if item not in kept]
    config.hook.pytest_deselected(items=left)
    items[:] = [item for item in items if item not in left]
