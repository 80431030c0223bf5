"""Oracles: the worked example of the base-rate fallacy, and messages drawn and counted."""

import pytest

from kernels import plot
from kernels.library.prompting.flagged_attacks import flagged_attacks


@pytest.mark.oracle("flagged_attacks", "messages drawn and counted with numpy")
@pytest.mark.parametrize(("rate", "detection", "false_alarm"), [(0.01, 0.95, 0.05), (0.2, 0.9, 0.1), (0.5, 0.3, 0.02)])
def test_counted(rate, detection, false_alarm):
    numpy = pytest.importorskip("numpy")
    random = numpy.random.default_rng(5)
    n = 2_000_000
    attack = random.random(n) < rate
    flagged = random.random(n) < numpy.where(attack, detection, false_alarm)
    result = flagged_attacks(messages=n, attack_rate=rate, detection=detection, false_alarm=false_alarm)
    assert result["precision"] == pytest.approx(attack[flagged].mean(), abs=0.005)
    assert result["accuracy"] == pytest.approx((attack == flagged).mean(), abs=0.002)
    assert result["missed"] == pytest.approx((attack & ~flagged).sum(), rel=0.05)
    assert result["flagged"] == pytest.approx(flagged.sum(), rel=0.01)


def test_a_rare_disease():
    """The textbook's: 1 in 1,000, a test that finds every case and errs on 5 % of the healthy (Casscells et al. 1978): about 2 %."""
    assert flagged_attacks(attack_rate=0.001, detection=1.0, false_alarm=0.05)["precision"] == pytest.approx(1 / 50.95)


@pytest.mark.parametrize("rate", [1e-6, 0.001, 0.3])
def test_the_rate_that_is_needed_makes_half_of_the_flagged_attacks(rate):
    needed = flagged_attacks(attack_rate=rate)["false_alarm_needed"]
    assert flagged_attacks(attack_rate=rate, false_alarm=needed)["precision"] == pytest.approx(0.5)


def test_ends():
    assert flagged_attacks(attack_rate=1.0)["precision"] == 1 and flagged_attacks(false_alarm=0.0)["precision"] == 1
    assert "16 %" in plot.draw(flagged_attacks, flagged_attacks()).alt
