"""A deck of flashcards for benchmarks, always the same: as Warpdeck's cards, and as the plain Markdown that a script of one's own would read.

    python tests/bench/corpus.py NOTES FOLDER      writes FOLDER/cards and FOLDER/plain, the same notes in both

A note has some 200 words of prose with emphasis, code and a list; each second one has math, each third a Python block, each fourth
a table, each fifth a picture. What is in a note follows from its number alone, so that a larger deck begins with the smaller one.
"""

from __future__ import annotations

import random
import sys
from pathlib import Path

PER_FILE, FOLDERS = 20, 10
PROSE = (
    "gradient tensor kernel matrix vector entropy posterior prior likelihood sampling batch epoch learning rate momentum loss layer "
    "network attention embedding token sequence convolution pooling stride padding softmax sigmoid residual encoder decoder latent "
    "variable expectation independence chain integral jacobian eigenvalue rank projection basis norm function operator limit series sum "
    "the a of to in is that for with as on by which from this are be it an at or can when each its where if not we only two then same "
    "more than have one other value result model data large small first second"
)
WORDS = tuple(PROSE.split())
INLINE = (r"x_i", r"\alpha_{k+1}", r"f(x) = a_1 x^2 + b_1", r"p(y \mid x)", r"i < j", r"O(n \log n)", r"a_{ij} * b_{jk}")
DISPLAY = (
    r"\sum_{i=1}^{n} w_i x_i + b < \epsilon",
    r"\begin{pmatrix} a & b \\ c & d \end{pmatrix}\begin{pmatrix} x_1 \\ x_2 \end{pmatrix} = \lambda x",
    r"\operatorname{softmax}(z)_i = \frac{e^{z_i}}{\sum_{j=1}^{K} e^{z_j}}",
)
TAGS = ("optimisation", "probability", "algebra", "python", "networks", "statistics", "algorithms", "language")
PICTURE = '<svg xmlns="http://www.w3.org/2000/svg" width="640" height="200"><polyline fill="none" stroke="#369" points="{}"/></svg>\n'


def back(number: int, media: str) -> str:
    """The Markdown of a note's back; media: where its pictures lie, as seen from its file."""
    pick = random.Random(number)
    parts = [" ".join(_sentence(pick) for _ in range(6))]
    if number % 2 == 0:
        one, other = pick.sample(INLINE, 2)
        parts += [f"{_sentence(pick)[:-1]} with ${one}$ and so ${other}$ for all. {_sentence(pick)}", f"$${pick.choice(DISPLAY)}$$"]
    parts.append("\n".join(f"- {_sentence(pick)}" for _ in range(pick.randint(3, 5))))
    if number % 4 == 1:
        rows = [[pick.choice(WORDS) for _ in range(3)] for _ in range(pick.randint(4, 7))]
        parts.append("\n".join("| " + " | ".join(row) + " |" for row in (rows[0], ["---"] * 3, *rows[1:])))
    if number % 3 == 0:
        parts.append(f"```python\n{_code(number, pick)}\n```")
    if number % 5 == 0:
        parts.append(f"![plot {number}]({media}/{_picture(number)})")
    parts.append(" ".join(_sentence(pick) for _ in range(4)))
    return "\n\n".join(parts)


def front(number: int) -> str:
    pick = random.Random(-number - 1)
    return f"Note {number}: what is the {pick.choice(WORDS)} {pick.choice(WORDS)} of a {pick.choice(WORDS)}?"


def write(notes: int, folder: Path) -> None:
    """Both decks: folder/cards for the generator, folder/plain for the script."""
    tags = "\n".join(f"- {tag}" for tag in TAGS)
    subdecks = "\n".join(f"  d{n}: {{name: D{n}, topics: []}}" for n in range(FOLDERS))
    settings = f'name: Bench\nid: 1720310997\nslug: bench\nversion: "1"\ndevices: [h100]\nsubdecks:\n{subdecks}\ntags:\n{tags}\n'
    _write(folder / "cards" / "deck.yml", settings)
    for start in range(0, notes, PER_FILE):
        some, name = range(start, min(start + PER_FILE, notes)), f"d{start // PER_FILE % FOLDERS}/f{start // PER_FILE:05}.md"
        tag = TAGS[start // PER_FILE % len(TAGS)]
        cards = "".join(f"# {front(n)} {{#n{n:06}}}\n\n{back(n, '../media')}\n\n" for n in some)
        _write(folder / "cards" / name, f"---\ntags: [{tag}]\n---\n\n{cards}")
        plain = "".join(f"+++\nid: n{n:06}\ntags: [{tag}]\n+++\n{front(n)}\n\n<!-- back -->\n\n{back(n, '../media')}\n\n" for n in some)
        _write(folder / "plain" / name, plain)
    for number in range(0, notes, 5):
        pick = random.Random(number)
        picture = PICTURE.format(" ".join(f"{x * 8},{pick.randint(0, 200)}" for x in range(60)))
        for deck in ("cards", "plain"):
            _write(folder / deck / "media" / _picture(number), picture)


def _picture(number: int) -> str:
    """One picture for four notes that show one."""
    return f"plot-{number // 20 * 20:05}.svg"


def _sentence(pick: random.Random) -> str:
    words = [pick.choice(WORDS) for _ in range(pick.randint(9, 17))]
    at = pick.randrange(1, len(words))
    words[at] = pick.choice(("**{}**", "*{}*", "`{}`", "{}", "{}")).format(words[at])
    return f"{' '.join([words[0].capitalize(), *words[1:]])}."


def _code(number: int, pick: random.Random) -> str:
    return (
        f"import math\n\n\ndef step_{number}(values, rate={pick.random():.3f}):\n"
        f'    """One update of note {number}: returns the new value."""\n    total = 0.0\n    for i, item in enumerate(values):\n'
        f"        if item < {pick.randint(2, 99)} and item != 0:  # what is not finite is skipped\n            total += math.exp(item) * rate**i\n"
        f"    return {{'total': total, 'n': len(values)}}\n\n\nprint(step_{number}({[pick.randint(0, 50) for _ in range(5)]}))"
    )


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8", newline="\n")


if __name__ == "__main__":
    write(int(sys.argv[1]), Path(sys.argv[2]))
