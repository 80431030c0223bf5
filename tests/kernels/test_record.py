"""How records are named, keyed, written and read, and when they are stale."""

import json
import os
import random
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from damage import mangled

from kernels import KernelError, kernel, key
from kernels.declare import find
from kernels.key import code_of, key_of, reduced
from kernels.record import Curve, Number, Result, case_name, from_json, load, path_of, paths, read, save, sealed, to_json

MADE = {"kind": "simulation", "device": "CPU", "device_class": "cpu", "utc": "2026-01-01T00:00:00Z"}


@kernel(kind="formula", outputs={"out": ""})
def many(n: int, rate: float = 0.5, model: str = "gpt2", exact: bool = False, B: int = 1):
    return {"out": n}


def case(**given):
    return case_name(many, many.bind(given))


def test_a_case_is_named_by_what_differs_from_the_defaults():
    assert case(n=70e9) == "n=70000000000"
    assert case(n=1, rate=0.5, model="gpt2", exact=False) == "n=1"
    assert case(rate=1e12, n=1) == "n=1,rate=1e+12"
    assert case(n=1, rate=1 / 3) == "n=1,rate=0.3333333333333333"
    assert case(n=1, exact=True, model="qwen2.5-7b") == "exact=true,model=qwen2.5-7b,n=1"

    @kernel(kind="formula", outputs={"out": ""})
    def none(n: int = 1):
        return {"out": n}

    assert case_name(none, none.bind({})) == "default"


def test_names_that_not_every_file_system_keeps_apart_are_hashed():
    long = [case(n=1, model="x" * 90 + end) for end in "ab"]
    shouted = [case(n=1, model=model) for model in ("llama", "Llama", "LLAMA", "ll/ama", "../llama", "ll ama", "llämä", "a,n=2", "a@h100", "a~b")]
    upper = [case(n=1, B=2), case(n=1, B=3)]
    for name in (*long, *shouted[1:], *upper):
        assert len(name) <= 80 and name[-9] == "~" and set(name) <= set("abcdefghijklmnopqrstuvwxyz0123456789._+-=,~")
    names = [*long, *shouted, *upper]
    assert len({n.lower() for n in names}) == len(names)
    assert long[0] == case(n=1, model="x" * 90 + "a")


def test_a_measurement_is_one_devices(made_up, tmp_path):
    speed, drift = find("made_up_speed"), find("made_up_drift")
    assert path_of(speed, {"rows": 1}, "h100", tmp_path) == tmp_path / "made_up_speed" / "rows=1@h100.json"
    assert path_of(drift, drift.bind({}), "h100", tmp_path).name == "default.json"
    with pytest.raises(ValueError, match="name its class"):
        path_of(speed, {"rows": 1}, None)


def test_spreads_curves_and_exact_integers_survive_a_record(made_up, tmp_path):
    speed = find("made_up_speed")
    result = replace(speed(rows=4), made={**MADE, "kind": "measurement", "device_class": "h100"})
    path = save(speed, result, tmp_path)
    assert path.read_text(encoding="utf-8").endswith("}\n") and list(tmp_path.glob("*/*")) == [path]
    back = load(speed, {"rows": 4}, "h100", tmp_path)
    assert back == result and isinstance(back.outputs["sweep"], Curve)
    assert path.read_bytes() == save(speed, back, tmp_path).read_bytes()
    assert load(speed, {"rows": 4}, "h200", tmp_path) is None
    assert list(back.outputs) == list(speed.outputs) and list(back.outputs["sweep"].lines) == ["plain", "fused"]

    big = Result("many", "formula", {"n": 2**60 + 1}, {"out": Number(2**60 + 1)}, {**MADE, "kind": "formula"})
    assert from_json(json.loads(json.dumps(to_json(big, {})))) == big


