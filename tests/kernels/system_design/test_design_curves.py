"""Curves of the kernels of system design pass through the numbers that they give for that abscissa."""

import pytest

from kernels.declare import find

CURVES = [  # kernel, parameter that is the abscissa, line -> output
    ("fanout_tail", "calls", {"slow": "slow_requests", "hedged": "hedged"}, {"slow": 0.03}),
    ("price_cadence", "interval", {"gain kept": "kept", "prices move": "exposed"}, {"lag": 3600.0, "items": 3}),
    ("sales_evidence", "change", {"time": "time"}, {"daily": 7.0}),
]


@pytest.mark.parametrize(("name", "parameter", "lines", "given"), CURVES, ids=[row[0] for row in CURVES])
def test_the_curve_passes_through_the_numbers(name, parameter, lines, given):
    kernel = find(name)
    curve = kernel(**given)["sweep"]
    for line, output in lines.items():
        for x, y in list(zip(curve.x, curve.values(line)))[:: max(1, len(curve.x) // 6)]:
            assert y == pytest.approx(kernel(**given, **{parameter: x})[output], rel=1e-9)


def test_four_shares_of_amdahl():
    curve = find("amdahl_limit")()["sweep"]
    for line, share in (("20 %", 0.2), ("50 %", 0.5), ("75 %", 0.75), ("90 %", 0.9)):
        for x, y in zip(curve.x, curve.values(line)):
            assert y == pytest.approx(find("amdahl_limit")(share=share, faster=x)["overall"])


def test_a_path_and_a_price_by_hand():
    got = find("request_path")(width=28, faster=2.0)
    assert got["total"] == pytest.approx(0.225) and got["saved"] == pytest.approx(0.175) and got["speedup"] == pytest.approx(0.4 / 0.225)
    assert (got["sources"], got["features"], got["ranked"]) == pytest.approx((0.11, 0.005, 0.04))
    price = find("price_cadence")(interval=3600.0)
    assert price["exposed"] == pytest.approx(0.5 * (1 - 0.8**10)) and price["one_item"] == pytest.approx(0.1) and price["updates"] == 0.5


def test_evidence_by_hand():
    assert find("sales_evidence")()["time"] == pytest.approx(21 * 86400)
