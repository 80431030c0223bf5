"""What authors know from Obsidian, Pandoc and GitHub and cards do not have: each is named, with what is written in its place.

In: a text, and the same with its code, math, HTML and escaped characters blanked. Out: Findings by offset. Links to pages in
double brackets are references to whoever reads a card: resolve/note.py names them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from generator.problems import nearest
from generator.read.html import Finding
from generator.text.media import kind_of

# What it looks like, what is there wherever it is and is found at once, its name and whose it is, and what to write.
_HABITS = (
    (r"(?<![=\w])==(?=[^\s=])[^\n=]+(?<=\S)==(?!=)", r"==", "a highlight (==text==) is Obsidian's", "write **text**, or <mark>text</mark>"),
    (
        r"^[ \t>]*(?:[-*+]|[0-9]{1,9}[.)])[ \t]+\[[^\[\]\n]\](?=[ \t])",
        r"\[.\][ \t]",
        "a task (- [ ]) is Obsidian's",
        "a card has no boxes to tick: write a plain list",
    ),
    (r"^[ \t>]*>[ \t]*\[![\w-]+\][+-]?", r"\[!", "a callout (> [!note]) is Obsidian's", "write > **Note**, or a section: ## Depth folds"),
    (
        r"\[\^[^\[\]\s]+\]|\^\[[^\[\]\n]+\]",
        r"\^",
        "a footnote ([^1]) is Obsidian's",
        "say it in the text, or under ## Source",
    ),
    (r"(?<![%\w])%%(?!%)(?:(?!%%|\n# )[\s\S])+%%", r"%%", "a comment (%%text%%) is Obsidian's", "write <!-- text -->"),
    (r"(?<=[\w)])\^[^\s^\[\]]+\^(?![\w(+-])", r"\^\S+\^", "a superscript (x^2^) is Pandoc's", "write $x^2$, or x<sup>2</sup>"),
    (r"(?<=[\w)])~[^\s~]+~(?!~)", r"~\S+~", "a subscript (H~2~O) is Pandoc's", "write H<sub>2</sub>O, or $x_2$"),
    (r"(?<![\w~)])~(?=[^\s~])[^\n~]*[^\s~]~(?![\w~])", r"~[^\s~]", "text struck by one tilde (~text~) is GitHub's", "write ~~text~~"),
    (
        r"(?<![\w$\\.])\$[ \t](?=[^$\n]*[\\^_=+{}<>])[^$\n]{1,200}[ \t]\$(?![\w$])",
        r"\$[ \t]",
        "math with a space behind its $ is Obsidian's",
        r"write $x + 1$; \$ is a dollar",
    ),
    (r"^:[ \t]+(?=\S)", r"\n:[ \t]", "a definition (: text under its term) is Pandoc's", "write **Term**: text, or a table"),
)
_PATTERNS = tuple((re.compile(pattern, re.MULTILINE), re.compile(sign), what, hint) for pattern, sign, what, hint in _HABITS)
_ANY = re.compile("|".join(sign for _, sign, _, _ in _HABITS))
_REFERENCE = re.compile(r"\[\[(?:[^\[\]\n]|\[[^\[\]\n]*\])*\]\]")


def habits(masked: str, text: str) -> Iterator[Finding]:
    """Each of them, where it stands."""
    bare = ""
    for pattern, sign, what, hint in _PATTERNS if _ANY.search(masked) else ():
        if sign.search(masked):
            bare = bare or _REFERENCE.sub(lambda reference: _AWAY * len(reference[0]), _told_apart(masked, text))
            yield from (Finding(found.start(), f"{what}, and shows as it is written here", hint) for found in pattern.finditer(bare))


_AWAY = "\0"  # no space, as what it stands for is none


def _told_apart(masked: str, text: str) -> str:
    """The masked text with what was taken away told apart from what is a space."""
    return "".join(_AWAY if shown == " " and not written.isspace() else shown for shown, written in zip(masked, text))


def embed_hint(name: str, runs: Iterable[str]) -> str:
    """What to write in place of `![[name]]`, where that is no run: another run, or a picture or a note that Obsidian would show there."""
    if (run := name.partition(".")[0]) != name and run in runs:
        return f"a figure is all of a run's: ![[{run}]]"
    near = nearest(name, runs)
    if kind := kind_of(name):
        return f"{'an' if kind == 'image' else 'a'} {kind} is ![what it shows]({f'<{name}>' if ' ' in name else name})"
    if near.startswith("did you mean"):
        return near
    return "; ".join(filter(None, [near, "runs stand in the front matter; no note is embedded: write what it says"]))
