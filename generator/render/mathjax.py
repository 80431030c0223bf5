"""Math on its way to Anki's MathJax: TeX with the author's delimiters in, HTML with \\( \\) and \\[ \\] out.

Apart, because math passes Markdown by: it is lifted out before and put back after, letter by letter.
"""

from __future__ import annotations

import re

from generator.text import cloze

WIDE = 26  # glyphs of inline math that may not fit a phone's line: MathJax breaks no lines, so longer ones scroll in a box


class MathError(ValueError):
    """TeX that MathJax cannot set."""


def mathjax(source: str, in_cloze: bool = False) -> str:
    """HTML for one formula: `$…$`, `$$…$$`, `\\(…\\)`, `\\[…\\]` or a bare environment, possibly with cloze marks inside, or itself inside a cloze.

    `&`, `<` and `>` are escaped, since MathJax reads the decoded text. Raises MathError for what cannot typeset.
    """
    tex, display = _undelimited(source)
    bare = _without_marks(tex)
    fault = _fault(bare)
    if fault:
        raise MathError(f"the math {_shortened(bare)} {fault}")
    if in_cloze or any(mark in tex for mark in cloze.MARKS):
        tex = cloze.in_math(tex)
    html = tex.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    if display:
        return f'<span class="math">\\[{html}\\]</span>'
    if glyphs(bare) > WIDE:
        return f'<span class="wide">\\({html}\\)</span>'
    return f"\\({html}\\)"


def glyphs(tex: str) -> int:
    """About how many glyphs of full size a formula shows in a row: of a fraction the longer half, of words their letters."""
    tex = re.sub(r"\\(?:begin|end|left|right|[a-z]*big[a-z]*|,|;|!|:)\b\s*(?:\{[a-z*]*\})?", "", tex, flags=re.IGNORECASE)
    tex = re.sub(r"[_^](?:\{[^{}]*\}|\\?\w+)", "'", tex)
    tex = re.sub(r"\\[dt]?frac\{([^{}]*)\}\{([^{}]*)\}", lambda m: max(m[1], m[2], key=len), tex)
    tex = re.sub(r"\\(?:text|mathrm|mathbf|operatorname|mathcal|mathbb|sqrt|hat|bar|tilde|vec)\b\*?", "", tex)
    tex = re.sub(r"\\[a-zA-Z]+|\\.", "x", tex)
    return len(re.sub(r"[{}\s&~]", "", tex)) + len(re.findall(r"[=+<>]|x", tex)) // 3


def _undelimited(source: str) -> tuple[str, bool]:
    if source.startswith("$$") and source.endswith("$$") and len(source) > 4:
        return source[2:-2].strip(), True
    if source.startswith("\\begin{"):
        return source, True
    if source.startswith("\\["):
        return source[2:-2].strip(), True
    if source.startswith("\\("):
        return source[2:-2].strip(), False
    return source[1:-1].strip(), False


def _without_marks(tex: str) -> str:
    tex = re.sub(rf"{cloze.OPEN}[0-9]+{cloze.OPENED}", "", tex)
    return re.sub(rf"{cloze.HINT}[^{cloze.CLOSE}]*{cloze.CLOSE}|{cloze.CLOSE}", "", tex)


def _fault(tex: str) -> str:
    if not tex.strip():
        return "is empty"
    if "\n\n" in tex.replace("\r", "") or re.search(r"\n[ \t]*\n", tex):
        return "has an empty line inside"
    depth = 0
    for sign in re.findall(r"\\.|[{}]", tex, re.DOTALL):
        depth += (sign == "{") - (sign == "}")
        if depth < 0:
            break
    if depth:
        return "opens and closes different numbers of braces"
    if len(re.findall(r"\\left(?![a-zA-Z])", tex)) != len(re.findall(r"\\right(?![a-zA-Z])", tex)):
        return "has a \\left without its \\right"
    if sorted(re.findall(r"\\begin\{(\w+\*?)\}", tex)) != sorted(re.findall(r"\\end\{(\w+\*?)\}", tex)):
        return "has a \\begin without its \\end"
    return ""


def _shortened(tex: str) -> str:
    tex = " ".join(tex.split())
    return repr(tex if len(tex) <= 40 else tex[:37] + "...")
