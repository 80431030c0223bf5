"""How long a browser waits for what was saved: from the write to the event, on a synthetic deck, each tenth note with a figure of its own.

    python tests/bench/watch_time.py [NOTES] [EDITS]

Each kind of edit is made EDITS times in a copy of the program with one server, one at a time, while the first note is looked at.
Printed: the median, and all of them. Where an edit concerns all notes, the event is the one that has the note that is looked at.
"""

from __future__ import annotations

import re
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

from watching import Served, copied, serving

DECK = """name: Bench
id: 1720310997
slug: bench
version: "1"
devices: [h100]
subdecks: {bench: {name: Bench, topics: []}}
tags: [memory]
"""
HEAD = """---
tags: [memory]
runs:
  small: {{kernel: training_memory, parameters: {parameters}}}
---
"""
NOTE = """
# What does AdamW hold for model {n} of this bench? {{#note-{n}}}

[[small.total | GB]], that is [[small.per_parameter | B 2]] for each of its $N_{{{n}}}$ parameters, **{words}**.
{figure}
## Why

Weights and gradients take 2 bytes each, master copy and two moments 4 each: $2 + 2 + 3 \\cdot 4$.

| part      | memory                   |
|-----------|--------------------------|
| weights   | [[small.weights | GB]]   |
| optimizer | [[small.optimizer | GB]] |

## Trap

Counting one moment instead of two, as `model_{n}.parameters()` suggests:

```python
optimizer = torch.optim.AdamW(model_{n}.parameters(), fused=True)
```

## Source

ZeRO, [arXiv 1910.02054](https://arxiv.org/abs/1910.02054), section 3.1
"""


def made(folder: Path, notes: int) -> None:
    """Ten notes a file, the first of them with a figure."""
    (folder / "cards" / "bench").mkdir(parents=True)
    (folder / "cards" / "deck.yml").write_text(DECK)
    for start in range(0, notes, 10):
        text = HEAD.format(parameters=10**9 + start)
        for n in range(start, min(start + 10, notes)):
            text += NOTE.format(n=n, words="as everybody knows", figure="\n![[small]]\n" if n == start else "")
        (folder / "cards" / "bench" / f"topic-{start:04}.md").write_text(text)


FILE = "cards/bench/topic-0000.md"
KERNEL = "kernels/library/training/training_memory.py"  # what every note's numbers come from
LONE = "kernels/library/training/lone_memory.py"  # the same for one note
Edit = Callable[[str, int], str]


def word(text: str, n: int) -> str:
    return re.sub(r"\*\*.+?\*\*", f"**in edit {n}**", text, count=1)


def style(text: str, n: int) -> str:
    return f"{text}\n.edit-{n} {{ color: inherit; }}\n"


def template(text: str, n: int) -> str:
    return f"{text}\n<i>edit {n}</i>\n"


def constant(text: str, n: int) -> str:
    return text.replace('"fp32": 4', f'"fp32": {5 + n}')


def problem(text: str, n: int) -> str:
    return f"{text}\n[[small.total{n} | GB]]\n"


EDITS: tuple[tuple[str, str, Edit], ...] = (
    ("a card", FILE, word),
    ("a problem", FILE, problem),
    ("the style", "generator/look/style.css", style),
    ("a template", "generator/look/qa/back.html", template),
    ("a kernel", LONE, constant),
    ("all numbers", KERNEL, constant),
)


def taken(served: Served, path: str, edit: Edit, edits: int) -> list[float]:
    """The seconds that each of some edits took to arrive; the file is as it was afterwards."""
    times, before = [], (served.folder / path).read_text()
    for n in range(edits):
        stream = served.events()  # from a page that has all of the last edit
        start = served.write(path, edit(before, n))
        stream.next()
        times.append(time.monotonic() - start)
        stream.close()
    served.write(path, before)
    return times


MANY = 1000  # notes past which the last kind of edit, which makes all of them again, is left out: each takes a minute to end


def main() -> None:
    notes, edits = (int(argument) if argument else default for argument, default in zip([*sys.argv[1:], "", ""], (400, 7)))
    with tempfile.TemporaryDirectory() as name:
        folder = copied(Path(name))
        made(folder, notes)
        (folder / LONE).write_text((folder / KERNEL).read_text().replace("training_memory", "lone_memory"))
        lone = HEAD.format(parameters=10**9) + NOTE.format(n=notes, words="alone", figure="\n![[small]]\n")
        (folder / "cards" / "bench" / "lone.md").write_text(lone.replace("training_memory", "lone_memory"))
        with serving(folder) as served:
            served.ask("/looking?at=note-0").read()
            print(f"{notes + 1:,} notes; seconds from the write to the event: the median of {edits} edits, and all of them")
            for what, path, edit in EDITS if notes <= MANY else EDITS[:-1]:
                times = taken(served, path, edit, edits)
                print(f"{what:<12}{statistics.median(times):7.3f}   {'  '.join(f'{t:.3f}' for t in sorted(times))}", flush=True)


if __name__ == "__main__":
    main()
