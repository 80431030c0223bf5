"""The same cards in a browser: one page that needs no server, no network and no Anki.

In: rendered notes and their types. Out: index.html with every card's question and answer as data, and media/ beside it.
The page (look/preview/) fills phone frames from that data as they come near the viewport.
"""

from __future__ import annotations

import functools
import html
import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from generator.look.notetypes import LOOK, NoteType, environment, templates
from generator.notes import Deck, Rendered
from generator.pack.package import write, write_media
from generator.show import anki_template
from generator.show.report import claim_entry, runs_of, values_of
from kernels.record import RECORDS


def write_preview(
    deck: Deck,
    rendered: Sequence[Rendered],
    types: Mapping[str, NoteType],
    statuses: Mapping[str, str],
    out: Path,
    roots: Sequence[Path] = (RECORDS,),
) -> Path:
    """Writes out/index.html and out/media/, and returns the page's path.

    statuses: note id -> "new", "changed" or "unchanged", by the lock. roots: where records were looked for.
    Media that no note names any more are removed. Raises ValueError where a template is one that Anki would refuse.
    """
    write_media(out / "media", rendered)
    path = out / "index.html"
    write(path, page(deck, rendered, types, statuses, roots).encode())
    return path


def page(
    deck: Deck, rendered: Sequence[Rendered], types: Mapping[str, NoteType], statuses: Mapping[str, str], roots: Sequence[Path] = (RECORDS,)
) -> str:
    """The whole page as text: template, style, script and data in one."""
    data = {
        "styles": {key: templates(types[key])[2] for key in sorted({note.type for note in rendered})},
        "types": {key: types[key].name for key in sorted({note.type for note in rendered})},
        "notes": [_note(deck, note, types[note.type], statuses.get(note.id, "unchanged"), roots) for note in rendered],
    }
    source = {name: (LOOK / "preview" / name).read_text(encoding="utf-8") for name in ("page.css", "page.js")}
    return environment(LOOK / "preview", autoescape=True).get_template("page.html").render(
        deck=deck, cards=sum(len(note.cards) for note in rendered), css=source["page.css"], script=source["page.js"], data=embedded(data)
    )


def embedded(data: Any) -> str:
    """Data as JSON that may stand inside a script element: neither `</script>` nor `<!--` in a card can end it."""
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"), sort_keys=True)
    return text.replace("</", "<\\/").replace("<!--", "\\u003c!--").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")


# ---------------------------------------------------------------------------------- a note as the page gets it


def _note(deck: Deck, note: Rendered, kind: NoteType, status: str, roots: Sequence[Path]) -> dict[str, Any]:
    source = note.resolved.note
    runs = runs_of(note, roots)
    claims = [claim_entry(judged) for judged in note.resolved.claims]
    cards = [_card(note, kind, ordinal) for ordinal in note.cards]
    words = [note.id, note.deck, kind.name, source.topic, str(source.place), *note.tags, *source.answers]
    words += [claim["says"] for claim in claims] + [run["call"] for run in runs.values()]
    words += [_plain(note.fields[name]) for name in note.fields if name not in ("Id", "Breadcrumb", "Claims", "Footer")]
    return {
        "id": note.id,
        "type": note.type,
        "deck": note.deck.removeprefix(f"{deck.name}::"),
        "tags": list(note.tags),
        "place": str(source.place),
        "answers": list(source.answers),
        "status": status,
        "states": _states(runs, claims, status),
        "cards": cards,
        "runs": runs,
        "claims": claims,
        "values": values_of(note),
        "words": " ".join(" ".join(words).split()).lower(),
    }


def _states(runs: Mapping[str, Mapping[str, Any]], claims: Sequence[Mapping[str, Any]], status: str) -> list[str]:
    """What a note can be filtered by: stale and unmeasured runs, the verdicts of its claims, what the lock says."""
    found = {"missing": "unmeasured", "stale": "stale"}
    states = {found[run["state"]] for run in runs.values() if run["state"] in found}
    states |= {f"claim {claim['verdict']}" for claim in claims}
    states |= {status} & {"new", "changed"}
    return sorted(states)


def _card(note: Rendered, kind: NoteType, ordinal: int) -> dict[str, Any]:
    front, back, _ = templates(kind)
    extra = {"Tags": " ".join(note.tags), "Deck": note.deck, "Subdeck": note.deck.split("::")[-1], "Type": kind.name, "Card": kind.template[0]}
    question, answer = anki_template.card(front, back, note.fields, ordinal + 1, extra)
    return {
        "ordinal": ordinal,
        "question": with_mathml(anki_template.typed(question, note.fields, answer=False)),
        "answer": with_mathml(anki_template.typed(answer, note.fields, answer=True)),
    }


def _plain(text: str) -> str:
    return html.unescape(re.sub(r"<[^>]*>|\{\{c\d+::|\}\}", " ", text))


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


@functools.lru_cache(maxsize=4096)
def _mathml(tex: str, display: bool) -> str:
    from latex2mathml import converter, exceptions

    # ValueError and the like are the library's own slips on odd TeX, which Anki's MathJax may set all the same
    faults: tuple[type[Exception], ...] = (
        ValueError,
        LookupError,
        TypeError,
        *(fault for fault in vars(exceptions).values() if isinstance(fault, type)),
    )
    for name, like in ALIKE.items():
        tex = tex.replace(name, like)
    tex = re.sub(r"\d+(?:\{,\}\d{3})+", lambda number: rf"\text{{{number[0].replace('{,}', ',')}}}", tex)  # 1{,}120: else three numbers
    try:
        return converter.convert(tex, display="block" if display else "inline")
    except faults:
        return f'<code class="tex" title="shown as TeX: the preview cannot set it, Anki may">{html.escape(tex)}</code>'
