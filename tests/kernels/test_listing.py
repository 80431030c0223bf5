"""`kernels list`: all kernels by area, one of them by name, or those that words find; as text and as JSON."""

import json

import pytest

from kernels.__main__ import main
from kernels.declare import names
from kernels.listing import FEW

pytestmark = pytest.mark.usefixtures("made_up")


@pytest.fixture
def listed(capsys):
    """listed(word, ...) -> exit code, standard output, standard error."""

    def run(*words):
        code = main(["list", *words])
        return (code, *capsys.readouterr())

    return run


def found(listed, *words):
    code, out, err = listed(*words, "--json")
    assert (code, err) == (0, "")
    return {kernel["name"]: kernel for kernel in json.loads(out)}


def test_as_json(listed):
    everything = found(listed)
    assert set(everything) == set(names())
    ratio = everything["made_up_ratio"]
    assert ratio["kind"] == "formula" and ratio["summary"] == "The ratio of two integers." and ratio["needs"] == []
    assert ratio["parameters"]["above"] == {"type": "int", "required": True, "unit": "", "low": -(10**15), "high": 10**15}
    assert ratio["parameters"]["exact"]["default"] is False and ratio["outputs"] == {"ratio": {"unit": "B/s"}}
    assert (ratio["area"], ratio["figure"]) == ("", False)
    assert (everything["training_memory"]["area"], everything["training_memory"]["figure"]) == ("training", True)
    assert everything["made_up_trouble"]["parameters"]["how"]["choices"][0] == "none"
    assert everything["made_up_speed"]["needs"] == ["a GPU", "torch"]
    assert everything["made_up_speed"]["outputs"]["sweep"] == {"x": "rows", "unit": "B/s", "x_unit": ""}


def test_one_by_its_name(listed):
    code, out, _ = listed("made_up_ratio")
    assert code == 0 and out.splitlines() == [
        "made_up_ratio  (formula)",
        "  The ratio of two integers.",
        "  in   above  int -1e+15 to 1e+15",
        "  in   below  int -1e+15 to 1e+15 = 1",
        "  in   exact  bool = false",
        "  out  ratio  B/s",
    ]
    assert listed("training_memory")[1].startswith("training_memory  (formula, figure)\n")
    assert listed("made_up_speed")[1].startswith("made_up_speed  (measurement, needs a GPU, torch)\n")


def test_many_are_listed_in_brief_by_area(listed, monkeypatch):
    monkeypatch.delenv("COLUMNS", raising=False)
    code, out, err = listed()
    lines = out.splitlines()
    assert (code, err) == (0, "") and len(lines) < 2 * len(names()) + 60
    expected = ("in no area", "made_up_ratio  (formula)", "inference", "models", "model_shape  (formula, figure)", "training")
    at = [lines.index(line) for line in expected]
    assert at == sorted(at) and lines[at[1] + 1] == "  The ratio of two integers." and not any(line.startswith("  in ") for line in lines)
    assert lines[-1].startswith(f"{len(names())} kernels; `list WORD ...`")
    monkeypatch.setenv("COLUMNS", "60")
    assert all(len(line) <= 60 for line in listed()[1].splitlines()[:-1])


def test_few_are_listed_whole_by_area(listed):
    code, out, _ = listed("made_up", "of two")
    assert code == 0 and out.startswith("in no area\n\nmade_up_ratio  (formula)\n  The ratio of two integers.\n  in   above  int -1e+15 to 1e+15\n")
    assert 1 < len(found(listed, "made_up")) <= FEW and "  in   rows    int -1e+15 to 1e+15 = 8192" in listed("made_up")[1]


@pytest.mark.parametrize(
    "words",
    [
        ["MADE_UP", "Integers"],  # name and summary, whatever their case
        ["made_up ratio"],  # two words in one argument
        ["below", "above", "integers"],  # parameters
        ["made_up", "formula"],  # kind
    ],
)
def test_all_words_must_match(listed, words):
    assert list(found(listed, *words)) == ["made_up_ratio"]


def test_areas_choices_and_outputs_are_searched(listed):
    assert set(found(listed, "retrieval")) >= {"vector_memory"}
    assert set(found(listed, "mixtral-8x7b")) >= {"model_shape", "kv_cache"} and "training_memory" not in found(listed, "mixtral-8x7b")
    assert set(found(listed, "ridge")) >= {"roofline"}


def test_no_match_names_the_nearest(listed):
    for words, near in ((["made_up_ration"], "did you mean 'made_up_ratio'"), (["training", "memry"], "did you mean 'training_memory'")):
        code, out, err = listed(*words)
        assert (code, out) == (2, "") and err.startswith(f"error: no kernel has {' and '.join(map(repr, words))} in its name") and near in err
    assert listed("no", "such", "thing", "--json")[:2] == (2, "[]\n")


def test_what_cannot_be_imported_is_told_beside_the_rest(listed, shelf, tmp_path):
    (tmp_path / "made_up_broken.py").write_text("import no_such_package\n")
    shelf(tmp_path)
    code, out, err = listed()
    assert code == 2 and "training_memory  (formula, figure)" in out
    assert "made_up_broken.py cannot be imported: it needs no_such_package, which is not installed here: pip install no_such_package" in err
    assert listed("made_up_ratio")[0] == 0 and listed("made_up_broken")[:2] == (2, "")
