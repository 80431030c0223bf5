"""Where the states are shown: pages read the newest one here, wait for another, and come back with the mark of one that they had.

In: what to make of the last state. Out: states, numbered. Any thread may call.
"""

from __future__ import annotations

import secrets
import threading
from collections import deque
from collections.abc import Callable

from generator.watch.state import State

REMEMBERED = 16  # states that a page may come back with and be told the difference


class Board:
    def __init__(self) -> None:
        self._session = secrets.token_hex(4)
        self._states = deque([State()], REMEMBERED)
        self._news = threading.Condition()

    @property
    def state(self) -> State:
        return self._states[-1]

    def mark(self, state: State) -> str:
        """What a page names a state by, in this process alone."""
        return f"{self._session}-{state.number}"

    def marked(self, mark: str) -> State | None:
        """The state of that mark, if it is remembered."""
        with self._news:
            return next((state for state in self._states if self.mark(state) == mark), None)

    def after(self, state: State | None, seconds: float) -> State:
        """The newest state, as soon as it is another one, or when the time is over."""
        with self._news:
            self._news.wait_for(lambda: self.state is not state, seconds)
            return self.state

    def show(self, make: Callable[[State], State]) -> None:
        """The next state is what `make` makes of the last one; where that is the same, nothing happens."""
        with self._news:
            last = self.state
            now = make(last)._replace(number=last.number)
            if now != last or list(now.notes) != list(last.notes):  # two mappings of another order are equal
                self._states.append(now._replace(number=last.number + 1))
                self._news.notify_all()
