"""Random expressions in references: right, wrong, huge, hostile. A value, or a problem at its line; and in no other way."""

from __future__ import annotations

import random
from pathlib import Path

from trial import command, misbehaved, package_faults

DECK = "name: T\nid: 1733112345\nslug: t\nversion: '1'\ntags: {x: all}\n"
HEAD = "---\ntags: [x]\nruns:\n  m: {kernel: kv_cache, parameters: {model: llama-3-8b}}\n---\n"
ATOMS = (
    *(
        "0",
        "1",
        "2",
        "-1",
        "0.1",
        "1e308",
        "1e-320",
        "1e400",
        "9" * 400,
        "True",
        "None",
        "''",
        "'a'",
        "'\\x1f'",
        "'\\ud800'",
        "'\\ue002'",
        "'<b>'",
        "'$'",
        "'{{c1::a}}'",
        "[]",
        "()",
        "{}",
    ),
    *(
        "[1, 2]",
        "{'a': 1}",
        "m",
        "m.total",
        "m.per_token",
        "m.tokens",
        "m.model",
        "m.nothing",
        "m['total']",
        "range(9)",
        "x",
        "self",
        "loop",
        "dict",
        "cycler",
        "joiner",
        "namespace",
        "lipsum()",
    ),
    *(
        "''.__class__",
        "m.__class__",
        "().__class__.__mro__",
        "m.total.__init__.__globals__",
        "'{0.__class__}'.format(m)",
        "'%s' % m",
        "m.total.value",
        "m.total._replace",
        "abs",
        "max",
        "min",
        "log",
        "sqrt",
    ),
)
BINARY = ("+", "-", "*", "/", "//", "%", "**", "==", "!=", "<", ">", "<=", ">=", "and", "or", "in", "not in", "is", "~", "|", "if", ",", ".", "<<")
CALLS = (
    "abs({})",
    "round({})",
    "min({}, 1)",
    "max({}, 2)",
    "log2({})",
    "sqrt({})",
    "sum({})",
    "len({})",
    "int({})",
    "float({})",
    "str({})",
    "({})",
    "-{}",
    "not {}",
    "+{}",
    "[{}][0]",
    "{}[0]",
    "{}.a",
    "{}()",
    "({} if 1 else 2)",
)
FORMATS = (
    "",
    "",
    "",
    " | GB",
    " | GiB 2",
    " | percent",
    " | times",
    " | count",
    " | exact",
    " | 3",
    " | ms",
    " | GB 99",
    " | TB/s",
    " | nope",
    " | ",
    " | GB | GB",
    " \\| GB",
    " | 0",
    " | -1",
    " | 1e9",
    " | upper",
    " | safe",
)


def attempt(seed: int, folder: Path) -> list[str]:
    """Notes with expressions in prose, code, math, tables, headings, typed answers and claims."""
    chance = random.Random(seed)
    (folder / "cards/a").mkdir(parents=True)
    (folder / "cards/deck.yml").write_text(DECK)
    notes = [_note(number, chance) for number in range(chance.choice((1, 12)))]
    (folder / "cards/a/t.md").write_text(HEAD + "\n".join(notes), encoding="utf-8", errors="surrogatepass")
    done = command(folder, "deck")
    found = misbehaved(done)
    if not found and done.status == 0:
        found = package_faults(folder / "build/t.apkg")
    return found


def _note(number: int, chance: random.Random) -> str:
    one = f"[[{_expression(chance, 0)}{chance.choice(FORMATS)}]]"
    frames = (
        "So {} it is.",
        "$x = {}$",
        "$$\n{}\n$$",
        "| a | b |\n|---|---|\n| {} | 2 |",
        "- {}\n- b",
        "**{}**",
        "`{}`",
        "```python computed\nx = {}\n```",
        "> {}",
        "![a {}](x.png)",
        "[{}](https://example.org)",
        "<div>{}</div>",
    )
    if chance.random() < 0.15:
        return f"# How many? {{#n-{number} .numeric}}\n\nGiven it.\n\n## Answer\n\n{one}\n\n## Working\n\nSo.\n"
    if chance.random() < 0.1:
        return f"# What of {one}? {{#n-{number}}}\n\nThat.\n"
    if chance.random() < 0.1:
        return f"# C {{#n-{number} .cloze}}\n\nIt is {{{{c1::{one}}}}} so.\n"
    return f"# What is number {number}? {{#n-{number}}}\n\n{chance.choice(frames).format(one)}\n"


def _expression(chance: random.Random, depth: int) -> str:
    if depth > 4 or chance.random() < 0.35:
        return chance.choice(ATOMS)
    if chance.random() < 0.6:
        return f"{_expression(chance, depth + 1)} {chance.choice(BINARY)} {_expression(chance, depth + 1)}"
    if chance.random() < 0.03:
        return "(" * 300 + _expression(chance, depth + 1) + ")" * 300
    return chance.choice(CALLS).format(_expression(chance, depth + 1))
