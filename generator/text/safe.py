"""What a card may hold: the elements, attributes, styles and addresses that neither run nor load anything, by lists of what is allowed.

In: HTML as it was put together, or what stands in it. Out: the HTML that a sanitizer (nh3) leaves of it, what it took away, and text that Anki
reads as text. Apart, because reading warns of what packing would refuse, and the preview shows no more than a card does.
"""

from __future__ import annotations

import functools
import re
from html import escape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from nh3 import Cleaner

_ELEMENTS = (
    "a abbr b bdi bdo blockquote br caption center cite code col colgroup dd del details dfn div dl dt em figcaption figure hr i ins kbd li mark "
    "ol p pre q rp rt ruby samp small span strong sub summary sup table tbody td tfoot th thead time tr u ul var wbr"
)
_ATTRIBUTES = "align class colspan datetime dir href lang open reversed rowspan scope span start style title type valign value width"
_MATHML = (
    "math maction menclose merror mfenced mfrac mi mlabeledtr mmultiscripts mn mo mover mpadded mphantom mprescripts mroot mrow ms mspace msqrt "
    "mstyle msub msubsup msup mtable mtd mtext mtr munder munderover none"
)
_OF_MATHML = (
    "accent accentunder align close columnalign columnlines columnspacing depth display displaystyle fence fontsize height linethickness lspace "
    "mathbackground mathcolor mathsize mathvariant maxsize minsize movablelimits notation open rowalign rowlines rowspacing rspace scriptlevel "
    "separator stretchy symmetric voffset width xmlns"
)
_SIDES = (
    "article aside audio button canvas font footer h1 h2 h3 h4 h5 h6 header input label main nav rb section tt video"  # what templates have besides
)
ELEMENTS, ATTRIBUTES = (frozenset(names.split()) for names in (_ELEMENTS, _ATTRIBUTES))  # those that an author may write
PREFIXES = ("aria-", "data-")
SCHEMES = ("https", "http", "mailto")
MEDIUM = re.compile(r"_?[a-z0-9-]+-[0-9a-f]{8}\.[a-z0-9]+")  # the name of a file that lies in the package

_PROPERTIES = (
    "background background-color border border-bottom border-collapse border-color border-left border-radius border-right border-spacing "
    "border-style border-top border-width box-sizing break-inside caption-side clear color direction display empty-cells float font font-family "
    "font-feature-settings font-kerning font-size font-stretch font-style font-variant font-variant-caps font-variant-ligatures "
    "font-variant-numeric font-weight height hyphens letter-spacing line-height list-style list-style-position list-style-type margin "
    "margin-bottom margin-left margin-right margin-top max-height max-width min-height min-width opacity orphans overflow overflow-wrap "
    "overflow-x overflow-y padding padding-bottom padding-left padding-right padding-top quotes ruby-align ruby-position tab-size table-layout "
    "text-align text-align-last text-decoration text-decoration-color text-decoration-line text-decoration-style text-decoration-thickness "
    "text-emphasis text-indent text-orientation text-shadow text-transform text-underline-offset text-wrap unicode-bidi vertical-align "
    "white-space widows width word-break word-spacing word-wrap writing-mode"
)
PROPERTIES = frozenset(_PROPERTIES.split())
# Words, numbers and colours: no escape, no comment, no url().
_VALUE = r"(?:[\w\s#%.,+!-]|\"[\w .-]*\"|'[\w .-]*'|\b(?:rgb|hsl)a?\([\d\s.,%]*\))+"
_LEAVES = r"(?s:(?:margin|text-indent)\b.*:.*-[\d.])"  # an element that stands on another


def style_without(style: str) -> tuple[str, str]:
    """The declarations of a style that a card may have, and the first that it may not."""
    kept, refused = [], ""
    for declaration in filter(None, map(str.strip, style.split(";"))):
        name, _, value = declaration.partition(":")
        if name.strip().lower() in PROPERTIES and re.fullmatch(_VALUE, value) and not re.match(_LEAVES, declaration.lower()):
            kept.append(declaration)
        else:
            refused = refused or declaration
    return "; ".join(kept), refused


# ------------------------------------------------------------------------------------------------ names and styles

_OURS = r"url\((?:\"(?:_[a-z0-9.-]+|#[^\"]*)\"\)|#)"  # a file that lies in the package, or a part of the page
_IN_CSS = rf"(?i:@import|(?:image-set|image|src|cross-fade|element|expression)\(|(?!{_OURS})url\(|behaviou?r:|-moz-binding|</)"
_ESCAPE = r"\\([0-9a-fA-F]{1,6})\s?|\\(.)"


