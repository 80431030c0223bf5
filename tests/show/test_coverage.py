"""What the deck covers of sources.yml, and when a topic is not whole."""

from __future__ import annotations

from pathlib import Path

from generator.notes import Claim, Deck, Note, Question, SourceClaim, Text, Topic
from generator.problems import Place
from generator.show import coverage


def topic(id, whole=False, claims=(("formula", ""), ("literature", ""), ("unverifiable", "no source"))):
    return Topic(
        id=id,
        area="finetuning",
        title=id.title(),
        questions=tuple(Question(n, f"question {n}?") for n in (1, 2, 3)),
        claims=tuple(SourceClaim(n, f"saying {n}", check, left_out) for n, (check, left_out) in enumerate(claims, 1)),
        whole=whole,
        place=Place("cards/sources.yml", 7),
    )


def note(id, answers=(), sources=()):
    place = Place(f"cards/{id}.md", 3)
    claims = tuple(Claim(id, source, "said", "10 GB", "run.total", None, 0.05, "wrong", None, place) for source in sources)
    return Note(id, "qa", "Deck", "topic", (), {"Front": Text("f", place)}, {}, claims, tuple(answers), place, Path("cards"))


def deck(topics, notes):
    return Deck("Deck", 1, "deck", "1", "", "", (), {}, (), tuple(notes), {}, {t.id: t for t in topics}, (), Path("cards"))


def test_counts_by_topic():
    found = coverage.coverage(deck([topic("lora"), topic("zero")], [note("a", ["lora/1", "lora/3"], ["lora/1"]), note("b", ["lora/1"])]))
    lora, zero = found.topics
    assert (lora.answered, lora.open_questions) == ((1, 3), (2,))
    assert (lora.checked, lora.left_out, lora.open_claims) == ((1,), (3,), (2,))
    assert lora.notes == ("a", "b")
    assert (lora.begun, lora.done, zero.begun) == (True, False, False)
    assert found.problems == ()
    assert found.totals() == {
        "topics": 2,
        "topics_begun": 1,
        "topics_whole": 0,
        "questions": 6,
        "questions_answered": 2,
        "claims": 6,
        "claims_checked": 1,
        "claims_left_out": 2,
    }


def test_a_whole_topic_must_be_whole():
    found = coverage.coverage(deck([topic("lora", whole=True), topic("zero")], [note("a", ["lora/1", "lora/3"])]))
    assert [str(p) for p in found.problems] == [
        'cards/sources.yml:7: lora is marked whole, but no note answers question 2 "question 2?" (answers: lora/2)',
        'cards/sources.yml:7: lora is marked whole, but claim 1 "saying 1" is open '
        "(a formula can judge it: check it in a note with source: lora/1, or give left_out: with the reason)",
        'cards/sources.yml:7: lora is marked whole, but claim 2 "saying 2" is open (give left_out: with the reason, or check it in a note)',
    ]


def test_a_whole_topic_that_is():
    claims = (("formula", ""), ("literature", "a price, which ages"), ("measurement", ""))
    found = coverage.coverage(deck([topic("lora", True, claims)], [note("a", ["lora/1", "lora/2", "lora/3"], ["lora/1", "lora/3"])]))
    assert found.problems == ()
    assert coverage.table(found).splitlines() == [
        "lora  questions  3 of 3   claims  2 of 3    1 left out  whole",
        "topics: 1 whole, 0 begun, 0 not begun",
    ]


def test_left_out_and_checked_contradict():
    found = coverage.coverage(deck([topic("lora", True, (("formula", "why"),))], [note("a", ["lora/1", "lora/2", "lora/3"], ["lora/1"])]))
    assert [p.message for p in found.problems] == ["lora: claim 1 is left out, and yet a note checks it"]


def test_table_shows_what_is_begun_open_first_and_is_limited():
    topics = [topic("ready", claims=()), topic("lora"), topic("zero"), topic("untouched")]
    notes = [note("a", ["ready/1", "ready/2", "ready/3"]), note("b", ["lora/2"]), note("c", [], ["zero/1"])]
    found = coverage.coverage(deck(topics, notes))
    assert coverage.table(found).splitlines() == [
        "lora   questions  1 of 3   claims  0 of 3    1 left out  open: questions 1, 3; claims 1-2",
        "zero   questions  0 of 3   claims  1 of 3    1 left out  open: questions 1-3; claims 2",
        "ready  questions  3 of 3   claims  0 of 0                nothing open (whole: true may be set)",
        "topics: 0 whole, 3 begun, 1 not begun",
    ]
    assert "... and 2 more, 1 of them with nothing open" in coverage.table(found, limit=1)


def test_nothing_begun():
    assert coverage.table(coverage.coverage(deck([topic("lora")], []))) == "topics: 0 whole, 0 begun, 1 not begun"
