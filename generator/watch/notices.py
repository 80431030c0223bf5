"""Waits until a file may have changed: the system's own notices where they come, and a look now and then where they do not.

In: folders. Out: a sign of life each time that somebody should look. Whether anything did change, the files tell themselves.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from threading import Event

from watchfiles import watch

SETTLED_MS = 15  # without a further notice, after which a burst is over: editors write, rename and touch in one go
LONGEST_MS = 400  # of a burst that does not end
LOOK_MS = 1000  # between looks: a file system over a network gives no notice, a full queue loses some
AWAY_MS = 250  # the same while the cards are away, or a folder cannot be watched


def notices(folders: Callable[[], Sequence[str]], stop: Event) -> Iterator[None]:
    """Yields when something below the folders, as they are at the time, may have changed, a moment after the last of a burst, until `stop` is set."""
    while not stop.is_set():
        there = _there(asked := folders())
        look = LOOK_MS if asked[0] in there else AWAY_MS  # the cards; the others may never come
        try:
            for _ in _heard(list(there), stop, look) if there else ():
                yield
                if _there(folders()) != there:  # one went or came back: it has to be watched anew
                    break
            else:
                stop.wait(AWAY_MS / 1000)
        except (OSError, RuntimeError):  # a folder went meanwhile; the system has no watches left
            stop.wait(AWAY_MS / 1000)
        yield


def _heard(folders: Sequence[str], stop: Event, look: int) -> Iterator[object]:
    return watch(
        *folders,
        watch_filter=None,
        debounce=LONGEST_MS,
        step=SETTLED_MS,
        rust_timeout=look,
        yield_on_timeout=True,
        stop_event=stop,
        raise_interrupt=False,
    )


def _there(folders: Sequence[str]) -> dict[str, tuple[int, int]]:
    """The folders that are there, by what tells them from others of their name."""
    found = {}
    for folder in folders:
        with suppress(OSError):
            stat = os.stat(folder)
            found[folder] = stat.st_dev, stat.st_ino
    return found
