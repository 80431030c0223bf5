"""What a front says, and which parameters an answer rests on."""

from __future__ import annotations

from typing import Annotated, Literal

import pytest
from near import near

from generator.notes import Run
from generator.problems import Place
from generator.resolve import premises as module
from generator.resolve.expression import Scope
from generator.resolve.formats import parse_format, written
from generator.resolve.premises import plain, premises, says
from kernels import Bound, KernelError, kernel, remote


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("a 70B model", 70e9),
        ("70 billion parameters", 70_000_000_000),
        ("7e10 of them", 70e9),
        ("$7\\times10^{10}$ weights", 70e9),
        ("3.35&#8239;TB/s".replace("&#8239;", "\u202f"), 3.35e12),
        ("989 TFLOP/s", 989e12),
        ("at 4,096 tokens", 4096),
        ("an 8K context", 8192),
        ("an 8k context", 8000),
        ("eight GPUs", 8),
        ("twelve hundred steps", 1200),
        ("a dozen", 12),
        ("15 % of the tokens", 0.15),
        ("a third of them", 1 / 3),
        ("one of 64", 64),
        ("4-bit weights", 4),
        ("in 16 bits", 16),
        ("an 80 GB card", 80 * 10**9),
        ("24 GiB", 24 * 2**30),
        ("5 ms", 0.005),
        ("a stone of 500 g", 0.5),
        ("at 20 °C", 293.15),
        ("at 90 km/h", 25.0),
        ("under 9.81 m/s²", 9.81),
        ("2 cm^2 of copper", 2e-4),
        ("4.7 kΩ", 4700.0),
        ("for 12 EUR", 12),
        ("Llama 2 70B in bf16", "llama-2-70b"),
        ("in bf16", "bf16"),
        ("in bf16", 16.0),
        ("32K-50K entries", 50_000),
        ("rank-8 adapters", 8),
        ("a ResNet-50", 50),
        ("on an H100", "h100"),
        ("all linear layers", "all-linear"),
        ("a drop of -5 points", 0.05),
        ("rank 16", 16),
        ("10⁻⁴ or 1e-4", 1e-4),
        ("batch 1/8 of it", 0.125),
        ("no dropout", 0),
    ],
)
def test_a_front_says(text, value):
    assert says(text, value)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("a 70B model", 70),
        ("a 7B model", 6.74e9),
        ("12 % of it", 12),
        ("an 80 GB card", 80),
        ("to three significant digits", 3),
        ("Answer to two digits.", 2),
        ("Llama 2 7B", "llama-2-70b"),
        ("it is true", True),
        ("nothing", 1),
        ("on an H100, or gpt2", 100),
        ("at 4,096 tokens", 4),
        ("", 0),
    ],
)
def test_a_front_does_not_say(text, value):
    assert not says(text, value)


def test_a_claim_says_its_numbers_without_their_units_too():
    assert says("under 10 GB", 10, bare=True) and not says("under 10 GB", 10)


def test_markup_is_no_text():
    assert plain('<span class="num">70&#8239;billion</span> at 10<sup>4</sup> in $2{,}000\\,\\text{GB}$') == "70 billion at 10^4 in $2000 GB$"


@kernel(kind="formula", outputs={"bytes": "B", "share": ""})
def cache(layers: int = 32, width: int = 4096, heads: int = 8, share: float = 0.5, fast: bool = False, model: str = "x", spare: int = 0):
    """Bytes that depend on layers, width and the share; heads must divide the width, spare moves nothing."""
    if width % heads:
        raise KernelError("the heads do not divide the width")
    return {"bytes": int(4 * layers * width * (2 if fast else 1)), "share": share / 2}


@pytest.fixture
def scope(monkeypatch):
    monkeypatch.setattr(remote, "find", near({"cache": cache}))
    place = Place("x.md", 1)
    runs = {alias: Run(alias, "cache", cache.bind(given), place) for alias, given in {"a": {}, "twin": {}, "b": {"layers": 64}}.items()}
    return Scope.of(runs, {alias: cache(**run.parameters) for alias, run in runs.items()})


def found(expression, scope, form="kB"):
    return {premise.parameter for premise in premises(expression, scope, lambda content: written(content, parse_format(form)))}


def test_what_moves_the_answer_is_a_premise(scope):
    assert found("a.bytes", scope) == {"layers", "width", "fast"}
    assert found("a.share", scope, "percent") == {"share"}


def test_runs_that_share_a_value_are_changed_together(scope):
    assert found("twin.bytes / a.bytes", scope, "times") == set()
    assert found("b.bytes / a.bytes", scope, "times") == {"layers"}


def test_a_change_below_the_printed_digits_is_none(scope):
    assert found("a.bytes + 1 * PB", scope, "PB") == set()


def test_a_parameter_that_is_only_told_rests_on_nothing(scope):
    assert found("a.layers * 2", scope, "count") == set()


def test_every_kind_of_parameter_has_alternatives():
    @kernel(kind="formula", outputs={"x": ""})
    def kinds(
        i: int = 1,
        f: float = 0.0,
        b: bool = True,
        s: str = "x",
        c: Literal["u", "v", "w"] = "u",
        r: Annotated[int, Bound(high=2)] = 2,
    ):
        """All of them."""
        return {"x": 1}

    tried = {name: list(module.others(parameter, parameter.default)) for name, parameter in kinds.parameters.items()}
    assert tried == {"i": [2, 0], "f": [0.1, 1.0, 0.5], "b": [False], "s": [], "c": ["v", "w"], "r": [4, 1, 3]}