def in_css(css: str) -> str:
    """What in a style sheet loads something that is not in the package, or ends the sheet; "" where nothing does. Escapes are read as CSS does."""

    def unescaped(match: re.Match[str]) -> str:
        return chr(min(int(match[1], 16), 0x10FFFF)) if match[1] else match[2]

    bare = re.sub(_ESCAPE, unescaped, re.sub(r"/\*.*?\*/", "", css, flags=re.DOTALL))
    found = re.search(_IN_CSS, bare) or re.search(_IN_CSS, "".join(bare.split())) or re.search("</", css)
    return found[0] if found else ""


def in_name(name: str) -> str:
    """What in the name of a deck, tag, type or card would be HTML or Anki's own markup where a template shows it; "" where nothing is."""
    found = next(filter(None, (re.search(sign, name) for sign in (r"<|&#?\w+;", _SIGN, _BRACE, r"\\[(\[]"))), None)
    return found[0] if found else ""


# ------------------------------------------------------------------------------------------------ the last word


def cleaned(html: str) -> str:
    """A field's HTML as a card may have it, however it was written: what is packed is what the sanitizer prints."""
    return _settled(_cleaner(), html) if "<" in html or "&" in html or ">" in html else html


def shown(html: str) -> str:
    """The same of a card's side: what a template may hold besides, with formulas as MathML and players."""
    return _settled(_cleaner(whole=True), html)


def _settled(cleaner: Cleaner, html: str) -> str:
    """What the sanitizer prints of what it printed, until that is the same: so a browser builds from it what the sanitizer saw."""
    for _ in range(9):
        clean = cleaner.clean(html)
        if clean == html:
            return clean
        html = clean
    return escape(html)  # which no HTML comes to that anybody writes


@functools.cache
def _cleaner(whole: bool = False) -> Cleaner:
    from nh3 import Cleaner

    mathml = frozenset(_MATHML.split())
    inside: dict[str, set[str]] = {"*": {*ATTRIBUTES} - {"href"}, "a": {"href"}, "img": {"src", "alt", "width", "height"}, "span": {"role"}}
    if whole:
        inside["*"] |= {"id", "role", "tabindex"}
        inside |= {
            "audio": {"src", "controls", "preload"},
            "video": {"src", "controls", "preload"},
            "input": {"autocomplete", "maxlength", "placeholder"},
        }
        inside |= {name: set(_OF_MATHML.split()) for name in mathml}
    return Cleaner(
        tags={*ELEMENTS, "img", *((*_SIDES.split(), *mathml) if whole else ())},
        attributes=inside,
        attribute_filter=_attribute,
        generic_attribute_prefixes=set(PREFIXES),
        url_schemes=set(SCHEMES),
        link_rel=None,
    )


_ADDRESS = re.compile(rf"\s*(?:{'|'.join(SCHEMES)}):", re.IGNORECASE)


def _attribute(element: str, name: str, value: str) -> str | None:
    """The value of an attribute, None where a card may not have it."""
    if name == "style":
        return None if style_without(value)[1] else value
    if name == "class":
        return None if "jax" in value.lower() else value  # by which MathJax would read code as formulas
    if name == "src":
        return value if MEDIUM.fullmatch(value) else None
    if name == "href":
        return value if _ADDRESS.match(value) else None
    return value


# ---------------------------------------------------------------------------------------------- Anki's own markup

_SIGN = re.compile(r"\[(?=sound:|anki:|/?latex\]|/?\$\$?\]|\[type:)", re.IGNORECASE)
_BRACE = re.compile(r"\{(?=\{)")
MATH = "\ue009"  # stands for the backslash of our own `\\(`, `\\)`, `\\[` and `\\]`
_MATH = re.compile(rf"{MATH}[^{MATH}]*{MATH}|<(pre|code)\b.*?</\1>|<[^<>]*>|\\(?=[(\[])", re.DOTALL)


def defused(html: str) -> str:
    """Sanitized HTML in which nothing that stands in a text plays, is typed, is a cloze, or is set by LaTeX or MathJax.

    Anki looks for its marks before HTML is parsed, so that an entity in them suffices. MathJax sees the parsed text, but no delimiter that an
    element parts.
    """
    if "[" in html:
        html = _SIGN.sub("&#91;", html)
    if "{{" in html:
        html = _BRACE.sub("&#123;", html)
    if "\\(" in html or "\\[" in html:
        html = _MATH.sub(lambda found: "\\<span></span>" if found[0] == "\\" else found[0], html)
    return html
