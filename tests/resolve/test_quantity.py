"""Quantities and formats: what arithmetic keeps, what does not convert, and how each medium writes a number."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import pytest
import yaml

from generator.resolve.formats import HTML, PLAIN, TEX, bare, parse_format, written
from generator.resolve.quantity import Quantity, QuantityError, UnitError, parse_unit, unit_text

CASES = yaml.safe_load((Path(__file__).parent / "formats.yml").read_text(encoding="utf-8"))
STYLES = {"html": HTML, "tex": TEX, "plain": PLAIN}


def of(value, unit="", spread=None):
    return Quantity(value, parse_unit(unit)[1], spread)


@pytest.mark.parametrize("case", CASES["written"], ids=lambda c: f"{c[0]} {c[1]} | {c[2]}")
def test_written(case):
    value, unit, form, expected = case
    number = of(value, unit)
    media = expected if isinstance(expected, dict) else {"plain": expected}
    got = {m: bare(number, parse_format(form)) if m == "bare" else written(number, parse_format(form), STYLES[m]) for m in media}
    assert got == media


@pytest.mark.parametrize("case", CASES["refused"], ids=lambda c: f"{c[0]} {c[1]} | {c[2]}")
def test_refused(case):
    value, unit, form, message = case
    with pytest.raises(QuantityError) as error:
        written(of(value, unit), parse_format(form))
    assert f"{error.value} ({error.value.hint})" == message


def test_a_spread_prints_with_the_decimals_of_its_value():
    number = of(2.712e12, "B/s", (2.691e12, 2.7333e12))
    assert written(number, parse_format("TB/s spread")) == "2.71 (2.69 to 2.73) TB/s"
    assert written(number, parse_format("TB/s 2 spread"), TEX) == r"2.7\ (2.7\text{ to }2.7)\,\text{TB/s}"
    assert written(number, parse_format("TB/s")) == "2.7 TB/s"


def test_a_spread_outlives_exact_numbers_only():
    slow, fast = of(2.0, "s", (1.0, 4.0)), of(1.0, "s", (0.5, 1.5))
    assert (2 * slow).spread == (2.0, 8.0)
    assert (8 / slow).spread == (2.0, 8.0)
    assert (-slow).spread == (-4.0, -1.0)
    assert (slow / fast).spread is None
    with pytest.raises(QuantityError, match="no spread"):
        written(slow / fast, parse_format("spread"))


@pytest.mark.parametrize("case", CASES["typed"], ids=lambda c: f"{c[0]} | {c[1]}")
def test_a_number_that_is_typed_has_the_digits_that_are_asked_for(case):
    value, form, shown, typed = case
    padded = replace(parse_format(form), padded=True)
    assert (written(of(value), padded), bare(of(value), padded)) == (shown, typed)


def test_a_number_that_cannot_be_typed():
    with pytest.raises(QuantityError, match="no number to type"):
        bare(of(3e-7, "s"), parse_format("s"))


def test_integers_stay_exact():
    big = 207_093_760 * 10**15
    assert (of(big, "B") * 16 / 16).value == big
    assert type((of(12) / 4).value) is int
    assert type((of(12) / 5).value) is float
    assert (of(7) // 2, of(7) % 4, of(2) ** 10, 2 ** of(3), -of(1), abs(of(-2))) == (3, 3, 1024, 8, -1, 2)


@pytest.mark.parametrize(
    ("result", "unit"),
    [
        (of(4, "B") / of(2, "s"), "B/s"),
        (of(4, "B") * of(2, "B"), "B^2"),
        (1 / of(2, "s"), "1/s"),
        (of(4, "FLOP") / of(2, "B") / of(1, "s"), "FLOP/B/s"),
        (of(4, "B") / of(2, "B"), "a pure number"),
        (of(4, "B") // of(3, "B"), "a pure number"),
        (of(4, "B") % of(3, "B"), "B"),
        (of(3, "s") ** 2, "s^2"),
        (of(3, "s") ** -1, "1/s"),
        (of(3, "B/s") + of(1, "B/s"), "B/s"),
        (of(3, "kg") * of(2, "m/s^2"), "N"),
        (of(3, "N") * of(2, "m/s"), "W"),
        (of(12, "V") / of(2, "A"), "Ohm"),
        (of(3, "A") * of(2, "s"), "C"),
        (of(6, "J") / of(2, "token"), "J/token"),
        (of(6, "kg") / of(2, "m") ** 3, "kg/m^3"),
        (of(6, "m") / of(2, "s") ** 2, "m/s^2"),
        (of(6, "EUR") / of(2, "kg") * of(1, "kg"), "EUR"),
    ],
)
def test_units_go_through_arithmetic(result, unit):
    assert unit_text(result.powers) == unit
    assert parse_unit(unit)[1] == result.powers if unit != "a pure number" else result.pure


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (lambda: of(1, "B") + 1, "cannot add B and a pure number"),
        (lambda: 1 - of(1, "B"), "cannot subtract a pure number and B"),
        (lambda: of(1, "B") < of(1, "s"), "cannot compare B with s"),
        (lambda: of(1, "B") == 1, "cannot compare B with a pure number"),
        (lambda: of(1, "B") % 2, "cannot take the remainder of B and a pure number"),
        (lambda: of(2) ** of(1, "s"), "an exponent must be a pure number, not s"),
        (lambda: of(2, "s") ** 0.5, "s takes whole exponents only"),
        (lambda: of(1, "EUR") + of(1, "USD"), "cannot add EUR and USD"),
        (lambda: of(1, "GBP") < of(1, "CHF"), "cannot compare GBP with CHF"),
        (lambda: of(1, "K") + of(1, "J"), "cannot add K and J"),
        (lambda: parse_unit("GBs"), "unknown unit 'GBs'"),
    ],
)
def test_units_that_do_not_fit(wrong, message):
    with pytest.raises(UnitError) as error:
        wrong()
    assert str(error.value) == message


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (lambda: of(9) ** (of(9) ** 9), "the number grows too large"),
        (lambda: of(10**1000) * 10**1000, "the number grows too large"),
        (lambda: of(1e308) * 10, "the number is not finite"),
        (lambda: of(-8) ** 0.5, "a root of a negative number"),
        (lambda: of(1) + True, "True is not a number"),
        (lambda: of(1) + "1", "'1' is not a number"),
        (lambda: bool(of(1)), "a number is not a condition: compare it with something"),
    ],
)
def test_values_that_are_refused(wrong, message):
    with pytest.raises(QuantityError) as error:
        wrong()
    assert str(error.value) == message


def test_sizes_of_units():
    assert parse_unit("GiB")[0] == 2**30
    assert parse_unit("Gbit/s")[0] == Fraction(10**9, 8)
    assert parse_unit("kWh")[0] == 3_600_000
    assert parse_unit("kWh")[1] == parse_unit("J")[1]
    assert parse_unit("us")[0] == Fraction(1, 10**6)
    assert parse_unit("") == (1, ())