def test_what_is_no_record_is_an_error_with_its_path(made_up, tmp_path):
    drift = find("made_up_drift")
    path = save(drift, replace(drift(), made=MADE), tmp_path)
    good = json.loads(path.read_text(encoding="utf-8"))
    bad = ["<<<<<<< HEAD\n", "", "[]", "null", "[" * 100_000, *(json.dumps({k: v for k, v in good.items() if k != name}) for name in good)]
    bad += [json.dumps({**good, "outputs": {"value": 1}}), json.dumps({**good, "outputs": {"value": {"valeu": 1}}})]
    bad += [json.dumps(sealed({**good, name: None})) for name in ("parameters", "outputs", "series", "made")]
    for content in bad:
        path.write_text(content, encoding="utf-8")
        for way in (lambda: read(path), lambda: load(drift, drift.bind({}), None, tmp_path)):
            with pytest.raises(KernelError, match=r"default\.json:1: this is not a record as it was written"):
                way()


HANDS = {  # a hand in a record, what is said of it, and the line
    "a number": ('"value": 1.0', '"value": 1.5', "its outputs changed", '"outputs"'),
    "how it was made": ('"device": "CPU"', '"device": "GPU"', "its made changed", '"made"'),
    "a parameter": ('"scale": 1.0', '"scale": 1.5', "its parameters changed", '"parameters"'),
    "a unit": ('"unit": ""', '"unit": "B"', "its outputs changed", '"outputs"'),
    "its digest": ('"digest": "', '"digest": "0', "its digest changed", ""),
    "infinity": ('"value": 1.0', '"value": 1e999', "its outputs changed", '"outputs"'),
    "another form": ('"outputs": {', '"outputs": [], "was": {', "its outputs and was changed", '"outputs"'),
    "no JSON": ('"outputs": {', '"outputs": {,', "it is no JSON", '"outputs"'),
    "a part gone": ('"outputs"', '"inputs"', "its outputs and inputs changed", ""),
}


@pytest.mark.parametrize("hand", HANDS)
def test_what_a_hand_wrote_into_a_record_is_told(hand, made_up, tmp_path):
    drift = find("made_up_drift")
    path = save(drift, replace(drift(), made=MADE), tmp_path)
    old, new, said, line = HANDS[hand]
    text = path.read_text(encoding="utf-8")
    assert old in text, text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(KernelError) as error:
        load(drift, drift.bind({}), None, tmp_path)
    number = text[: text.index(line)].count("\n") + 1
    assert re.match(rf"{re.escape(str(path))}:{number}: this is not a record as it was written: {said}.*run make records", str(error.value))


def test_any_damage_to_a_record_is_told_or_changes_nothing(made_up, tmp_path):
    """Bits, bytes and stretches, in records of each form."""
    chance = random.Random(12)
    speed, drift = find("made_up_speed"), find("made_up_drift")
    measured = {**MADE, "kind": "measurement", "device_class": "h100"}
    for path in (save(speed, replace(speed(rows=4), made=measured), tmp_path), save(drift, replace(drift(), made=MADE), tmp_path)):
        good, content = read(path), path.read_bytes()
        for _ in range(1000):
            path.write_bytes(mangled(content, chance))
            try:
                assert repr(read(path)) == repr(good)
            except KernelError as error:
                assert re.match(rf"{re.escape(str(path))}:\d+: ", str(error))


def test_a_record_that_is_only_laid_out_anew_is_the_same(made_up, tmp_path):
    drift = find("made_up_drift")
    path = save(drift, replace(drift(), made=MADE), tmp_path)
    good, text = read(path), path.read_text(encoding="utf-8")
    for anew in (text.replace("\n", "\r\n"), json.dumps(json.loads(text)), json.dumps(json.loads(text), indent=4), text + "\n"):
        path.write_bytes(anew.encode())
        assert read(path) == good


def test_a_record_is_whole_or_absent(made_up, tmp_path):
    drift = find("made_up_drift")
    broken = replace(drift(), made={**MADE, "seconds": float("nan")})
    with pytest.raises(ValueError):
        save(drift, broken, tmp_path)
    assert not list(tmp_path.glob("*/*"))


