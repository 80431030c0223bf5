import pytest

from kernels.library.training.alarm_rate import alarm_rate, student_tail


def test_against_scipy():
    stats = pytest.importorskip("scipy.stats")
    for z in (0.5, 3.0, 6.0):
        assert alarm_rate(z=z)["chance"] == pytest.approx(stats.norm.sf(z), rel=1e-9)
        assert student_tail(z) == pytest.approx(stats.t.sf(z, 3), rel=1e-9)
        assert alarm_rate(z=z, tail="heavy")["chance"] == pytest.approx(stats.t(3, scale=3**-0.5).sf(z), rel=1e-9)


def test_counts():
    got = alarm_rate(z=3.0, steps=100_000)
    assert got["alarms"] == pytest.approx(135, abs=0.1) and got["every"] == pytest.approx(740.8, abs=0.1)
    assert alarm_rate(z=0.0, steps=11)["alarms_in_a_row"] == pytest.approx(10 / 4)
