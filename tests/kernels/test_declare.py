"""What a kernel's declaration accepts, how parameters are bound, and what its outputs must be."""

import math
import re
from typing import Annotated, Literal

import pytest

from kernels import Bound, KernelError, Series, Spread, kernel
from kernels.declare import find, names, nearest
from kernels.parameters import read


@kernel(kind="formula", outputs={"total": "B", "curve": Series("x", "B/s", "token")})
def example(
    size: Annotated[int, Bound("B", low=1, high=1e12)],
    rate: Annotated[float, Bound(low=0)] = 1,
    dtype: Literal["bf16", "fp32"] = "bf16",
    bits: Literal[4, 8] = 8,
    exact: bool = True,
):
    """One line
    of summary.

    More.
    """
    return {"total": size, "curve": {"x": [1], "line": [rate]}}


def declared(function, **options):
    return kernel(**{"kind": "formula", "outputs": {"out": ""}, **options})(function)


def giving(value, unit=""):
    def some():
        return {"out": value}

    return declared(some, outputs={"out": unit})


def test_a_kernel_knows_its_declaration():
    assert (example.name, example.kind, example.summary) == ("example", "formula", "One line of summary.")
    assert example.parameters["size"].required and example.parameters["size"].bound.unit == "B"
    assert example.parameters["bits"].choices == (4, 8) and example.parameters["bits"].type is int
    assert hash(example) and example.draw is None


def test_binding_fills_in_defaults_in_declared_order_and_type():
    assert list(example.bind({"exact": False, "size": 70e9}).items()) == [
        ("size", 70_000_000_000),
        ("rate", 1.0),
        ("dtype", "bf16"),
        ("bits", 8),
        ("exact", False),
    ]
    bound = example.bind({"size": 1, "rate": 2})
    assert type(bound["rate"]) is float and type(example.bind({"size": 2.0})["size"]) is int
    assert math.copysign(1, example.bind({"size": 1, "rate": -0.0})["rate"]) == 1


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({}, "example needs a value for its parameter 'size'"),
        ({"sise": 1}, "example has no parameter 'sise' (did you mean 'size'? it has: bits, dtype, exact, rate, size)"),
        ({"size": 1.5}, "example: parameter 'size' is 1.5, but must be of type int"),
        ({"size": True}, "example: parameter 'size' is True, but must be of type int"),
        ({"size": "1"}, "example: parameter 'size' is '1', but must be of type int"),
        ({"size": None}, "example: parameter 'size' is None, but must be of type int"),
        ({"size": 0}, "example: parameter 'size' is 0, but must be at least 1 and at most 1e+12"),
        ({"size": 10**400}, "but must be at least 1 and at most 1e+12"),
        ({"size": 1, "rate": 10**400}, "example: parameter 'rate' is inf, but must be finite"),
        ({"size": 1, "rate": math.nan}, "example: parameter 'rate' is nan, but must be finite"),
        ({"size": 1, "rate": -1}, "example: parameter 'rate' is -1.0, but must be at least 0"),
        ({"size": 1, "dtype": "bf61"}, "example: parameter 'dtype' is 'bf61' (did you mean 'bf16'? allowed: bf16, fp32)"),
        ({"size": 1, "bits": 5}, "example: parameter 'bits' is 5 (allowed: 4, 8)"),
        ({"size": 1, "exact": 1}, "example: parameter 'exact' is 1, but must be of type bool"),
    ],
)
def test_wrong_parameters_are_refused(given, message):
    with pytest.raises(KernelError, match=re.escape(message)):
        example.bind(given)


@pytest.mark.parametrize("text", ["12", "+12", "012", "12.", "12.0", "1.2e1", "120E-1"])
def test_numbers_of_a_command_line(text):
    assert example.bind({"size": read(example.parameters["size"], text)})["size"] == 12


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("size", "١٢", "must be of type int (write 12)"),
        ("size", "１２", "must be of type int (write 12)"),
        ("size", "१२", "must be of type int (write 12)"),
        ("size", " 12 ", "must be of type int (write 12)"),
        ("size", "−12", "must be of type int (write -12)"),
        ("size", "1_000", "must be of type int (write 1000)"),
        ("size", "1,000,000", "must be of type int (write 1000000)"),
        ("size", "1 000", "must be of type int (write 1000)"),
        ("size", "0x10", "must be of type int (write 16)"),
        ("size", "²", "must be of type int (write it with the digits 0 to 9)"),
        ("size", "10³", "must be of type int (write it with the digits 0 to 9)"),
        ("size", "½", "must be of type int (write it with the digits 0 to 9)"),
        ("size", "true", "must be of type int (write it with the digits 0 to 9)"),
        ("size", "", "must be of type int (write it with the digits 0 to 9)"),
        ("size", "9" * 5000, "must be of type int"),
        ("size", "1e3.5", "must be of type int"),
        ("rate", "1,5", "must be of type float (write 1.5)"),
        ("rate", "nan", "is nan, but must be finite"),
        ("rate", "-Inf", "is -inf, but must be finite"),
        ("rate", "1e400", "is inf, but must be finite"),
        ("exact", "yes", "must be of type bool (write true or false)"),
    ],
)
def test_other_spellings_are_refused_with_the_right_one(name, text, message):
    with pytest.raises(KernelError, match=re.escape(message)):
        example.bind({"size": 1, name: read(example.parameters[name], text)})


def test_an_end_left_open_is_that_of_the_type():
    assert (example.parameters["rate"].bound.low, example.parameters["rate"].bound.high) == (0, 1e30)
    with pytest.raises(KernelError, match=re.escape("parameter 'rate' is 1e+31, but must be at least 0 and at most 1e+30")):
        example.bind({"size": 1, "rate": 1e31})


