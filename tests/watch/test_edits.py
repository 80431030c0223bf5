"""Files change, and the stream tells of it: as a new process would see them, and nothing is lost."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from pathlib import Path

import pytest
from watching import LIMIT, Served, serving

FIRST, SECOND, THIRD = (f"cards/one/{name}.md" for name in ("first", "second", "third"))
KERNEL = "kernels/library/area/doubled.py"


def texts(event: dict) -> dict[str, str]:
    """The answers of the notes in an event, by id."""
    return {note["id"]: note["cards"][0]["answer"] for note in event["notes"]}


def test_a_saved_card_travels_alone(served: Served):
    stream = served.events()
    served.edit(FIRST, ("The next one.", "Five."))
    event = stream.next()
    assert set(texts(event)) == {"after-it"} and "Five." in texts(event)["after-it"]
    assert "order" not in event and "styles" not in event


def test_every_page_hears(served: Served):
    streams = [served.events() for _ in range(3)]
    served.edit(FIRST, ("The next one.", "Five."))
    assert [set(texts(stream.next())) for stream in streams] == [{"after-it"}] * 3


def test_a_file_that_is_saved_by_renaming(served: Served):
    stream = served.events()
    for n in range(3):
        part = served.folder / "cards" / "one" / ".first.md.swp"
        part.write_text((served.folder / FIRST).read_text().replace("The next one.", f"Number {n}.").replace(f"Number {n - 1}.", f"Number {n}."))
        os.replace(part, served.folder / FIRST)
        assert f"Number {n}." in texts(stream.next())["after-it"]


def test_notes_come_go_and_move(served: Served):
    stream = served.events()
    served.edit(FIRST, ("# What comes after it? {#after-it}", "# Is this new? {#brand-new}\n\nYes.\n\n# What comes after it? {#after-it}"))
    event = stream.next()
    assert event["order"][:3] == ["twice-two", "brand-new", "after-it"] and "brand-new" in texts(event)
    served.edit("cards/deck.yml", ("[first, second, third]", "[second, first, third]"))
    assert stream.next()["order"][:3] == ["was-drawn", "twice-two", "brand-new"]
    text = (served.folder / FIRST).read_text()
    served.write(FIRST, text[: text.index("# Is this new?")])
    assert stream.next()["order"][:3] == ["was-drawn", "twice-two", "number-0"]


def test_a_problem_comes_and_goes_and_the_last_good_cards_stay(served: Served):
    stream = served.events()
    served.edit(FIRST, ("[[four.y]]", "[[four.z]]"), ("The next one.", "Five."))
    event = stream.next()
    (problem,) = event["problems"]
    assert problem["place"] == f"{FIRST}:9" and "'z'" in problem["message"] and event["notes"] == []
    page = served.page()
    assert page["problems"] == [problem] and {"twice-two", "after-it"} <= {note["id"] for note in page["notes"]}
    served.edit(THIRD, ("**7**", "**seven**"))  # another file is shown all the same
    assert set(texts(stream.next())) == {"number-7"}
    served.edit(FIRST, ("[[four.z]]", "[[four.y]]"))
    event = stream.next()
    assert event["problems"] == [] and set(texts(event)) == {"after-it"}


def test_a_kernels_constant(served: Served):
    stream = served.events()
    assert ">4<" in texts(served.page())["twice-two"]
    for factor in (3, 5, 7, 9):  # one size, and perhaps one second: Python's own cache could not tell them apart
        served.edit(KERNEL, (f"FACTOR = {factor - (1 if factor == 3 else 2)}", f"FACTOR = {factor}"))
        event = stream.next()
        assert set(texts(event)) == {"twice-two"} and f">{2 * factor}<" in texts(event)["twice-two"]


def test_a_kernel_that_does_not_compile_is_a_problem(served: Served):
    stream = served.events()
    served.edit(KERNEL, ("FACTOR = 2", "FACTOR = "))
    (problem,) = stream.next()["problems"]
    assert "cannot be imported" in problem["message"]
    served.edit(KERNEL, ("FACTOR = ", "FACTOR = 4"))
    event = stream.next()
    assert event["problems"] == [] and ">8<" in texts(event)["twice-two"]


def test_a_kernel_that_fails_when_it_is_loaded_is_a_problem_that_says_its_line(served: Served):
    stream = served.events()
    served.edit(KERNEL, ("FACTOR = 2", "FACTOR = TWO"))
    (problem,) = stream.next()["problems"]
    assert problem["place"].startswith("cards/one/first.md:")
    assert problem["message"] == f"{KERNEL} cannot be imported: NameError: name 'TWO' is not defined ({KERNEL}:5)"
    served.edit(KERNEL, ("FACTOR = TWO", "FACTOR = 3"))
    assert ">6<" in texts(stream.next())["twice-two"]


def test_style_and_template(served: Served):
    stream = served.events()
    served.edit("generator/look/style.css", (".card {", ".card { --edited: 1;"))
    event = stream.next()
    assert "--edited: 1" in event["styles"]["qa"] and event["notes"] == []
    served.edit("generator/look/qa/back.html", ("<< ", "edited << ")) if "<< " in (served.folder / "generator/look/qa/back.html").read_text() else (
        served.write("generator/look/qa/back.html", (served.folder / "generator/look/qa/back.html").read_text() + "\nedited\n")
    )
    assert all("edited" in text for text in texts(stream.next()).values())
    served.edit("generator/look/qa/back.html", ("edited", "{{Nothing}}"))
    (problem,) = stream.next()["problems"]
    assert problem["place"].endswith("generator/look/qa/back.html:6") and "a field 'Nothing' that the type lacks" in problem["message"]


def test_the_pages_own_script_is_another_page(served: Served):
    stream = served.events()
    served.edit("generator/look/preview/page.css", (":root {", ":root { --edited: 1;"))
    assert set(stream.next()) == {"page", "notes"}


def test_a_burst_of_a_thousand_files(served: Served):
    stream = served.events()
    topics = [f"burst-{n:04}" for n in range(1000)]
    served.edit("cards/deck.yml", ("third]", f"third, {', '.join(topics)}]"))
    for topic in topics:
        served.write(f"cards/one/{topic}.md", f"---\ntags: [left]\n---\n\n# What is in {topic}? {{#{topic}}}\n\nNothing.\n")
    stream.until(lambda event: event.get("order", [])[-1:] == ["burst-0999"])
    page = served.page()
    assert len(page["notes"]) == 33 + 1000 and page["problems"] == []


def test_a_folder_that_vanishes_and_returns(served: Served):
    stream = served.events()
    os.rename(served.folder / "cards", served.folder / "away")
    (problem,) = stream.next()["problems"]
    assert problem["message"] == "there is no such folder of cards"
    assert len(served.page()["notes"]) == 33
    os.rename(served.folder / "away", served.folder / "cards")
    assert stream.next()["problems"] == []
    served.edit(FIRST, ("The next one.", "Five."))  # and it is watched again
    assert "Five." in texts(stream.next())["after-it"]


def test_the_page_is_never_older_than_the_disk(served: Served):
    for n in range(10):
        served.write(FIRST, f"---\ntags: [kept]\n---\n\n# What comes after it? {{#after-it}}\n\nNumber {n}.\n")
        assert f"Number {n}." in texts(served.page())["after-it"]


def test_a_page_that_comes_back_is_told_what_it_missed(served: Served):
    stream = served.events()
    served.edit(FIRST, ("The next one.", "Five."))
    stream.next()
    stream.close()
    served.edit(THIRD, ("**7**", "**seven**"))
    assert set(texts(served.events(stream.at).next())) == {"number-7"}
    whole = served.events("of-another-time").next()
    assert len(whole["notes"]) == 33 and len(whole["order"]) == 33


def test_what_is_looked_at_comes_first(served: Served):
    served.ask("/looking?at=number-3,no-such-note").read()
    stream = served.events()
    served.edit("generator/look/qa/back.html", ("</", "<i></i></"))
    assert "number-3" in texts(stream.next())


# ------------------------------------------------------------------------------------------- the program itself


def test_the_compilers_own_code_is_run_anew(served: Served):
    stream = served.events()
    served.edit("generator/show/preview.py", ('"""The same cards', 'def broken(:\n"""The same cards'))
    (problem,) = stream.next()["problems"]
    assert problem["place"] == "generator/show/preview.py:1"
    served.edit("generator/show/preview.py", ('def broken(:\n"""The same cards', '"""The very same cards'))
    end = time.monotonic() + LIMIT
    while True:  # the address stays; between the two processes nobody answers
        try:
            page = served.page()
        except OSError:
            page = None
        if page and page["problems"] == [] and page["live"]["at"].partition("-")[0] != stream.at.partition("-")[0]:
            break
        assert time.monotonic() < end
        time.sleep(0.05)
    served.edit(FIRST, ("The next one.", "Five."))
    assert "Five." in texts(served.events(page["live"]["at"]).next())["after-it"]


def test_ctrl_c_ends_it_with_a_word(home: Path):
    with serving(home) as served:
        stream = served.events()
        served.process.send_signal(signal.SIGINT)
        assert served.process.wait(LIMIT) == 130
        assert served.said.read_text() == "stopped\n"
        stream.close()


def test_a_port_that_is_taken(served: Served):
    port = served.url.rstrip("/").rpartition(":")[2]
    ran = subprocess.run([*served.process.args[:4], "--port", port], cwd=served.folder, capture_output=True, text=True)  # type: ignore[index,misc]
    assert ran.returncode == 1 and ran.stderr == f"port {port} is taken; --port 0 takes any free one\n"


# ------------------------------------------------------------------------------------------------------ runs


def test_an_edited_run_waits_for_its_kernel(served: Served):
    stream = served.events()
    served.edit(SECOND, ("roll: 1", "roll: 2"))
    assert stream.next()["waiting"] == {"was-drawn": ["drawn(roll=2)"]}


def test_a_note_that_comes_to_wait_is_listed_and_comes_back(served: Served):
    stream = served.events()
    served.edit(SECOND, ("Some.\n\n", ""))
    event = stream.next()
    assert "was-drawn" not in event["order"] and event["withheld"] == [{"id": "was-drawn", "place": f"{SECOND}:7", "waits": {"drawn(roll=1)": 1}}]
    served.edit(SECOND, ("[[drawn.mean]]", "Some.\n\n[[drawn.mean]]"))
    event = stream.next()
    assert event["withheld"] == [] and set(texts(event)) == {"was-drawn"} and "nothing else" not in texts(event)["was-drawn"]


def test_runs_are_executed_in_the_background(home: Path):
    with serving(home, "--run") as served:
        stream = Served.events(served, "everything")
        stream.until(lambda event: event.get("waiting") == {})
        assert "1.5" in texts(served.page())["was-drawn"]
        served.edit(SECOND, ("roll: 1", "roll: 13"))
        (failed,) = stream.until(lambda event: event.get("failed"))["failed"]
        assert failed["place"] == f"{SECOND}:4" and failed["message"] == "drawn(roll=13) failed: thirteen is never drawn"
        assert served.page()["waiting"] == {"was-drawn": ["drawn(roll=13)"]}
        served.edit(SECOND, ("roll: 13", "roll: 3"))
        assert stream.until(lambda event: event.get("waiting") == {}) and "3.5" in texts(served.page())["was-drawn"]
        assert served.page()["failed"] == []


@pytest.mark.parametrize("sign", [signal.SIGINT, signal.SIGKILL])
def test_what_is_executed_ends_with_the_server(home: Path, sign: signal.Signals):
    kernel = home / "kernels" / "library" / "area" / "drawn.py"
    mark = home / "alive"
    kernel.write_text(
        kernel.read_text().replace(
            "    if roll == 13", f"    import os, time\n    open({str(mark)!r}, 'w').write(str(os.getpid()))\n    time.sleep(600)\n    if roll == 13"
        )
    )
    with serving(home, "--run") as served:
        end = time.monotonic() + LIMIT
        while not mark.exists() or not mark.read_text():
            assert time.monotonic() < end
            time.sleep(0.05)
        assert served.page()["running"] == "drawn(roll=1)"
        served.process.send_signal(sign)
    while _alive(int(mark.read_text())):
        assert time.monotonic() < end
        time.sleep(0.05)


def _alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    state = Path(f"/proc/{process}/stat")
    return not state.exists() or ") Z " not in state.read_text()


# ------------------------------------------------------------------------------------------ what is no file of cards

BAD = {  # how it is made, where its problem stands, what is said
    "a pipe": ("one/bad.md", os.mkfifo, "this is no file that can be read"),
    "a folder": ("one/bad.md", Path.mkdir, "this is a folder and no file"),
    "a loop": ("one/bad.md", lambda path: path.symlink_to(path.name), "this is no file that can be read"),
    "a broken link": ("one/bad.md", lambda path: path.symlink_to("gone.md"), "this is no file that can be read"),
    "a device": ("one/bad.md", lambda path: path.symlink_to("/dev/zero"), "this is no file that can be read"),
    "a file of 6 MB": ("one/bad.md", lambda path: path.write_bytes(b"# a\n" * 1_500_000), "it has 6.0 MB, and at most 5 are read"),
    "headings alone": ("one/bad.md", lambda path: path.write_bytes(b"# a\n" * 900_000), "900000 lines begin with #"),
    "another text": ("one/bad.md", lambda path: path.write_bytes(b"\xff\xfea\0"), "the file is not UTF-8"),
    "a name": ("one/\udce9t\udce9.md", lambda path: path.write_bytes(b"# a {#a-b}\n\nb\n"), "cannot name a topic"),
}


def test_what_is_no_card_is_a_problem_until_it_goes(served: Served):
    """One after another, beside cards that are edited all the while."""
    before = len(served.page()["notes"])
    stream = served.events()
    for shown, (case, (name, make, says)) in enumerate(BAD.items(), 8):
        path = served.folder / "cards" / name
        make(path)
        found = stream.until(lambda event: event.get("problems"))["problems"]
        assert any(says in problem["message"] for problem in found), (case, found)
        assert len(served.page()["notes"]) == before
        served.edit(THIRD, (f"**{shown - 1}**", f"**{shown}**"))
        assert f">{shown}<" in texts(stream.until(lambda event: event["notes"]))["number-7"], case
        if path.is_dir() and not path.is_symlink():
            path.rmdir()
        else:
            path.unlink()
        assert stream.until(lambda event: "problems" in event)["problems"] == [], case
    assert "Traceback" not in served.said.read_text(encoding="utf-8")