SOURCE = '''"""Module docstring."""
from typing import Annotated  # a comment
from kernels import Bound, Series, kernel
from kernels.library.%(other)s import FACTOR


CONSTANT = 2


@kernel(kind="simulation", outputs={"out": ""}, tolerance=1e-6)
def %(name)s(x: int = 3):
    """What it is.

    # no comment
    """
    text = """#define N 8  \n\n    # kept"""
    # gone
    return {"out": x * CONSTANT * FACTOR * len(text + f"""{x}
    # kept too  """)}


@%(name)s.figure
def draw(result, ax):
    """Nothing."""
    from kernels import plot
    from kernels.library import made_up_drawn

    plot.bars(ax, {"a": 1}, unit="")
'''
NAMES = {"name": "made_up_keyed", "other": "made_up_other"}


@pytest.fixture
def keyed(shelf, tmp_path):
    """Gives the code of a kernel after edits to its file: `keyed(("old", "new"), ...)`."""

    def code(*edits, other="FACTOR = 5\n"):
        text = SOURCE % NAMES
        for old, new in edits:
            assert old in text
            text = text.replace(old, new)
        (tmp_path / "made_up_keyed.py").write_text(text, encoding="utf-8")
        (tmp_path / "made_up_other.py").write_text(other, encoding="utf-8")
        return code_of("made_up_keyed")

    (tmp_path / "made_up_drawn.py").write_text("", encoding="utf-8")
    shelf(tmp_path)
    return code


def test_the_code_is_the_kernels_file_and_what_it_imports(keyed):
    assert list(keyed()) == ["library/made_up_keyed.py", "library/made_up_other.py"]
    relative = keyed(("from kernels.library.made_up_other", "from .made_up_other"))
    assert list(relative) == list(keyed())
    timed = keyed(("    # gone", "    from kernels import timing"))
    assert {"library/made_up_keyed.py", "timing.py"} <= set(timed)
    assert list(keyed(other="FACTOR = 5\nimport kernels.library.made_up_drawn, kernels.plot\n")) == [
        "library/made_up_drawn.py",
        "library/made_up_keyed.py",
        "library/made_up_other.py",
    ]


@pytest.mark.parametrize(
    "edit",
    [
        ("# a comment", "# another, longer comment"),
        ("  # a comment", ""),
        ("    # gone\n", "\n\n"),
        ("CONSTANT = 2\n", "\n\nCONSTANT = 2   \n\n# why two\n"),
        ("Module docstring.", "Another\nmodule docstring äöü # 3."),
        ("What it is.", "What else."),
        ("Nothing.", "Anything."),
        ('plot.bars(ax, {"a": 1}, unit="")', "plot.hline(ax, 3, 'x')"),
        ("def draw(result, ax)", "def picture(result, ax, size=3)"),
        ("\n", "\r\n"),
    ],
)
def test_words_and_figures_do_not_change_the_key(keyed, edit):
    before = keyed()
    assert keyed(edit) == before


@pytest.mark.parametrize(
    "edit",
    [
        ("CONSTANT = 2", "CONSTANT = 3"),
        ("x: int = 3", "x: int = 4"),
        ("1e-6", "1e-5"),
        ('{"out": ""}', '{"out": "B"}'),
        ("#define N 8", "#define N 9"),
        ("#define N 8  ", "#define N 8 "),
        ("    # kept", "    # kept as it is"),
        ("# kept too  ", "# kept too"),
        ("len(text", "len(f'#{1}' + text"),
    ],
)
def test_what_numbers_depend_on_changes_the_key(keyed, edit):
    before = keyed()
    assert keyed(edit)["library/made_up_keyed.py"] != before["library/made_up_keyed.py"]
    assert keyed(edit)["library/made_up_other.py"] == before["library/made_up_other.py"]


def test_a_changed_import_changes_the_key(keyed):
    before = keyed()
    after = keyed(other="FACTOR = 6\n")
    assert [name for name in after if after[name] != before[name]] == ["library/made_up_other.py"]


