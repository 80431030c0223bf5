"""Kernels lie in areas, are found by name alone, and may move: nothing grows stale, nothing is lost."""

import json
import re
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from kernels import KernelError, catalogue, library
from kernels.declare import find, names
from kernels.key import code_of, files_of, reduced
from kernels.record import RECORDS, load, path_of, paths, save
from kernels.recording import verify

ROOT = Path(catalogue.__file__).parent.parent
# a subject, or what several use
AREAS = {"models", "machines", *(folder.name.replace("-", "_") for folder in (ROOT / "cards").iterdir() if folder.is_dir())}
MADE = {"kind": "simulation", "device": "CPU", "device_class": "cpu", "utc": "2026-01-01T00:00:00Z"}

SHIFTED = '''"""One and a shift."""

from kernels import kernel
from kernels.library.left.made_up_base import base
from kernels.library.left.made_up_shift import SHIFT


@kernel(kind="simulation", outputs={"out": ""})
def made_up_shifted():
    return {"out": base() + SHIFT}
'''
BASE = "def base():\n    return 1\n"
ALONE = '''"""One."""

from kernels import kernel


@kernel(kind="simulation", outputs={"out": ""})
def made_up_%s():
    return {"out": 1}
'''


@pytest.fixture
def own(shelf, tmp_path):
    """A library of one's own: `own(area, name, text)` writes a file of it and returns its path; without a text it has a kernel."""
    folder = tmp_path / "library"
    folder.mkdir()
    shelf(folder)

    def write(area, name, text=None):
        path = folder / area / f"{name}.py"
        path.parent.mkdir(exist_ok=True)
        path.write_text(ALONE % name.removeprefix("made_up_") if text is None else text, encoding="utf-8")
        return path

    return write


def test_every_kernel_lies_in_an_area_and_none_is_named_like_one():
    assert {find(name).area for name in names()} <= AREAS and not AREAS & set(names())


def test_tests_and_records_lie_in_the_area_of_their_kernel():
    tests = [(path.stem.removeprefix("test_"), path.parent.name) for path in Path(__file__).parent.glob("*/test_*.py")]
    assert len(tests) > 100
    assert [(name, area) for name, area in tests if name in names() and find(name).area != area] == []
    assert [path for path in paths(RECORDS) if path.relative_to(RECORDS).parts[0] != find(path.parent.name).area] == []


def test_a_library_may_be_flat_or_by_area_or_both(own):
    own("", "made_up_flat")
    own("left", "made_up_left")
    own("training", "made_up_more")
    own("left", "_made_up_shared", "")
    own(".checkpoints", "made_up_left", "no Python")
    own("left", "made_up_left-copy", "no Python")
    assert {"made_up_flat", "made_up_left", "made_up_more", "training_memory"} <= set(names())
    assert not {"_made_up_shared", "made_up_left-copy"} & set(names())
    assert [find(name).area for name in ("made_up_flat", "made_up_left", "made_up_more", "training_memory")] == ["", "left", "training", "training"]
    assert find("made_up_left")()["out"] == 1


def test_finding_a_kernel_loads_no_other_and_reads_the_folders_once(own, monkeypatch):
    own("left", "made_up_left")
    own("right", "made_up_broken", "def (")
    names()
    monkeypatch.setattr(Path, "glob", lambda *_: pytest.fail("the folders are read again"))
    loaded = set(sys.modules)
    assert find("made_up_left").name == "made_up_left"
    assert {name for name in set(sys.modules) - loaded if name.startswith("kernels")} == {"kernels.library.left", "kernels.library.left.made_up_left"}


def test_a_name_in_two_places_is_refused_with_both(own):
    one, other = own("left", "made_up_twice"), own("right", "made_up_twice")
    with pytest.raises(KernelError, match=f"'made_up_twice' stands for {re.escape(str(one))} and for {re.escape(str(other))}"):
        find("made_up_twice")
    assert names().count("made_up_twice") == 1


def test_a_name_of_ours_is_refused_too(own):
    own("left", "model_shape")
    with pytest.raises(KernelError, match="stands for kernels/library/models/model_shape.py and for /"):
        find("model_shape")


def test_a_new_kernel_is_found(own):
    names()
    own("left", "made_up_late")
    assert find("made_up_late").area == "left"


