"""What might run, load or be read as Anki's own markup, and the places of a deck where a text may stand."""

from __future__ import annotations

HTML = [
    "<script>alert(1)</script>",
    "<ScRiPt src=//evil.example/x.js></sCrIpT>",
    "<img src=x onerror=alert(1)>",
    '<img src="https://evil.example/x.png" alt="x">',
    "<svg/onload=alert(1)>",
    "<svg><style><img src=x onerror=alert(1)></style></svg>",
    '<math><mtext><table><mglyph><style><!--</style><img title="--&gt;&lt;img src=1 onerror=alert(1)&gt;">',
    '<noscript><p title="</noscript><img src=x onerror=alert(1)>">',
    "<!--><img src=x onerror=alert(1)>-->",
    "<iframe src='javascript:alert(1)'></iframe>",
    '<a href="javascript:alert(1)">x</a>',
    '<a href="java&#9;script:alert(1)">x</a>',
    '<a href=" &#14;javascript&colon;alert(1)">x</a>',
    '<a href="//evil.example/">x</a>',
    '<a href="data:text/html,<script>alert(1)</script>">x</a>',
    "[x](javascript:alert(1))",
    "[x](<java&#115;cript:alert(1)>)",
    "[x][evil]\n\n[evil]: javascript:alert(1)",
    "> [evil]: javascript:alert(1)\n\n[x][evil]",
    "<javascript:alert(1)>",
    '<b style="position:/**/fixed">x</b>',
    '<b style="position:absolute;inset:0">x</b>',
    '<b style="background:url(//evil.example/x)">x</b>',
    r'<b style="background:u\72l(//evil.example/x)">x</b>',
    '<b style="background&#58;url&#40;//evil.example/x)">x</b>',
    '<b style="margin:-999px">x</b>',
    "</p></div></section></details><script>alert(1)</script>",
    "<form action=//evil.example><button>x</button></form>",
    "<input autofocus onfocus=alert(1)>",
    "<details open ontoggle=alert(1)><summary>x</summary></details>",
    "<b onclick=alert(1)>x</b>",
    "<base href=//evil.example/>",
    "<link rel=stylesheet href=//evil.example/x.css>",
    '<meta http-equiv=refresh content="0;url=//evil.example">',
    "<object data=//evil.example></object><embed src=//evil.example>",
    "<video src=//evil.example autoplay></video>",
    "<style>@import '//evil.example/x.css';</style>",
    "<xmp><script>alert(1)</script></xmp>",
    "<plaintext><script>alert(1)</script>",
    "&lt;script&gt;alert(1)&lt;/script&gt;",
    "\u0338 onmouseover=alert(1) x",  # which NFC makes one character of, with the > of a tag before it
    "&#824; onmouseover=alert(1) x",
    '<code class="mathjax_process">\\(\\href{javascript:alert(1)}{x}\\)</code>',
]
TEX = [
    r"\href{javascript:alert(1)}{x}",
    r"\\(\href{javascript:alert(1)}{x}\\)",
    r"\\[\style{position:fixed}{x}\\]",
    r"\style{position:fixed}{x}",
    r"\class{mjx}{x} \cssId{qa}{x}",
    r"\require{html}",
    r"\unicode{60}",
    r"\def\x{\x}\x",
    r"\newcommand\y{\href{javascript:alert(1)}{x}}\y",
    r"\let\z\href \z{javascript:alert(1)}{x}",
    r"\bbox[background:url(//evil.example)]{x}",
    r'\mmlToken{mi}[href="javascript:alert(1)"]{x}',
    r"\text{<img src=x onerror=alert(1)>}",
    "{" * 60 + "x" + "}" * 60,
]
ANKI = [
    "[sound:x.mp3]",
    r"\[sound:x.mp3]",
    "[SOUND:x.mp3]",
    "&#91;sound:x.mp3]",
    "[anki:tts lang=en_US]x[/anki:tts]",
    "[anki:play:q:0]",
    "[latex]x[/latex]",
    r"\[latex]x\[/latex]",
    "[$]x[/$]",
    r"\[$]x\[/$]",
    "[$$]x[/$$]",
    "&#91;$$]x&#91;/$$]",
    r"\[[type:Front]]",
    "{{c9::a}}",
    "{&#123;c9::a}}",
    r"\{\{c9::a}}",
    "{{c9\ufeff::a}}",
    "{{c9\x01::a}}",
    "{{FrontSide}}",
    "{{#Front}}x{{/Front}}",
]
PAYLOADS = [*HTML, *TEX, *ANKI]

