"""The preview's template filler against the released Anki: the same card from the same template and fields."""

from __future__ import annotations

from html.parser import HTMLParser

import pytest
from our_types import note_types

from generator.look.template import asks
from generator.show import anki_template

FRONT = "<h1>{{Front}}</h1>{{#Extra}}<p>{{Extra}}</p>{{/Extra}}{{^Extra}}<i>none</i>{{/Extra}}<!-- {{Nothing}} -->"
BACK = "{{FrontSide}}<hr id=answer>{{Back}}{{#Extra}}{{^Spare}}{{text:Extra}}{{/Spare}}{{/Extra}}{{Deck}} {{Tags}}"

FILLS = {
    "plain": {"Front": "Why?", "Back": "Because.", "Extra": "", "Spare": ""},
    "html": {"Front": "a &lt; b <b>c</b>", "Back": "\\(x_1\\) {{Front}}", "Extra": "<em>x</em> &amp; y", "Spare": ""},
    "white space is empty": {"Front": "f", "Back": "b", "Extra": " <br>\n<div></div><br />", "Spare": "<DIV>"},
    "a space entity is not": {"Front": "f", "Back": "b", "Extra": "&nbsp;", "Spare": "<p></p>"},
    "two words in a name": {"Front": "f", "Back": "b", "Extra": "0", "Spare": ""},
}

CLOZES = [
    "{{c1::one}} and {{c2::two::hint}} and {{c1::again}}",
    "{{c1::outer {{c2::inner}} rest}} tail",
    "{{c1::std::vector}} <code>{{c2::a:<!-- -->:b}}</code>",
    r"\({{c1::x^2}} + \frac{a}{b}\) and {{c2::\(\sqrt{x}\)}}",
    r"\[{{c2::y &lt; 3}}\] {{c1::<b>&quot;quoted&quot;</b> 'single'}}",
    "{{c2::closed}} {{c1::never closed {{c3::inside}}",
    "lone }} then {{c1::x}} and {{C2::capital}} {{c2::y::}}",
    "{{c1,2::both}} {{c2::second}}",
    "{{c1::image-occlusion:rect:left=.1:top=.2:width=.3:height=.1:oi=1}}<br>{{c2::image-occlusion:polygon:left=0:top=.15:points=0,.15 .4,.2:oi=1}}",
    "{{c2::image-occlusion:ellipse:left=.1:top=.2:rx=.3:ry=.1}} {{c1::image::a hint}}",
    'a\n{{c1::line one\nline two}}\n{{c2::<span class="num">143&#8239;GB</span>}}',
]


@pytest.fixture(scope="module")
def collection(tmp_path_factory):
    anki = pytest.importorskip("anki.collection", reason="the released Anki is the oracle")
    made = anki.Collection(str(tmp_path_factory.mktemp("anki") / "collection.anki2"))
    yield made
    made.close()


def rendered(collection, front, back, fields, cloze):
    """Question and answer of every card that Anki makes, by ordinal."""
    name = f"Type {len(collection.models.all_names_and_ids())}"
    kind = collection.models.new(name)
    if cloze:
        kind["type"] = 1
    for field in fields:
        collection.models.add_field(kind, collection.models.new_field(field))
    template = collection.models.new_template("Card")
    template["qfmt"], template["afmt"] = front, back
    collection.models.add_template(kind, template)
    collection.models.add(kind)
    note = collection.new_note(collection.models.by_name(name))
    for field, value in fields.items():
        note[field] = value
    note.tags = ["area::topic", "other"]
    collection.add_note(note, collection.decks.id("Deck::Sub"))
    return {c.ord: (c.render_output().question_text, c.render_output().answer_text) for c in note.cards()}


class Events(HTMLParser):
    """The HTML as a browser reads it: entities decoded, attributes sorted, neighbouring text joined."""

    def __init__(self, text):
        super().__init__(convert_charrefs=True)
        self.found = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attributes):
        self.found.append((tag, sorted(attributes)))

    def handle_endtag(self, tag):
        self.found.append("/" + tag)

    def handle_comment(self, data):
        self.found.append("!" + data)

    def handle_data(self, data):
        if self.found and isinstance(self.found[-1], list):
            self.found[-1][0] += data
        else:
            self.found.append([data])


def same(ours, theirs):
    assert Events(ours).found == Events(theirs).found


@pytest.mark.parametrize("name", FILLS)
def test_sections_and_fields(collection, name):
    fields = FILLS[name]
    extra = {"Deck": "Deck::Sub", "Tags": "area::topic other"}
    cards = rendered(collection, FRONT, BACK, fields, cloze=False)
    for ours, theirs in zip(anki_template.card(FRONT, BACK, fields, 1, extra), cards[0], strict=True):
        same(ours, theirs)


@pytest.mark.parametrize("text", CLOZES)
def test_clozes(collection, text):
    front = "<div>{{cloze:Text}}</div>{{#c2}}second{{/c2}}"
    back = "{{FrontSide}}<hr>{{cloze:Text}}<p>{{More}}</p>"
    fields = {"Text": text, "More": "why"}
    cards = rendered(collection, front, back, fields, cloze=True)
    assert [ordinal + 1 for ordinal in sorted(cards)] == list(anki_template.cloze_numbers(text))
    for ordinal, sides in cards.items():
        for ours, theirs in zip(anki_template.card(front, back, fields, ordinal + 1), sides, strict=True):
            same(ours, theirs)


def test_typed(collection):
    front, back = "{{Front}} {{type:Expected}}", "{{FrontSide}} {{type:Expected}} [{{Expected}}]"
    fields = {"Front": "How many?", "Expected": "42"}
    ours = anki_template.card(front, back, fields)
    for side, theirs in zip(ours, rendered(collection, front, back, fields, cloze=False)[0], strict=True):
        same(side, theirs)
    assert '<input type="text"' in anki_template.typed(ours[0], fields, answer=False)
    assert '<code id="typeans">42</code>' in anki_template.typed(ours[1], fields, answer=True)


@pytest.mark.parametrize("key", note_types())
@pytest.mark.parametrize("full", [True, False])
def test_the_deck_s_own_types(collection, key, full):
    kind = note_types()[key]
    fields = {name: f"{{{{c1::{name}}}}} x" if name == kind.main and kind.kind == "cloze" else name for name in kind.fields}
    if not full:
        fields = {name: text if name in ("Front", *kind.required) else "" for name, text in fields.items()}
    for _, _, front, back in kind.templates:
        cards = rendered(collection, front, back, fields, kind.kind == "cloze")
        if asks(front, {name for name, text in fields.items() if text}):
            for ours, theirs in zip(anki_template.card(front, back, fields), cards[0], strict=True):
                same(ours, theirs)
        else:
            assert key == "reversed" and full  # whose switch is on


@pytest.mark.parametrize(
    ("template", "message"),
    [
        ("{{Frnot}}", "Frnot"),
        ("{{#Front}}open", "does not close"),
        ("{{#Front}}{{/Back}}", "closes"),
        ("{{/Front}}", "closes"),
        ("{{shout:Front}}", "filter"),
    ],
)
def test_what_anki_refuses(template, message):
    with pytest.raises(ValueError, match=message):
        anki_template.fill(template, anki_template.Face({"Front": "f", "Back": "b"}))