def test_a_moved_kernel_keeps_its_record(own, tmp_path):
    """Its text is that of before but for the areas in its imports."""
    kernel, base = own("left", "made_up_shifted", SHIFTED), own("left", "made_up_base", BASE)
    own("left", "made_up_shift", "SHIFT = 2\n")
    records = tmp_path / "records"
    before = find("made_up_shifted")
    path = save(before, replace(before(), made=MADE), records)
    code = code_of("made_up_shifted")
    assert path == records / "left" / "made_up_shifted" / "default.json"
    assert list(code) == ["library/made_up_base.py", "library/made_up_shift.py", "library/made_up_shifted.py"]

    base.unlink()
    base = own("right", "made_up_base", BASE)
    kernel.unlink()
    lines = SHIFTED.replace("left.made_up_base", "right.made_up_base").split("\n")
    lines[3:5] = sorted(lines[3:5])  # as an import sorter would
    kernel = own("middle", "made_up_shifted", "\n".join(lines))
    after = find("made_up_shifted")
    assert after.area == "middle" and code_of("made_up_shifted") == code and {kernel, base} <= set(files_of("made_up_shifted"))
    assert path_of(after, {}, None, records) == path and load(after, {}, None, records).stale == ()

    path.parent.rename(records / "made_up_shifted")  # as records of a library without areas lie
    assert load(after, {}, None, records).stale == ()
    (records / "middle").mkdir()
    (records / "made_up_shifted").rename(records / "middle" / "made_up_shifted")
    assert load(after, {}, None, records).stale == ()
    assert path_of(after, {}, None, tmp_path / "new") == tmp_path / "new" / "middle" / "made_up_shifted" / "default.json"


def test_records_of_one_kernel_in_two_folders_are_told(own, tmp_path):
    own("left", "made_up_left")
    kernel = find("made_up_left")
    path = save(kernel, replace(kernel(), made=MADE), tmp_path / "records")
    stray = tmp_path / "records" / "right" / "made_up_left" / "default.json"
    stray.parent.mkdir(parents=True)
    stray.write_bytes(path.read_bytes())
    outcome = verify(root=tmp_path / "records")
    assert [done.state for done in outcome.done] == ["agrees"]
    assert outcome.wrong == (f"{stray} lies apart from the other records of made_up_left, {path.parent} (move it there, or delete it)",)


def test_every_record_says_what_it_depends_on_without_areas():
    labels = {label for path in paths(RECORDS) for label in json.loads(path.read_text(encoding="utf-8"))["code"]}
    assert labels and {label.count("/") for label in labels if label.startswith("library/")} == {1}


@pytest.mark.parametrize(
    "source",
    [
        "from kernels.library.made_a import f, g as h\nfrom kernels.library.made_b import k",
        "from kernels.library.right.made_b import k\nfrom kernels.library.left.made_a import f, g as h  # why",
        "from kernels.library.left.made_a import (\n    f,  # one\n    g as h,\n)\n\nfrom kernels.library.right.made_b import k",
        "from .made_b import k\nfrom ..left.made_a import f, g as h",
    ],
)
@pytest.mark.parametrize(
    "frame",
    ["{}\nx = 1", "def f():\n    if x:\n        {}\n    else:\n        y = '''\nfrom kernels.library.left.made_a import f'''"],
)
def test_areas_stand_nowhere_in_the_reduced_source(own, frame, source):
    own("left", "made_a")
    own("right", "made_b")
    indent = re.search("( *){}", frame)[1]
    flat = f"from kernels.library.made_a import f, g as h\n{indent}from kernels.library.made_b import k"
    assert reduced(frame.format(source.replace("\n", f"\n{indent}")), "kernels.library.right.made_c") == frame.format(flat)


def test_modules_that_are_imported_whole_are_imported_one_by_one(own):
    own("left", "made_a")
    own("right", "made_b")
    source = "from kernels.library.right import made_b as b\nfrom kernels.library.left import made_a"
    assert reduced(source) == reduced("from kernels.library import made_a, made_b as b")
    assert reduced(source) == "from kernels.library import made_a\nfrom kernels.library import made_b as b"


def test_the_library_itself_is_no_place():
    assert library.__name__ == catalogue.LIBRARY and catalogue.place_of_module("kernels.library") is None
    assert catalogue.place_of_module("kernels.library.models.model_shape") == catalogue.place_of_module("kernels.library.model_shape")
    for name in ("kernels.library.models", "kernels.library.models.model_shape.SHAPES", "kernels.library.model_shape.SHAPES", "kernels.timing"):
        assert catalogue.place_of_module(name) is None
