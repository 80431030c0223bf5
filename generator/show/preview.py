"""The same cards in a browser: one page that needs no server, no network and no Anki.

In: notes as reported, with their fields and types. Out: a page with every card's question and answer as data.
The page (look/preview/) fills phone frames from that data as they come near the viewport.
"""

from __future__ import annotations

import base64
import functools
import hashlib
import html
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from generator.gate.characters import without_unwanted
from generator.look.notetypes import LOOK, NoteType, environment
from generator.notes import Deck, Entry
from generator.show import anki_template
from generator.show.report import withheld_entry
from generator.text.media import players
from generator.text.safe import shown


def page(
    deck: Deck, cards: int, types: Mapping[str, NoteType], notes: Iterable[str], statuses: Mapping[str, str], withheld: Iterable[Entry] = ()
) -> Iterator[str]:
    """The whole page, piece by piece: template, style, script and data in one.

    cards: how many there are. types: those of the notes. notes: each as `embedded` JSON of its `entry`. statuses: note id -> "new" or "changed".
    withheld: the notes that wait for a result.
    """
    about = {**styles_of(types), "statuses": told(statuses), "withheld": list(map(withheld_entry, withheld))}
    return filled(shell(), deck.name, deck.version, cards, about, notes)


def styles_of(types: Mapping[str, NoteType]) -> dict[str, dict[str, str]]:
    """What the page knows of the note types: their style sheets and their names, by key."""
    return {"styles": {key: kind.css for key, kind in types.items()}, "types": {key: kind.name for key, kind in types.items()}}


def told(statuses: Mapping[str, str]) -> dict[str, str]:
    """The statuses that the page shows."""
    return {id: status for id, status in statuses.items() if status in ("new", "changed")}


class Shell(NamedTuple):
    """What stands around the cards: the page's template, style and script."""

    html: str
    css: str
    script: str


def shell(live: bool = False) -> Shell:
    """The shell as it lies in look/preview/. live: with the style and script of a page that changes while it is open."""
    folder, names = LOOK / "preview", ("page", "live") if live else ("page",)
    css, script = ("\n".join((folder / f"{name}.{kind}").read_text(encoding="utf-8") for name in names) for kind in ("css", "js"))
    return Shell((folder / "page.html").read_text(encoding="utf-8"), css, script)


def filled(around: Shell, name: str, version: str, cards: int, about: Mapping[str, Any], notes: Iterable[str]) -> Iterator[str]:
    """The page of a deck of this name, piece by piece. about: the page's data besides the notes."""
    template = environment(autoescape=True).from_string(around.html)
    about_page = {"name": name, "version": version, "cards": cards, "css": around.css, "script": around.script, "policy": policy(around)}
    before, after = template.render(about_page, data=HERE).split(HERE)
    yield f'{before}{embedded(about)[:-1]},"notes":['
    for number, note in enumerate(notes):
        yield f",{note}" if number else note
    yield f"]}}{after}"


def policy(around: Shell) -> str:
    """The page's Content-Security-Policy: its one script, and nothing from anywhere but beside the page, be that a file or served."""
    script = base64.b64encode(hashlib.sha256(around.script.encode()).digest()).decode()
    beside = " ".join(f"{what}-src 'self' file: data:;" for what in ("img", "font", "media"))
    rest = f"{beside} connect-src 'self'; base-uri 'self' file:; form-action 'none'"
    return f"default-src 'none'; script-src 'sha256-{script}'; style-src 'unsafe-inline'; {rest}"


HERE = "\ue000data\ue001"  # where the page's template gets its data


def embedded(data: Any) -> str:
    """Data as JSON that may stand inside a script element: neither `</script>` nor `<!--` in a card can end it."""
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"), sort_keys=True)
    return text.replace("</", "<\\/").replace("<!--", "\\u003c!--").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")


# ---------------------------------------------------------------------------------- a note as the page gets it


