"""References, figures, numeric answers and claims: cases in tests/resolve/*.yml, over four small kernels declared here."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated

import pytest
import yaml
from near import near
from workshop import ROOT

from generator.notes import Claim, Note, Run, Text
from generator.problems import Place, Problem
from generator.resolve.note import resolve, used
from generator.resolve.typed_numbers import typed_numbers
from kernels import Bound, Series, Spread, declare, kernel, remote
from kernels.record import Result

CASES = {path.stem: yaml.safe_load(path.read_text(encoding="utf-8")) for path in sorted(Path(__file__).parent.glob("*.yml"))}


@kernel(kind="formula", outputs={"count": "", "weights": "B", "total": "B"})
def memory(parameters: int, dtype: str = "bf16", fused: bool = False):
    """Weights and all of training."""
    return {"count": parameters, "weights": 2 * parameters, "total": 16 * parameters}


@kernel(kind="measurement", outputs={"rate": "B/s", "share": "", "sweep": Series("columns", "B/s")})
def speed(rows: int = 8192):
    """One line over three sizes."""
    sweep = {"columns": [4096, 8192, 16384], "fused": [1e12, 2e12, 2.5e12]}
    return {"rate": Spread(2.712e12, 2.691e12, 2.7333e12), "share": 0.9, "sweep": sweep}


@kernel(kind="simulation", outputs={"times": Series("batch", "s")})
def times(seed: int = 0):
    """Several lines, with gaps."""
    return {"times": {"batch": [1, 2], "eager": [0.004, 0.005], "gap": [None, 0.006], "void": [None, None], "a]]b|c": [0.005, 0.007]}}


@kernel(kind="formula", outputs={"one": ""})
def bare(dtype: str = "nf4_dq", size: Annotated[int, Bound(unit="B")] = 8 * 10**9):
    """A kernel without a figure."""
    return {"one": 1}


@kernel(kind="formula", outputs={"layers": ""})
def clash(layers: int = 1):
    """An output and a parameter of one name."""
    return {"layers": 10 * layers}


memory.figure(lambda result, ax, measured=None: None)
for drawn in (speed, times):
    drawn.figure(lambda result, ax: None)
KERNELS = {k.name: k for k in (memory, speed, times, bare, clash)}
ALIASES = {"full": memory, "gpu": speed, "cold": speed, "several": times, "plain": bare}
GIVEN = {"full": {"parameters": 70e9}}
PLACE = Place("cards/x.md", 10)


@pytest.fixture(autouse=True)
def library(monkeypatch):
    monkeypatch.setattr(remote, "find", near(KERNELS))


def run(alias: str, of: declare.Kernel) -> Run:
    return Run(alias, of.name, of.bind(GIVEN.get(alias, {})), Place("cards/x.md", 3))


def find(wanted: Run) -> Result | None:
    made = {"device_class": "h100"} if wanted.kernel == "speed" else {}
    if wanted.alias == "cold":
        return None
    result = KERNELS[wanted.kernel](**wanted.parameters)
    return Result(result.kernel, result.kind, result.parameters, result.outputs, made)


def note(fields: dict[str, str], *, type: str = "qa", claims: tuple[Claim, ...] = (), aliases=ALIASES) -> Note:
    runs = {alias: run(alias, of) for alias, of in aliases.items()}
    texts = {name: Text(text, Place("cards/x.md", 10 if name == "Answer" else 5)) for name, text in fields.items()}
    asked = ("Front", "Given") if type in ("numeric", "choice") else ("Front",)
    return Note("x", type, "gpu", "x", (), texts, runs, claims, (), Place("cards/x.md", 4), Path("cards"), asked=asked)


def lines(problems: list[Problem]) -> list[str]:
    return [str(p).removeprefix("cards/x.md:") for p in sorted(problems)]


@pytest.mark.parametrize("case", CASES["references"], ids=lambda c: c["text"][:60])
def test_reference(case):
    problems: list[Problem] = []
    resolved = resolve(note({"Answer": case["text"]}), find, problems)
    assert lines(problems) == case.get("problems", [])
    if "problems" in case:
        assert resolved is None
        return
    text = resolved.fields["Answer"]
    assert (re.sub(r'<span class="num">(.*?)</span>', r"\1", text) if case.get("bare") else text) == case["becomes"]
    assert list(resolved.waits) == case.get("missing", [])
    assert text.count("\n") == case["text"].count("\n")


@pytest.mark.parametrize("case", CASES["claims"], ids=lambda c: str(c["claim"]))
def test_claim(case):
    given = {"note": "x", "source": None, "says": "it is so", "value": None, "computed": None, "holds": None, "tolerance": 0.05, "under": None}
    given.update(case["claim"])
    if "says" not in case["claim"]:
        given["says"] = f"it is {given['value'] or given['holds']}"
    claim = Claim(**{**given, "under": tuple(given["under"]) if given["under"] else None}, place=PLACE)
    problems: list[Problem] = []
    notices: list[Problem] = []
    resolved = resolve(note({"Answer": "so"}, claims=(claim,)), find, problems, notices)
    assert lines(problems) == [f"10: {p}" for p in case.get("problems", [])]
    assert lines(notices) == [f"10: {n}" for n in case.get("notices", [])]
    if "judged" in case:
        (judged,) = resolved.claims
        assert [judged.verdict, judged.shown, judged.factor] == case["judged"]


@pytest.mark.parametrize("case", CASES["numeric"], ids=lambda c: c["answer"][:50])
def test_numeric(case):
    problems: list[Problem] = []
    fields = {
        "Front": case["front"],
        "Given": case.get("given", ""),
        "Answer": case["answer"],
        "Working": "[[full.total | GB]] [[full.weights | GB]]",
    }
    resolved = resolve(note(fields, type="numeric"), find, problems)
    assert lines(problems) == case.get("problems", [])
    assert (resolved and resolved.expected) == case.get("expected")


@pytest.mark.parametrize("case", CASES["choice"], ids=lambda c: str(c.get("case")))
def test_choice(case):
    problems: list[Problem] = []
    fields = {"Front": case.get("front", "How much do 70B parameters take?"), "Given": "bf16.", "Answer": case.get("answer", "[[full.total | GB]]")}
    resolved = resolve(note({**fields, "Mistakes": case["mistakes"]}, type="choice"), find, problems)
    assert lines(problems) == case.get("problems", [])
    offered = (
        [[re.sub("<[^<>]*>|&#8239;", "", option.value), option.mistake and option.mistake.text] for option in resolved.options] if resolved else None
    )
    assert offered == case.get("options")
    assert (resolved.withheld if resolved else False) == case.get("withheld", False)


@pytest.mark.parametrize("case", CASES["typed"], ids=lambda c: c["text"][:50])
def test_typed_number(case):
    assert [str(p) for p in typed_numbers(note({case.get("field", "Answer"): case["text"]}))] == [
        f"cards/x.md:{line}: a number typed by hand: {number} (let a run make it, or name its source on the line)" for line, number in case["found"]
    ]


def test_only_what_a_note_names_is_asked_for():
    claim = Claim("x", None, "1 GB", "1 GB", "full.total", None, 0.05, "misleading", ("then", "plain.one == 1"), PLACE)
    asked: list[str] = []

    def asking(wanted: Run) -> Result | None:
        asked.append(wanted.alias)
        return find(wanted)

    written = note({"Front": "![[gpu]]", "Answer": "`[[several.times]]` [['cold' if 1 > 2 else 'x']]"}, claims=(claim,))
    assert used(written) == ("full", "gpu", "plain")
    resolved = resolve(written, asking, [])
    assert asked == ["full", "gpu", "plain"]
    assert sorted(resolved.results) == asked
    assert resolved.device == "h100"
    assert resolved.expected is None


def test_values_are_kept_in_base_units():
    resolved = resolve(
        note({"Answer": "[[full.total|GB]] [[gpu.rate | TB/s]] [[full.dtype]]\n\n[[cold.rate | TB/s]] [[full.weights | GB]]"}), find, []
    )
    kept = {reference: (v.value, v.unit) for reference, v in resolved.values.items()}
    assert kept == {"full.total | GB": (1120 * 10**9, "B"), "gpu.rate | TB/s": (2.712e12, "B/s")}


def test_an_output_hides_a_parameter_of_its_name():
    resolved = resolve(note({"Answer": "[[c.layers]] of [[c.parameters.layers]]"}, aliases={"c": clash}), find, [])
    assert resolved.fields["Answer"] == '<span class="num">10</span> of <span class="num">1</span>'


def test_a_run_hides_a_unit_of_its_name():
    resolved = resolve(note({"Answer": "[[s.one]] [[2 * ms | ms]]"}, aliases={"s": bare}), find, [])
    assert resolved.fields["Answer"] == '<span class="num">1</span> <span class="num">2&#8239;ms</span>'


@pytest.mark.parametrize("text", ["[[" + "(" * 150 + "1" + ")" * 150 + "]]", "[[" + "1 + " * 500 + "1]]", "[[" + "-" * 390 + "1]]"])
def test_monstrous_expressions_are_problems(text):
    problems: list[Problem] = []
    resolve(note({"Answer": text}), find, problems)
    assert len(problems) <= 1


def test_an_unclosed_fence_is_a_problem():
    problems: list[Problem] = []
    assert resolve(note({"Answer": "a\n```\nb"}), find, problems) is None
    assert problems[0].place.line == 11


def test_jinja_is_not_loaded_to_find_what_a_note_uses():
    import subprocess
    import sys

    heavy = "{'jinja2', 'torch', 'yaml', 'numpy'}"
    code = f"import sys, generator.resolve.results, generator.resolve.typed_numbers; sys.exit(bool({heavy} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT).returncode == 0


@pytest.mark.parametrize("case", CASES["withheld"], ids=lambda c: c["text"][:60])
def test_what_is_not_measured_is_left_out(case):
    problems: list[Problem] = []
    text = case["text"].replace("??", "[[cold.rate | TB/s]]")
    resolved = resolve(note({"Answer": text}), find, problems)
    assert resolved is not None and problems == []
    left = resolved.fields.get("Answer", "")
    assert not left or left.count("\n") == text.count("\n")  # each line where it was
    assert re.sub(r"<!--.*?-->", "", left, flags=re.DOTALL) == case["becomes"]
    gone = [f"{block.place.line - 9}: {block.text}" for block in resolved.left_out.get("Answer", ())]
    assert [block.replace("\ue000figure:cold\ue001", "FIGURE") for block in gone] == case.get("goes", [])
    assert resolved.withheld == case.get("waits", False)
    assert resolved.measured == (("cold",) if resolved.withheld else ())
