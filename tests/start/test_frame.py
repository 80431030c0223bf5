"""`new`: frames of notes, in files that are there and that are not, and what check then asks for."""

from __future__ import annotations

import re

import pytest
from workshop import Workshop

from generator.read import yaml

RUN = "kernel: training_memory"
NONE = "# What is it? {#it}\n\nThis.\n"
# Front matter in every shape, and what stands in it of the new run: its first line, and the file's first line behind the front matter.
FRONTS = {
    "none": ("", f"runs:\n  training_memory:\n    {RUN}\n"),
    "no runs": ("---\ntags: [memory]\n---\n\n", f"tags: [memory]\nruns:\n  training_memory:\n    {RUN}\n"),
    "empty runs": ("---\nruns:\ntags: [memory]\n---\n\n", f"runs:\n  training_memory:\n    {RUN}\n"),
    "empty braces": ("---\nruns: {}  # none yet\n---\n\n", f"runs: {{training_memory: {{{RUN}, parameters: null, "),
    "braces": ("---\nruns: {a: {kernel: b}}\n---\n\n", f"runs: {{a: {{kernel: b}}, training_memory: {{{RUN}, parameters: null, "),
    "braces on lines": ("---\nruns: {\n  a: {kernel: b}\n}\n---\n\n", f"runs: {{\n  a: {{kernel: b}}\n, training_memory: {{{RUN}"),
    "a line each": ("---\nruns:\n  a: {kernel: b}  # one\n  # and\n---\n\n", f"runs:\n  a: {{kernel: b}}  # one\n  training_memory:\n    {RUN}\n"),
    "four blanks": ("---\nruns:\n    a:\n        kernel: b\ntags: [memory]\n---\n\n", f"        kernel: b\n    training_memory:\n      {RUN}\n"),
    "taken": ("---\nruns:\n  training_memory: {kernel: training_memory}\n---\n\n", f"  training_memory_2:\n    {RUN}\n"),
}


@pytest.mark.parametrize("name", FRONTS)
def test_a_run_joins_those_that_are_there(name: str, shop: Workshop):
    before, stands = FRONTS[name]
    path = shop.folder / "cards/training/new.md"
    path.write_text(before + NONE, encoding="utf-8")
    done = shop.run("new", "new/its-size", "--type", "numeric", "--kernel", "training_memory")
    assert done.status == 0, done.err
    text = path.read_text(encoding="utf-8")
    matter, rest = re.fullmatch(r"---\n(.*?)^---\n(.*)", text, re.DOTALL | re.MULTILINE).groups()  # type: ignore[union-attr]
    assert stands in matter, matter
    yaml.load(matter, "new.md")
    assert "{" in before or all(line in text.split("\n") for line in before.split("\n"))  # every line as it was
    assert rest.startswith(f"\n{NONE}\n# {{#its-size .numeric}}\n\n<!-- Given -->\n\n## Answer\n\n[[training_memory")
    assert text.split("\n")[int(done.out.split(":")[1]) - 1] == "# {#its-size .numeric}"


def test_a_topic_that_is_not_there_is_made(shop: Workshop):
    done = shop.run("new", "serving/pages/page-size")
    assert (done.status, done.out) == (0, "cards/serving/pages.md:1: page-size\n")
    assert (shop.folder / "cards/serving/pages.md").read_text(encoding="utf-8") == "# {#page-size}\n\n<!-- Answer -->\n"


@pytest.mark.parametrize("type", ["qa", "trap", "numeric", "choice", "sketch", "cloze", "occlusion"])
def test_check_asks_for_what_the_frame_leaves_open(type: str, shop: Workshop):
    assert shop.run("new", "memory/new-one", "--type", type, "--kernel", "training_memory").status == 0
    done = shop.run("check")
    assert done.status == 1 and "a note without a front (write the question behind the #)" in done.err
    assert "the parameter 'parameters' must be a single value, but is empty" in done.err
    assert all(line.startswith("cards/training/memory.md:") for line in done.err.splitlines()[:-1]), done.err


def test_a_finished_frame_is_a_note(shop: Workshop):
    shop.run("new", "training/frames/adam-13b", "--type", "numeric", "--kernel", "training_memory")
    shop.edit("training/frames.md", ("parameters:  #", "parameters: 13e9  #"), ("# {#", "# What do bf16 weights take at 13B, in B, three digits? {#"))
    shop.edit("training/frames.md", ("<!-- Given -->", "Everything is held."), ("<!-- Working -->", "Two bytes each."))
    done = shop.run("check")
    assert done.status == 0 and "10 notes" in done.out, done.err


WRONG = [
    (("memory/adam-bytes",), "cards:1: the id 'adam-bytes' is taken (by the note at cards/training/memory.md:"),
    (("memory/Adam",), "the id 'Adam' is malformed"),
    (("adam",), "cannot name a topic"),
    (("a/b/c/d",), "'a/b' cannot name a topic"),
    (("training/Memory/x-y",), "'Memory' cannot name a topic"),
    (("memory/x-y", "--type", "numerc"), "unknown note type 'numerc' (did you mean numeric?"),
    (("memory/x-y", "--kernel", "training_memry"), "unknown kernel 'training_memry' (did you mean 'training_memory'"),
]


@pytest.mark.parametrize(("words", "said"), WRONG)
def test_what_is_wrong_writes_nothing(words: tuple[str, ...], said: str, shop: Workshop):
    before = {path: path.read_bytes() for path in (shop.folder / "cards").rglob("*") if path.is_file()}
    done = shop.run("new", *words)
    assert done.status == 1 and said in done.err, done.err
    assert {path: path.read_bytes() for path in (shop.folder / "cards").rglob("*") if path.is_file()} == before


def test_an_id_of_the_lock_is_taken_for_ever(shop: Workshop):
    shop.edit("serving/cache.md", ("{#paging}", "{#paging-two}"))
    done = shop.run("new", "memory/paging")
    assert done.status == 1 and "the id 'paging' is taken (by a note that cards/deck.lock knows)" in done.err


def test_a_topic_that_is_two_files_needs_its_folder(shop: Workshop):
    (shop.folder / "cards/serving/memory.md").write_text(NONE, encoding="utf-8")
    done = shop.run("new", "memory/x-y")
    assert done.status == 1 and "the topic 'memory' is cards/training/memory.md and cards/serving/memory.md" in done.err.replace(
        "cards/serving/memory.md and cards/training/memory.md", "cards/training/memory.md and cards/serving/memory.md"
    )
    assert shop.run("new", "serving/memory/x-y").status == 0