_QA = "# What is it? {#ID}\n\n"
PLACES = {  # @ stands for what is put there, ' for the same in a YAML string of single quotation marks
    "heading": "# What is @ it? {#ID}\n\nIt is.\n",
    "answer": _QA + "It is @ so.\n",
    "answer alone": _QA + "@\n",
    "why": _QA + "It is.\n\n## Why\n\nSo @ it is.\n",
    "depth": _QA + "It is.\n\n## Depth\n\n**@**\n",
    "source": _QA + "It is.\n\n## Source\n\n- A paper, @\n",
    "list": _QA + "It is:\n\n- one\n- @\n",
    "nested list": _QA + "- one\n  - two @ three\n",
    "quotation": _QA + "It is:\n\n> @\n",
    "cell": _QA + "| a | b |\n|---|---|\n| @ | 2 |\n",
    "link text": _QA + "[@](https://example.org)\n",
    "link title": _QA + '[x](https://example.org "@")\n',
    "link address": _QA + "[x](@)\n",
    "definition": _QA + "[x][y]\n\n[y]: @\n",
    "alt text": _QA + "![@](dot.png)\n",
    "path": _QA + "![x](@)\n",
    "attribute": _QA + '<b title="@">x</b>\n',
    "class": _QA + "<b class='@'>x</b>\n",
    "code": _QA + "`@`\n",
    "fence": _QA + "```html\n@\n```\n",
    "plain fence": _QA + "```\n@\n```\n",
    "computed fence": _QA + "``` computed\n[[ '@' ]]\n```\n",
    "value": _QA + "It is [[ '@' ]].\n",
    "value with an end": _QA + "It is [[ '\\n\\n@' ]].\n",
    "math": _QA + "$x @$\n",
    "words in math": _QA + "$$\\text{@}$$\n",
    "value in math": _QA + "$1 [[ '@' ]]$ and $2 [[ '\\n\\n@' ]]$\n",
    "cloze": "# Fill in {#ID .cloze}\n\nIt {{c1::is @}} so.\n",
    "beside a cloze": "# Fill in {#ID .cloze}\n\nIt {{c1::is}} so @.\n",
    "hint": "# Fill in {#ID .cloze}\n\nIt {{c1::is::@}} so.\n",
    "hint in math": "# Fill in {#ID .cloze}\n\nIt is $x {{c1::y::@}}$ so.\n",
    "code in a cloze": "# Fill in {#ID .cloze}\n\nIt {{c1::`@`}} so.\n",
    "typed": "# What is it? {#ID .typed}\n\n@\n",
    "reversed": "# @ {#ID .reversed}\n\n@\n",
}
_CLAIM = (
    "---\nruns:\n  full: {kernel: training_memory, parameters: 70e9}\nclaims:\n  - note: ID\n    says: %s\n    %s\n---\n\n"
    + _QA
    + "It is [[full.total | GB]].\n"
)
_WRONG = "holds: full.gradients > full.optimizer\n    verdict: wrong"
PLACES |= {
    "claim": _CLAIM % ("'a ''@'' b'", _WRONG),
    "under": _CLAIM
    % (
        "It takes 560 GB.",
        "value: 560 GB\n    computed: full.total\n    verdict: misleading\n"
        "    under: {text: '''@''', computed: full.weights + full.gradients + full.optimizer / 2}",
    ),
    "threshold": _CLAIM % ("It is more.", "threshold: {value: 1 GB, because: 'since ''@'''}\n    holds: full.total < 1 GB\n    verdict: wrong"),
    "decided": _CLAIM % ("It is more.", "decided: {by: 'X, ''@''', at: 'table ''@''', value: '1 ''@'''}\n    verdict: wrong"),
    "tag": "---\ntags: ['''@''']\n---\n\n" + _QA + "It is.\n",
}


def card(place: str, payload: str, id: str) -> str:
    """The file of a card in which the payload stands in that place."""
    quoted = payload.replace("'", "''")
    return PLACES[place].replace("''@''", quoted).replace("ID", id).replace("@", payload)
