"""Curves of the kernels of system design pass through the numbers that they give for that abscissa."""

import pytest

from kernels.library.system_design.fanout_tail import fanout_tail
from kernels.library.system_design.price_cadence import price_cadence
from kernels.library.system_design.request_path import request_path
from kernels.library.system_design.sales_evidence import sales_evidence

CURVES = [  # kernel, parameter that is the abscissa, line -> output
    (fanout_tail, "calls", {"slow": "slow_requests", "hedged": "hedged"}, {"slow": 0.03}),
    (price_cadence, "interval", {"gain kept": "kept", "prices move": "exposed"}, {"lag": 3600.0, "items": 3}),
    (sales_evidence, "change", {"time": "time"}, {"daily": 7.0}),
]


@pytest.mark.parametrize(("kernel", "parameter", "lines", "given"), CURVES, ids=[row[0].name for row in CURVES])
def test_the_curve_passes_through_the_numbers(kernel, parameter, lines, given):
    curve = kernel(**given)["sweep"]
    for line, output in lines.items():
        for x, y in list(zip(curve.x, curve.values(line)))[:: max(1, len(curve.x) // 6)]:
            assert y == pytest.approx(kernel(**given, **{parameter: x})[output], rel=1e-9)


def test_a_path_and_a_price_by_hand():
    got = request_path(width=28, faster=2.0)
    assert got["total"] == pytest.approx(0.225) and got["saved"] == pytest.approx(0.175) and got["speedup"] == pytest.approx(0.4 / 0.225)
    assert (got["sources"], got["features"], got["ranked"]) == pytest.approx((0.11, 0.005, 0.04))
    price = price_cadence(interval=3600.0)
    assert price["exposed"] == pytest.approx(0.5 * (1 - 0.8**10)) and price["one_item"] == pytest.approx(0.1) and price["updates"] == 0.5


def test_evidence_by_hand():
    assert sales_evidence()["time"] == pytest.approx(21 * 86400)
