"""Files of a deck with pieces taken out, doubled, swapped and put in, as fingers, editors and merges do, and as an attacker would."""

from __future__ import annotations

import random
import re
from pathlib import Path

import decks
from trial import command, misbehaved, package_faults

TEXTS = (".md", ".yml", ".lock", ".py", ".csv")
PIECES = (
    *(
        "<script>alert(1)</script>",
        "<img src=x onerror=alert(1)>",
        "<svg/onload=alert(1)>",
        "</div>",
        "<details>",
        "<s>[INST]",
        "<!--",
        "-->",
        "&#x3c;b>",
    ),
    *(
        "[a](javascript:alert(1))",
        "![a](https://example.org/x.png)",
        "[x]: javascript:x",
        "[x][x]",
        "[sound:x.mp3]",
        "[latex]x[/latex]",
        "[anki:tts lang=en_US]x[/anki:tts]",
    ),
    *(
        "[[",
        "]]",
        "![[",
        "[[ 1 / 0 ]]",
        "[[ '\\x1f' ]]",
        "[[ '\\ue002' ]]",
        "[[ 0*1e400 ]]",
        "[[ 9**9**9 ]]",
        "[[ 'a' * 9**9 ]]",
        "[[ [].append ]]",
        "[[ x | GB ]]",
        "\\[[",
    ),
    *("{{c1::", "}}", "::", "{{c0::a}}", "{{c99999999999::a}}", "{{Front}}", "{{c1\ufeff::a}}", "{%", "{#", "{{c1::a {{c2::b}} c::d}}"),
    *(
        "$",
        "$$",
        "\\(",
        "\\[",
        "\\]",
        "$x_1$",
        "$\\href{javascript:x}{y}$",
        "$\\bm{x}$",
        "\\begin{align}",
        "\\end{align}",
        "$\\text{<img onerror=x>}$",
        "\\newcommand{\\a}{\\a}",
    ),
    *(
        "```",
        "~~~",
        "`",
        "    ",
        "\t",
        "> ",
        "- ",
        "1. ",
        "# ",
        "## ",
        "# x {#x}",
        "---",
        "***",
        "|",
        "| a | b |",
        "|---|---|",
        "\\",
        "\\\n",
        "  \n",
        "\n\n",
        "\r",
        "\r\n",
        "\x0b",
        "\x0c",
    ),
    *(
        "\0",
        "\x07",
        "\x1b[31m",
        "\x1f",
        "\x7f",
        "\x85",
        "\u2028",
        "\u200b",
        "\u202e",
        "\ufeff",
        "\ue000",
        "\ue002",
        "\ue008",
        "\uffff",
        "\udc80",
        "é",
        "e\u0301",
        "😀",
        "١٢",
        "½",
    ),
    *(
        ": ",
        "- {",
        "}",
        "[",
        "]",
        "&a",
        "*a",
        "<<: *a",
        "!!python/object:os.system",
        "'",
        '"',
        "|",
        ">",
        "%YAML 1.1",
        "null",
        "~",
        "true",
        ".inf",
        ".nan",
        "1e999",
        "0x10",
        "-1",
        "2024-01-01",
    ),
    *(
        "tags: [x]",
        "runs:",
        "claims:",
        "id: 0",
        "version: 1",
        "retired: {a: b}",
        "guids: {a: b}",
        "kernel: held",
        "{kernel: x, parameters: 1}",
        "verdict: holds",
        "value: 1e308",
        "holds: 1 == 1",
    ),
)


def attempt(seed: int, folder: Path) -> list[str]:
    """Mutates a deck as the seed says, builds it, and tells what misbehaved."""
    chance = random.Random(seed)
    decks.made(folder, chance)
    if chance.random() < 0.3:
        command(folder, "deck")  # there is a lock, and a cache
    files = [path for path in sorted(folder.rglob("*")) if path.is_file() and path.suffix in TEXTS and "build" not in path.parts]
    main = [path for path in files if path.suffix == ".md"]
    for _ in range(chance.choice((1, 1, 1, 2, 3, 8))):
        path = chance.choice(main if main and chance.random() < 0.7 else files)
        text = path.read_bytes().decode("utf-8", "surrogatepass")
        path.write_bytes(mutated(text, chance, files).encode("utf-8", "surrogatepass"))
    done = command(folder, chance.choice(("deck", "deck", "deck", "check", "preview", "wanted")))
    found = misbehaved(done)
    if not found and done.status == 0:
        found = [fault for package in (folder / "build").glob("*.apkg") for fault in package_faults(package)]
    return found


def mutated(text: str, chance: random.Random, files: list[Path]) -> str:
    """A text with one change of one kind."""
    start = chance.randrange(len(text) + 1)
    end = min(len(text), start + chance.choice((1, 1, 2, 5, 20, 100, 1000)))
    lines = text.split("\n")
    line = chance.randrange(len(lines))
    kind = chance.randrange(10)
    if kind <= 3:
        return text[:start] + chance.choice(PIECES) * chance.choice((1, 1, 1, 1, 2, 50)) + text[start:]
    if kind == 4:
        return text[:start] + text[end:]
    if kind == 5:
        return text[:end] + text[start:end] * chance.choice((1, 2, 30)) + text[end:]
    if kind == 6:  # a word, number or mark becomes a piece
        words = list(re.finditer(r"\w+|[^\w\s]", text)) or [re.match("", text)]
        word = chance.choice(words)
        assert word
        return text[: word.start()] + chance.choice((*PIECES, "")) + text[word.end() :]
    if kind == 7:  # two lines are swapped, or one is doubled, dropped, moved in or out
        other = chance.randrange(len(lines))
        lines[line], lines[other] = lines[other], lines[line]
        return "\n".join(lines)
    if kind == 8:
        lines[line] = chance.choice(
            ("", lines[line] * 2, f"  {lines[line]}", lines[line].lstrip(), f"{lines[line]}\n{lines[line]}", f"> {lines[line]}")
        )
        return "\n".join(lines)
    other_text = chance.choice(files).read_bytes().decode("utf-8", "replace")  # a piece of another file
    at = chance.randrange(len(other_text) + 1)
    return text[:start] + other_text[at : at + chance.choice((10, 100, 1000))] + text[chance.choice((start, end)) :]
