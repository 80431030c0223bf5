"""Math on its way to Anki's MathJax: TeX with the author's delimiters in, HTML with \\( \\) and \\[ \\] out.

Apart, because math passes Markdown by: it is lifted out before and put back after, letter by letter.
"""

from __future__ import annotations

import re

from generator.problems import nearest
from generator.render import macros
from generator.text import cloze
from generator.text.safe import MATH
from kernels import defaults

DEEPEST = 50  # braces in braces; MathJax and the preview's library set each level by a call of their own
WIDE = 26  # glyphs of inline math that may not fit a phone's line: MathJax breaks no lines, so longer ones scroll in a box


class MathError(ValueError):
    """TeX that MathJax cannot set, or that a card may not have. sign: what is wrong with it, as it stands there."""

    def __init__(self, message: str, hint: str = "", sign: str = ""):
        super().__init__(message)
        self.hint, self.sign = hint, sign


def mathjax(source: str, in_cloze: bool = False) -> str:
    """HTML for one formula: `$…$`, `$$…$$`, `\\(…\\)`, `\\[…\\]` or a bare environment, possibly with cloze marks inside, or itself inside a cloze.

    MATH stands for the backslash of its delimiters, until its field is finished.

    `&`, `<` and `>` are escaped, since MathJax reads the decoded text. Raises MathError for what cannot typeset.
    """
    tex, display = _undelimited(source)
    bare = _without_marks(tex)
    fault = _fault(bare)
    if fault:
        raise MathError(f"the math {_shortened(bare)} {fault}")
    for part in (bare, *_asked(tex)) if bare != tex else (bare,):
        _check_names(part, bare)
    if in_cloze or any(mark in tex for mark in cloze.MARKS):
        tex = cloze.in_math(tex)
    html = tex.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    if display:
        return f'<span class="math">{MATH}[{html}{MATH}]</span>'
    if glyphs(bare) > WIDE:
        return f'<span class="wide">{MATH}({html}{MATH})</span>'
    return f"{MATH}({html}{MATH})"


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
    if tex.isascii():
        return tex
    tex = re.sub(rf"{cloze.OPEN}[0-9]+{cloze.OPENED}", "", tex)
    return re.sub(rf"{cloze.HINT}[^{cloze.CLOSE}]*{cloze.CLOSE}|{cloze.CLOSE}", "", tex)


def _asked(tex: str) -> list[str]:
    """What a card's question shows of TeX with clozes: their hints, and the rest with gaps."""
    hints, most = re.findall(rf"{cloze.HINT}([^{cloze.MARKS}]*){cloze.CLOSE}", tex), None
    while most != tex:
        most, tex = tex, re.sub(rf"{cloze.OPEN}[0-9]+{cloze.OPENED}[^{cloze.OPEN}{cloze.CLOSE}]*{cloze.CLOSE}", "[]", tex)
    return [*hints, _without_marks(tex)]


_NAMES = re.compile(r"\\(?:(?:begin|end)\s*\{\s*([^{}]*?)\s*\}|([A-Za-z]+)|([\s\S]))")


def _check_names(tex: str, whole: str) -> None:
    """Raises MathError for a macro or environment that Anki's MathJax lacks, or that would run or load something, define, or refer."""
    for found in _NAMES.finditer(tex) if "\\" in tex else ():
        environment, macro, sign = found.groups()
        if environment is not None:
            if environment not in macros.ENVIRONMENTS:
                message = f"the math {_shortened(whole)} has the environment {environment}, which Anki's MathJax lacks"
                raise MathError(message, nearest(environment, macros.ENVIRONMENTS), found[0])
        elif macro in macros.REFUSED:
            raise MathError(f"the math {_shortened(whole)} has \\{macro}, which no card may have", macros.REFUSED[macro], found[0])
        elif macro and macro not in macros.MACROS:
            near = f"write {macros.INSTEAD[macro]}" if macro in macros.INSTEAD else nearest(macro, macros.MACROS).replace("mean ", "mean \\")
            message = f"the math {_shortened(whole)} has \\{macro}, which Anki's MathJax lacks"
            raise MathError(message, near.replace(" or ", " or \\") or "\\operatorname{..} sets a name, \\text{..} words", found[0])
        elif sign and sign not in macros.SIGNS:
            raise MathError(f"the math {_shortened(whole)} has \\{sign}, which Anki's MathJax lacks", "a macro is letters", found[0])