def entry(facts: Mapping[str, Any], name: str, fields: Mapping[str, str], kind: NoteType, cards: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """A note as the page has it. facts: as the report has it; name: the deck's; cards: as `faces` makes them."""
    claims, runs = facts["claims"], facts["runs"]
    words = [facts["id"], facts["deck"], kind.name, facts["topic"], facts["place"], *facts["tags"], *facts["answers"]]
    words += [claim["says"] for claim in claims] + [run["call"] for run in runs.values()]
    unsaid = ("Id", "Breadcrumb", "Claims", "Footer", *kind.occlusion[:1])  # that last one is numbers, which Anki draws masks by
    words += [_plain(fields[field]) for field in fields if field not in unsaid]
    return {
        **{key: facts[key] for key in ("id", "type", "tags", "place", "answers", "runs", "claims", "values", "waits")},
        "deck": facts["deck"].removeprefix(f"{name}::"),
        "states": _states(runs, claims, facts["waits"]),
        "cards": list(cards),
        "words": " ".join(" ".join(words).split()).lower(),
    }


def _states(runs: Mapping[str, Mapping[str, Any]], claims: Sequence[Mapping[str, Any]], waits: Mapping[str, int]) -> list[str]:
    """What a note can be filtered by: blocks that are left out, stale runs, the verdicts of its claims."""
    states = {"stale"} if any(run["state"] == "stale" for run in runs.values()) else set()
    return sorted(states | ({"waiting"} if waits else set()) | {f"claim {claim['verdict']}" for claim in claims})


def faces(fields: Mapping[str, str], kind: NoteType, deck: str, tags: Sequence[str], ordinals: Sequence[int]) -> list[dict[str, Any]]:
    """Question and answer of each card of a note, as its app would fill the templates, with math as MathML."""
    extra = {"Tags": " ".join(tags), "Deck": deck, "Subdeck": deck.split("::")[-1], "Type": kind.name}
    made = []
    for ordinal in ordinals:
        template, number = (kind.templates[0], ordinal + 1) if kind.kind == "cloze" else (kind.templates[ordinal], 1)
        question, answer = anki_template.card(template.front, template.back, fields, number, {**extra, "Card": template.name})
        sides = (anki_template.masked(players(anki_template.typed(side, fields, answer=side is answer))) for side in (question, answer))
        name = f"{'mask' if kind.occlusion else 'cloze'} {number}" if kind.kind == "cloze" else template.name
        made.append({"ordinal": ordinal, "name": name, **{side: shown(with_mathml(html)) for side, html in zip(("question", "answer"), sides)}})
    return made


def _plain(text: str) -> str:
    return without_unwanted(html.unescape(re.sub(r"<[^>]*>|\{\{c\d+::|\}\}", " ", text)))


# ----------------------------------------------------------------------------------------------- math

MATH = re.compile(r"(<pre\b.*?</pre>|<code\b.*?</code>|<!--.*?-->|<[^>]*>)|\\\((.*?)\\\)|\\\[(.*?)\\\]", re.DOTALL | re.IGNORECASE)
ALIKE = {"{aligned}": "{split}", "{align}": "{align*}", "{gathered}": "{matrix}"}  # environments that the library lacks: its like


def with_mathml(text: str) -> str:
    r"""HTML with `\( \)` and `\[ \]` set as MathML; code is left alone, as MathJax leaves it. TeX that cannot be set stays as code."""

    def one(found: re.Match) -> str:
        if found[1] is not None:
            return found[1]
        display = found[2] is None
        return _mathml(html.unescape(re.sub(r"<!--.*?-->|<[^>]*>", "", found[3] if display else found[2])), display)

    return MATH.sub(one, text)


_WORDS = re.compile(r"(<mtext\b[^<>]*>)(.*?)</mtext>", re.DOTALL)


@functools.lru_cache(maxsize=1 << 14)
def _mathml(tex: str, display: bool) -> str:
    from latex2mathml import converter, exceptions

    # ValueError and the like are the library's own slips on odd TeX, which Anki's MathJax may set all the same
    faults: tuple[type[Exception], ...] = (
        ValueError,
        RecursionError,
        LookupError,
        TypeError,
        RecursionError,
        *(fault for fault in vars(exceptions).values() if isinstance(fault, type)),
    )
    for name, like in ALIKE.items():
        tex = tex.replace(name, like)
    tex = re.sub(r"\d+(?:\{,\}\d{3})+", lambda number: rf"\text{{{number[0].replace('{,}', ',')}}}", tex)  # 1{,}120: else three numbers
    try:
        made = converter.convert(tex, display="block" if display else "inline")
        return _WORDS.sub(lambda found: f"{found[1]}{found[2].replace('<', '&lt;').replace('>', '&gt;')}</mtext>", made)  # the library does not
    except faults:
        return f'<code class="tex" title="shown as TeX: the preview cannot set it, Anki may">{html.escape(tex)}</code>'
