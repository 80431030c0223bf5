"""Rules of teaching against a teacher: a rule stands only while four in five of its warnings are right on notes that were judged by hand.

notes.yml has the notes as they were packed on the day, labels.yml the judgements, of which the first 60 were made before any rule was written.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml
from our_types import note_types
from workshop import ROOT

from generator.learning.alike import near_duplicates
from generator.learning.lesson import Lesson, lesson
from generator.learning.rules import content, judged
from generator.notes import RULES

HERE = Path(__file__).parent
NOTES = yaml.safe_load((HERE / "notes.yml").read_text(encoding="utf-8"))
LABELS = yaml.safe_load((HERE / "labels.yml").read_text(encoding="utf-8"))
LESSONS = {id: lesson(id, note_types()[note["type"]], note["fields"]) for id, note in NOTES.items()}
ENOUGH, RIGHT = 5, 0.8


def warned(rule: str) -> set[str]:
    """The notes on which the rule fires, each with the one beside it."""
    if rule == "near-duplicate":
        return {id for id, _ in near_duplicates({id: front(one) for id, one in LESSONS.items() if not id.endswith("-other-figure")})}
    beside = LABELS["beside"]
    found = {id: judged([one, *([LESSONS[beside[id]]] if id in beside else [])])[id] for id, one in LESSONS.items()}
    return {id for id, findings in found.items() if any(finding.rule == rule for finding in findings)}


def front(one: Lesson) -> frozenset[str]:
    return frozenset(content(one.heading if one.deletions else one.front))


def tally(rule: str) -> tuple[int, int]:
    """How many of the rule's warnings are right, and how many are judged."""
    further = LABELS["judged"].get(rule, {})
    verdicts = [
        rule in LABELS["sample"][id] if id in LABELS["sample"] else further[id] == "right"
        for id in warned(rule)
        if id in LABELS["sample"] or id in further
    ]
    return sum(verdicts), len(verdicts)


def test_every_rule_is_judged_on_every_type():
    assert len(LABELS["sample"]) == 60 and {NOTES[id]["type"] for id in LABELS["sample"]} == {"qa", "trap", "numeric", "choice", "cloze"}
    assert {rule for rules in LABELS["sample"].values() for rule in rules} | LABELS["judged"].keys() >= RULES.keys()
    assert LABELS["judged"].keys() == RULES.keys()


@pytest.mark.parametrize("rule", RULES)
def test_four_warnings_in_five_are_right(rule: str):
    right, count = tally(rule)
    assert count >= ENOUGH
    assert right >= RIGHT * count


def test_the_readme_tells_how_often():
    """Each rule with the tally that comes out."""
    told = re.findall(r"^\| `([a-z-]+)` \|.*\| (\d+) of (\d+) \|$", (ROOT / "cards" / "README.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert {rule: (int(right), int(count)) for rule, right, count in told} == {rule: tally(rule) for rule in RULES}
