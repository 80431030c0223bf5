"""What the deck covers of sources.yml, and when a topic is not whole."""

from __future__ import annotations

from generator.notes import Entry, Question, SourceClaim, Topic
from generator.problems import Place
from generator.show.coverage import Coverage, coverage, table


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


def note(id, answers=(), sources=(), verdict="wrong"):
    claims = tuple((source, verdict) for source in sources)
    return Entry(id, "qa", "Deck", (), (0,), {}, {}, tuple(answers), claims, "hash", "guid", (), (), {}, "", Place(f"cards/{id}.md", 3), ("piece",))


def covered(topics, notes) -> Coverage:
    return coverage({topic.id: topic for topic in topics}, notes)


def test_counts_by_topic():
    found = covered([topic("lora"), topic("zero")], [note("a", ["lora/1", "lora/3"], ["lora/1"]), note("b", ["lora/1"])])
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
    found = covered([topic("lora", whole=True), topic("zero")], [note("a", ["lora/1", "lora/3"])])
    assert [str(p) for p in found.problems] == [
        'cards/sources.yml:7: lora is marked whole, but no note answers question 2 "question 2?" (answers: lora/2)',
        'cards/sources.yml:7: lora is marked whole, but claim 1 "saying 1" is open '
        "(a formula can judge it: check it in a note with source: lora/1, or give left_out: with the reason)",
        'cards/sources.yml:7: lora is marked whole, but claim 2 "saying 2" is open (give left_out: with the reason, or check it in a note)',
    ]


def test_a_whole_topic_that_is():
    claims = (("formula", ""), ("literature", "a price, which ages"), ("measurement", ""))
    found = covered([topic("lora", True, claims)], [note("a", ["lora/1", "lora/2", "lora/3"], ["lora/1", "lora/3"])])
    assert found.problems == ()
    assert table(found).splitlines() == [
        "lora  questions  3 of 3   claims  2 of 3    1 left out  whole",
        "topics: 1 whole, 0 begun, 0 not begun",
    ]


def test_a_claim_that_waits_for_its_measurement_is_checked():
    found = covered([topic("lora")], [note("a", sources=["lora/1"], verdict="open"), note("b", sources=[None])])
    assert found.topics[0].checked == (1,)


def test_left_out_and_checked_contradict():
    found = covered([topic("lora", True, (("formula", "why"),))], [note("a", ["lora/1", "lora/2", "lora/3"], ["lora/1"])])
    assert [p.message for p in found.problems] == ["lora: claim 1 is left out, and yet a note checks it"]


def test_table_shows_what_is_begun_open_first_and_is_limited():
    topics = [topic("ready", claims=()), topic("lora"), topic("zero"), topic("untouched")]
    notes = [note("a", ["ready/1", "ready/2", "ready/3"]), note("b", ["lora/2"]), note("c", [], ["zero/1"])]
    found = covered(topics, notes)
    assert table(found).splitlines() == [
        "lora   questions  1 of 3   claims  0 of 3    1 left out  open: questions 1, 3; claims 1-2",
        "zero   questions  0 of 3   claims  1 of 3    1 left out  open: questions 1-3; claims 2",
        "ready  questions  3 of 3   claims  0 of 0                nothing open (whole: true may be set)",
        "topics: 0 whole, 3 begun, 1 not begun",
    ]
    assert "... and 2 more, 1 of them with nothing open" in table(found, limit=1)


def test_nothing_begun():
    assert table(covered([topic("lora")], [])) == "topics: 0 whole, 0 begun, 1 not begun"
