"""A process that is struck by a signal at its n-th event: an import, a file that is opened, renamed or deleted, a process that is begun.

python struck.py N SIGNAL deck cards    the generator's command; says on standard output how many events there were, if it gets so far
"""

import os
import signal
import sys

EVENTS = {
    "import",
    "open",
    "os.rename",
    "os.remove",
    "os.mkdir",
    "os.rmdir",
    "os.scandir",
    "os.listdir",
    "sqlite3.connect",
    "os.fork",
    "marshal.loads",
}
LEFT, SIGNAL = int(sys.argv[1]), signal.Signals[sys.argv[2]]
seen = 0


def strike(event: str, _: object) -> None:
    global seen
    if event in EVENTS:
        seen += 1
        if seen == LEFT:
            os.kill(os.getpid(), SIGNAL)


def main() -> None:
    signal.signal(signal.SIGINT, signal.default_int_handler)  # which a background job would ignore
    sys.argv[1:] = sys.argv[3:]
    from kernels.parts import stops

    stops()
    sys.addaudithook(strike)
    from generator.__main__ import main

    status = main()
    print(seen, flush=True)
    os._exit(status)


if __name__ == "__main__":
    main()