def test_the_key_takes_equal_parameters_in_any_order():
    assert key_of("k", {"a": 1, "b": 2.0}, {}) == key_of("k", {"b": 2.0, "a": 1}, {})
    assert len({key_of("k", {"a": 1}, {}), key_of("j", {"a": 1}, {}), key_of("k", {"a": 2}, {}), key_of("k", {"a": 1}, {"f": "1"})}) == 4


@pytest.mark.parametrize(
    ("source", "rest"),
    [
        ('def f(): "doc"; return 1\n', "def f(): ; return 1"),
        ('def f():\n    """doc"""; x = "é#"  # c\n    return x\n', 'def f():\n    ; x = "é#"\n    return x'),
        ("x = 'a\\'#b' + r'\\' # c'  # d\n", "x = 'a\\'#b' + r'\\' # c'"),
        ('x = "" + \'"\' + "\'"  # c\n', 'x = "" + \'"\' + "\'"'),
        ("x = '''a'b\n#''' '#'  # c\n", "x = '''a'b\n#''' '#'"),
        ("x = 1 \\\n  + 2\n", "x = 1 \\\n  + 2"),
        ('async def f():\n    "doc"\nclass C:\n    """doc"""\n    y = 1', "async def f():\nclass C:\n    y = 1"),
        ("", ""),
    ],
)
def test_reduced(source, rest):
    assert reduced(source) == rest


def other_pythons():
    folders = [*os.environ.get("PATH", "").split(os.pathsep), *map(str, Path.home().glob(".pyenv/versions/3.*/bin"))]
    for minor in (10, 11, 12, 13):
        found = (Path(folder, f"python3.{minor}") for folder in folders if "shims" not in folder)
        path = next((path for path in found if path.exists()), None)
        if path and (3, minor) != sys.version_info[:2]:
            yield str(path)


def test_the_key_is_the_same_under_every_python():
    pythons = list(other_pythons())
    if not pythons:
        pytest.skip("no other Python from 3.10 to 3.13 is installed here")
    program = (
        "import json, sys; from kernels.declare import names; from kernels.key import code_of; print(json.dumps({n: code_of(n) for n in names()}))"
    )
    root = Path(key.__file__).parent.parent
    from kernels.declare import names

    here = {name: code_of(name) for name in names()}
    for python in pythons:
        ran = subprocess.run([python, "-B", "-c", program], cwd=root, capture_output=True, text=True, check=True)
        assert json.loads(ran.stdout) == here, python


def test_staleness_says_why(made_up, tmp_path, monkeypatch):
    drift = find("made_up_drift")
    parameters = drift.bind({})
    path = save(drift, replace(drift(), made=MADE), tmp_path)
    content = json.loads(path.read_text(encoding="utf-8"))

    def stale(**changes):
        path.write_text(json.dumps(sealed({**content, **changes})), encoding="utf-8")
        return load(drift, parameters, None, tmp_path).stale

    file = "library/made_up_drift.py"
    assert stale() == ()
    assert stale(code={file: "0"}) == (f"{file} changed",)
    assert stale(code={"timing.py": "0"}) == (f"{file} is new", "timing.py is gone")
    assert stale(parameters={**parameters, "scale": 2.0}) == ("parameters or defaults changed",)
    assert stale(schema=0) == (f"record schema 0, now {key.SCHEMA}",)
    assert stale(key="0" * 16) == ("its key does not fit its content",)
    assert load(drift, parameters, None, tmp_path).parameters == parameters


def test_the_code_of_the_beginning_counts(made_up, tmp_path):
    drift = find("made_up_drift")
    save(drift, replace(drift(), made=MADE), tmp_path, code={"library/made_up_drift.py": "as it was"})
    assert load(drift, drift.bind({}), None, tmp_path).stale == ("library/made_up_drift.py changed",)


def test_every_record_in_git_is_a_readable_one_of_a_kernel():
    from kernels.record import RECORDS

    for path in paths(RECORDS):
        result = from_json(read(path))
        found = find(result.kernel)
        assert path_of(found, found.bind(result.parameters), result.made["device_class"]) == path
        assert set(result.outputs) == set(found.outputs), path
