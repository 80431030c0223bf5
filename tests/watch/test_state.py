"""What a page is told between two states."""

from __future__ import annotations

import json

import pytest

from generator.problems import Place, Problem
from generator.watch.board import REMEMBERED, Board
from generator.watch.editor import VSCODE, checked
from generator.watch.state import State, change

OLD = State(1, "Deck", notes={"a": '{"id":"a"}', "b": '{"id":"b"}'}, styles={"qa": "x"})


def told(before: State | None, **now) -> dict:
    return json.loads(change(before, State(**{**OLD._asdict(), **now})))


def test_a_changed_note_travels_alone():
    assert told(OLD, notes={"a": '{"id":"a"}', "b": '{"id":"b","new":1}'}) == {"notes": [{"id": "b", "new": 1}]}


def test_a_new_note_brings_the_order():
    assert told(OLD, notes={"b": '{"id":"b"}', "c": '{"id":"c"}', "a": '{"id":"a"}'}) == {"order": ["b", "c", "a"], "notes": [{"id": "c"}]}


def test_styles_and_problems_travel_when_they_differ():
    problem = Problem(Place("cards/a.md", 3), "wrong", "mend it")
    assert told(OLD, styles={"qa": "y"}) == {"styles": {"qa": "y"}, "notes": []}
    assert told(OLD, problems=(problem,)) == {"problems": [{"place": "cards/a.md:3", "message": "wrong", "hint": "mend it"}], "notes": []}


def test_a_page_of_an_unknown_state_is_told_everything():
    whole = told(None)
    assert whole["order"] == ["a", "b"] and [note["id"] for note in whole["notes"]] == ["a", "b"]
    assert {"problems", "failed", "waiting", "styles", "statuses", "running", "page"} <= set(whole)


def test_the_board_remembers_some_states_by_their_marks():
    board = Board()
    marks = []
    for number in range(REMEMBERED + 3):
        board.show(lambda last, number=number: last._replace(version=str(number)))
        marks.append(board.mark(board.state))
    assert board.marked(marks[-1]) is board.state
    assert board.marked(marks[0]) is None and board.marked("") is None and board.marked("another-1") is None
    before = board.state
    board.show(lambda last: last)
    assert board.state is before  # nothing new is no news


@pytest.mark.parametrize("template", [VSCODE, "idea://open?file={path}&line={line}", "http://localhost:63342/api/file{path}:{line}"])
def test_an_editor_may_be_named(template: str):
    assert checked(template) == template


@pytest.mark.parametrize("template", ["javascript:alert('{path}')", "JavaScript://{path}", "data:text/html,{path}", "vim {path}", "x://open", ""])
def test_what_is_no_editor_is_refused(template: str):
    with pytest.raises(ValueError, match="EDITOR_URL"):
        checked(template)