def test_wrong_declarations_are_refused():
    def untyped(x): ...
    def listed(x: list): ...
    def mixed(x: Literal[1, "a"]): ...
    def starred(*x: int): ...
    def ranged(x: Annotated[str, Bound(low=1)]): ...
    def unit(x: Annotated[int, Bound("GB")]): ...
    def default(x: Annotated[int, Bound(low=1)] = 0): ...
    def half(x: int = 0.5): ...
    def empty(x: Annotated[int, Bound(low=1e16)]): ...
    def fine(): ...

    for function in (untyped, listed, mixed, starred, ranged, unit, default, half, empty):
        with pytest.raises(KernelError, match=f"{function.__name__}: parameter 'x'"):
            declared(function)
    for options in (
        {"kind": "formular"},
        {"outputs": {}},
        {"outputs": {"out": "GB"}},
        {"outputs": {"out": "B//s"}},
        {"outputs": {"out": Series("x", "B", "rows")}},
        {"tolerance": 0.1},
        {"kind": "simulation", "tolerance": -1},
        {"timeout": 0},
    ):
        with pytest.raises(KernelError, match="fine"):
            declared(fine, **options)
    for good in ("", "B", "B/s", "1/s", "FLOP/B", "FLOP/s", "B*s", "B/token/s"):
        declared(fine, outputs={"out": good})


def test_outputs_are_plain_numbers():
    torch = pytest.importorskip("torch")
    numpy = pytest.importorskip("numpy")
    for value, plain in (
        (2**60 + 1, 2**60 + 1),
        (True, 1),
        (numpy.int64(2**60 + 1), 2**60 + 1),
        (numpy.float32(0.5), 0.5),
        (torch.tensor(2**60 + 1), 2**60 + 1),
        (torch.tensor([0.5]), 0.5),
        (torch.tensor(True), 1),
        (10**400, 10**400),
    ):
        number = giving(value)()["out"]
        assert number == plain and type(number) is type(plain)
    for value in (torch.ones(2), "1", None, 1j, [1]):
        with pytest.raises(KernelError, match="some.out is of type .*, not a number"):
            giving(value)()
    for value in (math.nan, math.inf, torch.tensor(math.inf), Spread(1.0, 1.0, math.inf)):
        with pytest.raises(KernelError, match="some.out is .*, which is not finite"):
            giving(value)()


def test_spreads_stay_in_order_and_do_not_mix():
    time = Spread(2.0, 1.0, 4.0)
    assert 8 / time == Spread(4.0, 2.0, 8.0) and time * -1 == Spread(-2.0, -4.0, -1.0) and time / 2 == Spread(1.0, 0.5, 2.0) and float(time) == 2.0
    for mixed in (lambda: time * time, lambda: time / time):
        with pytest.raises(TypeError):
            mixed()
    number = giving(time, "s")().outputs["out"]
    assert (number.value, number.low, number.high, number.unit) == (2.0, 1.0, 4.0, "s")
    with pytest.raises(KernelError, match="outside its own spread"):
        giving(Spread(1.0, 2.0, 3.0))()


def test_what_is_returned_is_what_is_declared():
    curve = Series("x", "B")
    for returned, message in (
        (None, "some returned NoneType, but must return a dict"),
        ({}, "what some returned lacks out (it declares: out)"),
        ({"out": 1, "more": 2}, "what some returned has undeclared more"),
        ({"otu": 1}, "what some returned lacks out and has undeclared otu"),
    ):

        def some(returned=None):
            return returned

        with pytest.raises(KernelError, match=re.escape(message)):
            giving(0).checked(returned)
    for value in (1, {"x": [1]}, {"line": [1], "other": [1]}, {"x": [], "line": []}, {"x": [1, 2], "line": [1]}, {"x": ["a"], "line": [1]}):
        with pytest.raises(KernelError, match=r"some\.out"):
            giving(value, curve)()
    line = giving({"x": [1, 2], "line": [Spread(2.0, 1.0, 3.0), None]}, curve)()["out"]
    assert line.values("line") == [2.0, None] and line.lines["line"][0].low == 1.0 and line.x == (1, 2)


def test_finding_by_file_name(made_up, shelf, tmp_path):
    assert "made_up_ratio" in names() and list(names()) == sorted(names())
    assert find("made_up_ratio")(above=7, below=2)["ratio"] == 3.5
    (tmp_path / "made_up_empty.py").write_text("")
    (tmp_path / "made_up_broken.py").write_text("def (")
    (tmp_path / "_made_up_private.py").write_text("")
    shelf(tmp_path)
    for name, message in (
        ("made_up_ration", "did you mean 'made_up_ratio'"),
        ("made_up_empty", "declares no kernel named 'made_up_empty'"),
        ("made_up_broken", "cannot be imported"),
        ("_made_up_private", "unknown kernel"),
        ("", "unknown kernel"),
        ("made_up_ratio.x", "unknown kernel"),
    ):
        with pytest.raises(KernelError, match=message):
            find(name)


def test_every_kernel_of_the_library_is_whole():
    assert names()
    for name in names():
        found = find(name)
        assert found.name == name and found.summary.endswith("."), f"the first paragraph of {name}'s docstring is its summary, a sentence"


def test_hints_are_short_where_there_are_many():
    assert nearest("x", map(str, range(100))) == ""
    assert nearest("ab", ["abc"]) == " (did you mean 'abc'? it has: abc)"
