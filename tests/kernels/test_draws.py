"""What many draws come to, held against numpy and against hand counts."""

import random

import pytest

from kernels import AtLeast, Bound, Free, KernelError, Lower, Series, Upper, kernel
from kernels.draws import one, percentiles, together
from kernels.record import from_json, to_json
from kernels.results import Number


def made(**more):
    @kernel(kind="simulation", outputs={"x": "s", "n": "", "same": "", "curve": Series("step", "")}, **more)
    def toy(scale: float = 1.0, seed: int = 0):
        """A toy."""
        drawn = random.Random(seed)
        x = scale * drawn.random()
        return {"x": x, "n": drawn.randrange(100), "same": 7, "curve": {"step": [1, 2], "a": [x, None if seed % 2 else 1.0], "b": [seed, 3]}}

    return toy


def test_percentiles_are_numpys():
    numpy = pytest.importorskip("numpy")
    for size in (2, 5, 16, 31):
        values = [random.Random(size).gauss(0, 1) for _ in range(size)]
        assert percentiles(values) == pytest.approx(tuple(numpy.percentile(values, [10, 50, 90])))


def test_a_simulation_is_its_draws_and_what_no_seed_moves_is_exact():
    toy = made(draws=8)
    result = toy.simulate()
    assert result.draws == 8 and "seed" not in toy.parameters and "seed" not in result.parameters
    assert result.outputs["same"] == Number(7, "")
    x, n = result.outputs["x"], result.outputs["n"]
    assert x.draws == pytest.approx([toy(seed=seed)["x"] for seed in range(8)], rel=1e-8) and x.low < x.value < x.high
    assert isinstance(n.value, int) and n.value in n.draws
    a, b = result["curve"].lines["a"], result["curve"].lines["b"]
    assert a[0].draws == x.draws and a[1].value == 1.0 and a[1].draws == (1.0, None) * 4 and b[0].draws == tuple(range(8)) and b[1] == Number(3)


def test_each_draw_comes_out_as_it_went_in():
    toy = made(draws=6)
    outputs = toy.simulate().outputs
    for seed in range(6):
        draw, made_of = one(outputs, seed), toy(seed=seed)
        assert draw["x"].value == pytest.approx(made_of["x"], rel=1e-8) and draw["n"].value == made_of["n"] and draw["same"].value == 7
        (a, there), (b, then) = draw["curve"].values("a"), made_of["curve"].values("a")
        assert a == pytest.approx(b, rel=1e-8) and there == then


def test_other_seeds_are_other_draws():
    toy = made(draws=5)
    assert toy.simulate(first=5).outputs["x"].draws[0] == pytest.approx(toy(seed=5)["x"], rel=1e-8)


def bounded():
    from typing import Annotated

    @kernel(kind="simulation", outputs={"time": Lower("s"), "gain": Upper(""), "steps": "", "curve": Series("step", "")}, draws=8)
    def bounded(width: Annotated[int, Bound(low=1), Free(8, 64)] = 16, kind: Annotated[str, Free("a", "b")] = "a", seed: int = 0):
        """A toy; width and kind are free from one to the other."""
        drawn = random.Random(seed)
        x = width * drawn.random()
        return {"time": x, "gain": 2, "steps": AtLeast(100) if seed == 3 else seed, "curve": {"step": [1, 2], "a": [x, None]}}

    return bounded


def test_the_ends_of_each_free_choice_come_with_a_quarter_of_the_draws():
    toy = bounded()
    result = toy.simulate()
    assert [(end.parameter, end.value) for end in result.ends] == [("width", 8), ("width", 64), ("kind", "b")]
    assert result.ends[0].outputs["time"].draws == pytest.approx([toy(width=8, seed=seed)["time"] for seed in (0, 1)], rel=1e-8)
    assert {end.value for end in toy.simulate(width=64).ends} == {8, "b"}  # its own value is no end


def test_a_bound_stays_one_and_one_censored_draw_makes_the_number_one():
    outputs = bounded().simulate().outputs
    assert (outputs["time"].bound, outputs["gain"].bound, outputs["steps"].bound) == ("lower", "upper", "lower")
    assert bounded()(seed=2).outputs["steps"].bound == ""


def test_a_record_keeps_draws_ends_and_bounds(monkeypatch):
    monkeypatch.setattr("kernels.record.key_of", lambda *_: "")
    result = bounded().simulate()
    kept = from_json({**to_json(result, {}), "made": {"kind": "simulation"}})
    assert (kept.outputs, kept.ends, kept.draws) == (result.outputs, result.ends, 8)


@pytest.mark.parametrize(
    ("ends", "default", "said"),
    [
        ((1, 4), 9, "not within 1 to 4"),
        ((3, 3), 3, "two values at least"),
        ((1, 400), 9, "at most 100"),
        (("a", 4), 2, "must be of type int"),
    ],
)
def test_the_default_lies_within_the_range(ends, default, said):
    from typing import Annotated

    with pytest.raises(KernelError, match=said):

        @kernel(kind="formula", outputs={"x": ""})
        def toy(width: Annotated[int, Bound(high=100), Free(*ends)] = default):
            """The width is free."""


def test_the_docstring_says_why_a_parameter_is_free():
    from typing import Annotated

    with pytest.raises(KernelError, match="does not say why 'width' is free from 1 to 4"):

        @kernel(kind="formula", outputs={"x": ""})
        def toy(width: Annotated[int, Free(1, 4)] = 2):
            """A toy."""


def test_a_formula_is_evaluated_at_the_ends_too():
    from typing import Annotated

    @kernel(kind="formula", outputs={"x": ""})
    def toy(width: Annotated[int, Free(1, 4)] = 2):
        """The width is free."""
        return {"x": width**2}

    assert {end.value: end.outputs["x"].value for end in toy().ends} == {1: 1, 4: 16}


def test_fewer_than_five_draws_tell_no_spread():
    with pytest.raises(KernelError, match="3 draws are too few"):
        made(draws=3)


def test_an_invariant_is_checked_at_every_draw_and_end():
    toy = bounded()

    @toy.invariant
    def short(result):
        """No time is above 20 s."""
        return result["time"] <= 20

    assert toy(seed=0, width=8)
    with pytest.raises(KernelError, match=r"with seed \d+ breaks its invariant short: No time is above 20 s"):
        toy.simulate()
    with pytest.raises(KernelError, match="has no docstring"):
        toy.invariant(lambda result: True)


def test_one_draw_alone_is_itself():
    assert together("toy", [{"x": Number(1.5)}]) == {"x": Number(1.5)}


def test_the_seed_of_a_curve_is_not_in_its_x():
    @kernel(kind="simulation", outputs={"curve": Series("step", "")}, draws=5)
    def toy(seed: int = 0):
        """A toy."""
        return {"curve": {"step": list(range(1 + seed)), "a": list(range(1 + seed))}}

    with pytest.raises(KernelError, match="other points or lines with another seed"):
        toy.simulate()
