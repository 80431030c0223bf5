"""Oracles: scikit-learn's scores of ten thousand labelled answers, and messages drawn and counted."""

import pytest

from kernels import plot
from kernels.library.evaluation.detector_precision import detector_precision


@pytest.mark.oracle("detector_precision", "scikit-learn's scores of ten thousand labelled answers")
def test_ten_thousand_labelled_answers():
    """200 hallucinated, 180 of them flagged; 9,800 sound, 980 of them flagged."""
    metrics = pytest.importorskip("sklearn.metrics")
    truth = [1] * 200 + [0] * 9800
    flags = [1] * 180 + [0] * 20 + [1] * 980 + [0] * 8820
    (_, fp), (fn, tp) = metrics.confusion_matrix(truth, flags)
    got = detector_precision(prevalence=0.02, sensitivity=0.9, false_alarm=0.1, cases=10_000)
    assert got["precision"] == pytest.approx(metrics.precision_score(truth, flags))
    assert (got["caught"], got["false_alarms"], got["missed"]) == pytest.approx((tp, fp, fn))
    assert got["flagged"] == pytest.approx(tp + fp) and got["alarms_each"] == pytest.approx(fp / tp)


@pytest.mark.oracle("detector_precision", "messages drawn and counted with numpy")
@pytest.mark.parametrize(("rate", "detection", "false_alarm"), [(0.01, 0.95, 0.05), (0.2, 0.9, 0.1), (0.5, 0.3, 0.02)])
def test_counted(rate, detection, false_alarm):
    numpy = pytest.importorskip("numpy")
    random = numpy.random.default_rng(5)
    n = 2_000_000
    attack = random.random(n) < rate
    flagged = random.random(n) < numpy.where(attack, detection, false_alarm)
    result = detector_precision(cases=n, prevalence=rate, sensitivity=detection, false_alarm=false_alarm)
    assert result["precision"] == pytest.approx(attack[flagged].mean(), abs=0.005)
    assert result["missed"] == pytest.approx((attack & ~flagged).sum(), rel=0.05)
    assert result["flagged"] == pytest.approx(flagged.sum(), rel=0.01)


def test_a_rare_disease():
    """The textbook's: 1 in 1,000, a test that finds every case and errs on 5 % of the healthy (Casscells et al. 1978): about 2 %."""
    assert detector_precision(prevalence=0.001, sensitivity=1.0, false_alarm=0.05)["precision"] == pytest.approx(1 / 50.95)


@pytest.mark.parametrize("rate", [1e-6, 0.001, 0.3])
def test_every_second_flag_is_right(rate):
    needed = detector_precision(prevalence=rate)["false_alarm_needed"]
    assert detector_precision(prevalence=rate, false_alarm=needed)["precision"] == pytest.approx(0.5)
    even = detector_precision()["even_prevalence"]
    assert detector_precision(prevalence=even)["precision"] == pytest.approx(0.5)


def test_ends():
    assert detector_precision(prevalence=1.0)["precision"] == 1 and detector_precision(false_alarm=0.0)["precision"] == 1
    assert detector_precision(prevalence=1.0)["false_alarm_needed"] == 1
    assert "16%" in plot.draw(detector_precision, detector_precision()).alt
