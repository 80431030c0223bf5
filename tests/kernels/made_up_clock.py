"""A clock for tests, which a busy machine does not slow down."""

TICK = 2.0**-10  # about a millisecond; a power of two, so that equal times remain equal through all arithmetic


class Clock:
    """Goes on by a tick whenever it is read, and by what a test adds."""

    now = 0.0

    def read(self) -> float:
        self.now += TICK
        return self.now
