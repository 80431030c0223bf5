"""Numbers that no line's end parts from their signs and units.

In: HTML of prose, code and math lifted out. Out: the same, with a narrow no-break space between a number and the unit or sign beside it,
and with what a line could still break at a hyphen or dash, a range or "16-bit", in a span that does not break.
"""

from __future__ import annotations

import re

from generator.text import cloze
from kernels import units

_INLINE = "(?:span|strong|em|b|i|u|s|del|sup|sub|a)"  # a number in one cell and a unit in the next stay apart
_BETWEEN = rf"(?:</{_INLINE}>|[{cloze.MARKS}])*"  # what may stand between a number and the space after it
_SIGNS = r"[≈~≤≥±−×=+≪≫]|&[lg]t;"
_WORDS = ("%", "‰", "°", "°C", "°F", "€", "$", "£", "¥", "×", "±", "bits", "bytes", "percent", "points", "million", "billion", "trillion")
_OPENED = rf"(?:<{_INLINE}\b[^<>]*>|{cloze.OPEN}\d+{cloze.OPENED})*"  # and between that space and what follows it
_ENDS = r"[−+±~≈]?\d[\d.,]*[%×A-Za-z]{0,5}|[A-Za-z]{1,5}"  # what may follow the hyphen or dash
_UNIT = rf"[^\s\d<>&.,;:!?()\[\]{{}}{cloze.MARKS}'\"]+"
_FOUND = re.compile(
    rf"""(?=[\d<&≈~≤≥±−×=+≪≫])(?:(?P<power>\d{_BETWEEN})[ ]×[ ]10(?=<sup>|\^)
    | (?<![\w.,\-–−/&\#])(?P<joined>[−+±~≈]?\d[\d.,]*[-–](?:{_ENDS})(?<![.,])(?![\w\-–]))(?:[ ](?=(?P<its>{_UNIT})))?
    | (?P<number>\d{_BETWEEN})[ \n](?!×[ \n]{_OPENED}\d)(?={_OPENED}(?P<unit>{_UNIT}))
    | (?P<sign>{_SIGNS})[ \n](?={_OPENED}[−+±]?\d)
    | <[^<>]*>)""",
    re.VERBOSE,
)
_ANY = re.compile(rf"[\d≈~≤≥±−×=+≪≫;](?:{_BETWEEN}[ \n]|[\d.,]*[-–])")  # is there wherever a number or sign is to be held


def whole(html: str) -> str:
    """The HTML with its numbers held together. Of a product, which may be long, each sign goes with the number after it."""
    return _FOUND.sub(_held, html) if _ANY.search(html) else html


def _held(match: re.Match[str]) -> str:
    if match["power"]:
        return f"{match['power']}\u202f×\u202f10"
    if match["joined"]:
        its = match["its"]
        return f'<span class="whole">{match["joined"]}</span>' + (("\u202f" if _is_unit(its) else " ") if its else "")
    if match["sign"]:
        return f"{match['sign']}\u202f"
    if match["number"] and _is_unit(match["unit"]):
        return f"{match['number']}\u202f"
    return match[0]


def _is_unit(word: str) -> bool:
    if word in _WORDS:
        return True
    try:
        units.parsed(word)
    except units.UnknownUnit:
        return False
    return True
