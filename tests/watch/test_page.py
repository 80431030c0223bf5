"""The served page in Chromium: what is saved appears in place, and the reader's place, filters and unfolded parts stay."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from browser import CHROMIUM, Page, browsing
from watching import Served

pytestmark = pytest.mark.skipif(not CHROMIUM, reason="no Chromium on this machine")
FIRST, SECOND, THIRD = (f"cards/one/{name}.md" for name in ("first", "second", "third"))


@pytest.fixture
def page(served: Served, tmp_path: Path) -> Iterator[Page]:
    with browsing(tmp_path / "profile") as found:
        found.go(served.url)
        found.until("document.getElementById('going').textContent === 'live'")
        yield found
        assert found.complaints == []


def card(id: str, side: str = "answer") -> str:
    """The text of a card's side, as an expression."""
    return (
        f"[...document.querySelectorAll('#note-{id} iframe')].find((frame) => frame.side === '{side}').contentDocument.getElementById('qa').innerText"
    )


def test_a_saved_card_appears_in_its_frame(page: Page, served: Served):
    page.until(f"{card('twice-two')}.includes('4')")
    page.value("window.kept = document.querySelector('#note-twice-two iframe').contentDocument; 1")
    page.value("[...document.querySelectorAll('#note-twice-two iframe')].at(-1).contentDocument.querySelector('details').open = true")
    served.edit(FIRST, ("[[four.y]].", "[[four.y]], as ever."))
    page.until(f"{card('twice-two')}.includes('as ever')")
    assert page.value("window.kept === document.querySelector('#note-twice-two iframe').contentDocument")  # no frame loaded anew
    assert page.value(f"{card('twice-two')}.includes('So it is')")  # the folded part that was open still is
    pictures = "[...document.querySelectorAll('#note-twice-two iframe')].at(-1).contentDocument.images"
    page.until(f"[...{pictures}].every((image) => image.complete && image.naturalWidth)")


def test_problems_stand_at_the_top_until_they_are_mended(page: Page, served: Served):
    served.edit(FIRST, ("[[four.y]]", "[[four.z]]"))
    page.until("!document.getElementById('problems').hidden")
    link = "document.querySelector('#problems a')"
    assert page.value(f"{link}.textContent") == f"{FIRST}:9"
    path = f"{served.folder}/{FIRST}".replace(" ", "%20")
    assert page.value(f"{link}.href") == f"vscode://file{path}:9"
    assert page.value("document.title").startswith("(1) ")
    assert page.value("document.getElementById('problems').getBoundingClientRect().top") == 0
    served.edit(FIRST, ("[[four.z]]", "[[four.y]]"))
    page.until("document.getElementById('problems').hidden")
    assert page.value("document.title") == "House: preview"


def test_the_place_and_the_filters_stay(page: Page, served: Served):
    page.value("document.getElementById('search').value = 'number'; apply(); show('dark'); goTo(document.getElementById('note-number-20'))")
    page.until(f"{card('number-20')}.includes('20')")
    page.until(
        "[...near].every((article) => [...article.querySelectorAll('iframe')].every((frame) => frame.contentDocument.readyState === 'complete'))"
    )
    top = page.until("document.getElementById('note-number-20').getBoundingClientRect().top")
    served.edit(THIRD, ("**18**, with", "**18**, " + "at length, " * 200 + "with"), ("**21**", "**twenty-one**"))
    served.edit(FIRST, ("# What comes after it?", "# A number of its own? {#number-of-its-own}\n\nYes.\n\n# What comes after it?"))
    page.until("document.getElementById('note-number-of-its-own')")
    page.until(f"{card('number-21')}.includes('twenty-one')")
    page.until(f"{card('number-18')}.includes('at length')")
    page.until(f"Math.abs(document.getElementById('note-number-20').getBoundingClientRect().top - {top}) < 2")
    assert page.value("document.getElementById('search').value") == "number" and page.value("root.dataset.show") == "dark"
    assert page.value("document.getElementById('count').textContent") == "31 of 34 notes"
    assert page.value("document.getElementById('total').textContent") == "34 notes, 34 cards, version 1"
    assert page.value("document.getElementById('note-twice-two').hidden")


def test_a_note_that_goes_takes_its_filter_options_along(page: Page, served: Served):
    tags = "[...document.getElementById('tag').options].map((option) => option.text)"
    assert page.value(tags) == ["All tags", "kept (32)", "left (1)"]
    served.edit("cards/deck.yml", ("first, second, third", "first, third"))
    (served.folder / SECOND).unlink()
    page.until("!document.getElementById('note-was-drawn')")
    assert page.value(tags) == ["All tags", "kept (32)"]


def test_an_edit_that_comes_before_the_frames_have_loaded(page: Page, served: Served):
    page.until(f"{card('twice-two')}.includes('4')")
    page.value("for (const frame of document.querySelectorAll('#note-twice-two iframe')) frame.contentDocument.getElementById('qa').remove(); 1")
    served.edit(FIRST, ("[[four.y]].", "[[four.y]], as ever."))
    page.until(f"{card('twice-two')}.includes('as ever')")
    served.edit(FIRST, ("as ever", "as always"))
    page.until(f"{card('twice-two')}.includes('as always')")


def test_what_waits_for_a_run_is_grey_and_says_so(page: Page, served: Served):
    served.edit(SECOND, ("roll: 1", "roll: 2"))
    page.until("document.querySelector('#note-was-drawn .waits').textContent === 'waits for drawn(roll=2)'")
    assert page.value("getComputedStyle(document.querySelector('#note-was-drawn .phone')).filter") == "grayscale(1)"
    assert page.value("getComputedStyle(document.querySelector('#note-twice-two .phone')).filter") == "none"


def test_the_pages_own_change_keeps_place_and_filters(page: Page, served: Served):
    page.value("document.getElementById('search').value = 'number'; apply(); goTo(document.getElementById('note-number-20')); window.old = true")
    served.edit("generator/look/preview/page.css", (":root {", ":root { --edited: 1;"))
    page.until("!window.old && document.getElementById('going').textContent === 'live'")
    assert page.value("getComputedStyle(root).getPropertyValue('--edited')") == "1"
    assert page.value("document.getElementById('count').textContent") == "30 of 33 notes"
    page.until("Math.abs(document.getElementById('note-number-20').getBoundingClientRect().top) < 100")


def test_a_server_that_starts_anew_is_found_again(page: Page, served: Served):
    served.edit("generator/show/preview.py", ('"""The same cards', '"""The very same cards'))
    served.edit(FIRST, ("The next one.", "Five."))
    page.until(f"{card('after-it')}.includes('Five.')")
    page.until("document.getElementById('going').textContent === 'live'")
    page.complaints.clear()  # that nobody answered for a moment
