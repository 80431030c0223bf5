"""The table of units: against the constants of another library, without two meanings of a name, and with the words of a deck."""

from __future__ import annotations

from fractions import Fraction

import pytest

from kernels import units
from kernels.units import PURE, UnknownUnit, atom, check, counts, declare, label, multiplied, names, parsed, sizes, text

# What SI says its derived units are, in units that the table defines without this one (the brochure's table 4).
DERIVED = {
    "N": "kg*m/s^2", "J": "N*m", "W": "J/s", "Pa": "N/m^2", "V": "W/A", "Ohm": "V/A", "C": "A*s", "F": "C/V", "Wb": "V*s", "T": "Wb/m^2",
    "H": "Wb/A", "Hz": "1/s", "Bq": "1/s", "Gy": "J/kg", "Sv": "J/kg", "kat": "mol/s", "lx": "lm/m^2", "l": "dm^3", "L": "dm^3", "Wh": "J*h/s",
    "Ω": "Ohm",
}  # fmt: skip


@pytest.mark.parametrize(("unit", "made"), DERIVED.items(), ids=DERIVED)
def test_derived_units(unit: str, made: str):
    assert parsed(unit) == parsed(made)


def test_sizes_against_another_library():
    constants = pytest.importorskip("scipy.constants")
    known = {"eV": constants.eV, "min": constants.minute, "h": constants.hour, "d": constants.day, "l": constants.liter, "km/h": constants.kmh}
    known |= {"g": constants.gram, "kWh": constants.kilo * constants.hour, "KiB": constants.kibi, "nm": constants.nano, "fF": constants.femto}
    for unit, size in known.items():
        assert float(parsed(unit)[0]) == pytest.approx(size, rel=1e-12), unit
    assert float(units.ICE) == constants.zero_Celsius


def test_every_name_has_one_meaning():
    assert len(names()) == len(set(names()))
    assert not {"percent", "points", "times", "count", "million", "exact", "sign"} & set(names())
    for name in names():
        assert atom(name) is not None and parsed(name) == atom(name)


@pytest.mark.parametrize("unit", ["", "B/s", "1/s", "kg/m^3", "V", "J/token", "EUR/kg", "m^2", "FLOP/B/s", "N/m^2", "A^2*s^4/kg/m^2", "K*m"])
def test_a_unit_reads_as_it_is_written(unit: str):
    powers = parsed(unit)[1]
    assert parsed(text(powers)) == (1, powers)
    assert multiplied(powers, powers, -1) == PURE


@pytest.mark.parametrize("wrong", ["xyzzy", "m/", "/m", "m//s", "m^", "m^0", "m2", "2m", "s/1", "kkg", "°C/s", "m s"])
def test_what_is_no_unit(wrong: str):
    with pytest.raises(UnknownUnit):
        parsed(wrong)


@pytest.mark.parametrize(
    ("unit", "message"),
    [
        ("", ""), ("m/s", ""), ("kg*m/s^2", ""), ("V/m", ""), ("W/kg", ""), ("EUR", ""), ("1/s", ""), ("token/s", ""),
        ("km", "the unit 'km' is no base unit (a kernel gives m; a card writes it as km)"),
        ("g", "the unit 'g' is no base unit (a kernel gives kg; a card writes it as g)"),
        ("kWh", "the unit 'kWh' is no base unit (a kernel gives J; a card writes it as kWh)"),
        ("GB/s", "the unit 'GB/s' is no base unit (a kernel gives B/s; a card writes it as GB/s)"),
        ("°C", "'°C' is no unit of a kernel's numbers (it gives kelvins, K; a card writes them as °C)"),
    ],
)  # fmt: skip
def test_what_a_kernel_may_declare(unit: str, message: str):
    assert check(unit) == message


@pytest.mark.parametrize(("unit", "near"), [("n", "'N'"), ("ohm", "'Ohm'"), ("flop", "'FLOP'"), ("tokns", "'tokens' or 'token'"), ("eur", "'EUR'")])
def test_the_nearest_name_is_offered(unit: str, near: str):
    assert f"unknown unit {unit!r} (did you mean {near}? a unit is empty or joins" in check(unit)


def test_words_of_a_deck():
    declare(["page", "word"])
    try:
        assert parsed("words/page") == (1, (("page", -1), ("word", 1))) and check("word/s") == "" and counts("page") and counts("word/s")
        declare(["cell"])
        assert atom("word") is None and atom("cells") == (Fraction(1), (("cell", 1),))
        with pytest.raises(UnknownUnit, match="^words$"):
            parsed("words/page")
    finally:
        declare([])
    assert atom("cell") is None


@pytest.mark.parametrize(
    ("unit", "shown"),
    [("us", "µs"), ("kOhm", "kΩ"), ("N*m", "N·m"), ("m/s^2", "m/s²"), ("m^-1", "m⁻¹"), ("degC", "°C"), ("uOhm/uK", "µΩ/µK"), ("unit", "unit")],
)
def test_what_is_printed(unit: str, shown: str):
    assert label(unit) == shown


def test_the_sizes_of_a_figure():
    def shown(unit: str) -> list[str]:
        return [name for _, name in sizes(unit)]

    assert shown("m/s") == ["km/s", "m/s", "mm/s", "µm/s", "nm/s", "pm/s", "fm/s"]
    assert sizes("kg")[:3] == ((1.0, "kg"), (0.001, "g"), (1e-06, "mg"))
    assert shown("B/s")[-1] == "B/s" and shown("s")[0] == "s" and shown("K")[0] == "K"
    assert shown("m^2") == ["m²"] and shown("EUR") == ["EUR"] and shown("1/s") == ["1/s"]