# -------------------------------------------------------------------------------------------------------- colours

THEMES = {"by day": ("#fbfaf7", "#1f2328"), "at night": ("#16181c", "#e8e6e1")}  # the ground and the ink of our style sheet
FAINT = 3.0  # the contrast below which a formula is not to be read; WCAG asks it of large letters
_COLOURED = r"\\(color|textcolor|colorbox|fcolorbox|cellcolor|rowcolor|columncolor)(?![A-Za-z])\s*(?:\[([^\[\]]*)\])?\s*(?:\{([^{}]*)\})?"
_GROUND = r"\\(?:f?colorbox|cellcolor|rowcolor|columncolor)(?![A-Za-z])"


def faded(source: str) -> MathError | None:
    """What is wrong with a formula whose colours vanish in one of the themes."""
    on_ground = re.search(_GROUND, source) is not None
    for found in re.finditer(_COLOURED, source):
        macro, model, name = found.groups()
        letters = macro in ("color", "textcolor")
        if macro == "fcolorbox" or (letters and on_ground):
            continue  # letters on a ground of their own, which the author has seen together
        colour = _rgb(model or "", (name or "").strip())
        if colour is None:
            return MathError(f"{found[0]} names no colour", "a name of CSS, #d33, or [HTML]{DD3333}", found[0])
        for theme, (ground, ink) in THEMES.items():
            against = _rgb("", ground if letters else ink)
            assert against is not None
            if (contrast := _contrast(colour, against)) < FAINT:
                what = "" if letters else " letters on it"
                return MathError(
                    f"{found[0]} vanishes {theme}:{what} contrast {contrast:.1f} of {FAINT:g}", "red, green, gray and #37d show in both", found[0]
                )
    return None


def _rgb(model: str, name: str) -> tuple[float, ...] | None:
    defaults.load()
    from matplotlib.colors import CSS4_COLORS, to_rgb

    try:
        if model.lower() == "rgb":
            parts = tuple(float(part) / (255 if model == "RGB" else 1) for part in name.split(","))
            return parts if len(parts) == 3 else None
        if model == "gray":
            return (float(name),) * 3
    except ValueError:
        return None
    written = f"#{name}" if model == "HTML" else str(CSS4_COLORS.get(name.lower(), name))
    return to_rgb(written) if re.fullmatch(r"#(?:[0-9a-fA-F]{3}){1,2}", written) else None


def _contrast(*colours: tuple[float, ...]) -> float:
    """The ratio of WCAG 2."""
    linear = [[part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in colour] for colour in colours]
    dark, light = sorted(0.2126 * red + 0.7152 * green + 0.0722 * blue for red, green, blue in linear)
    return (light + 0.05) / (dark + 0.05)


def _fault(tex: str) -> str:
    if not tex.strip():
        return "is empty"
    if "\n\n" in tex.replace("\r", "") or re.search(r"\n[ \t]*\n", tex):
        return "has an empty line inside"
    depth = deepest = 0
    for sign in re.findall(r"\\.|[{}]", tex, re.DOTALL):
        depth += (sign == "{") - (sign == "}")
        deepest = max(deepest, depth)
        if depth < 0:
            break
    if deepest > DEEPEST:
        return f"nests braces {deepest} deep, at most {DEEPEST}"
    if depth:
        return "opens and closes different numbers of braces"
    if ("\\left" in tex or "\\right" in tex) and len(re.findall(r"\\left(?![a-zA-Z])", tex)) != len(re.findall(r"\\right(?![a-zA-Z])", tex)):
        return "has a \\left without its \\right"
    if ("\\begin" in tex or "\\end" in tex) and sorted(re.findall(r"\\begin\{(\w+\*?)\}", tex)) != sorted(re.findall(r"\\end\{(\w+\*?)\}", tex)):
        return "has a \\begin without its \\end"
    return ""


def _shortened(tex: str) -> str:
    tex = " ".join(tex.split())
    return repr(tex if len(tex) <= 40 else tex[:37] + "...")
