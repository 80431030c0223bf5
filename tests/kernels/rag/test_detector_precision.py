import pytest

from kernels import plot
from kernels.library.rag.detector_precision import detector_precision


@pytest.mark.oracle("detector_precision", "scikit-learn's scores of ten thousand labelled answers")
def test_ten_thousand_labelled_answers():
    """200 hallucinated, 180 of them flagged; 9,800 sound, 980 of them flagged."""
    from sklearn.metrics import confusion_matrix, precision_score

    truth = [1] * 200 + [0] * 9800
    flags = [1] * 180 + [0] * 20 + [1] * 980 + [0] * 8820
    (tn, fp), (fn, tp) = confusion_matrix(truth, flags)
    got = detector_precision(prevalence=0.02, sensitivity=0.9, specificity=0.9)
    assert got["precision"] == pytest.approx(precision_score(truth, flags))
    assert got["flagged"] == pytest.approx((tp + fp) / 10_000) and got["reviews"] == pytest.approx(tp + fp)
    assert (
        got["missed"] == pytest.approx(fn / 10_000)
        and got["left"] == pytest.approx(fn / (fn + tn))
        and got["false_per_true"] == pytest.approx(fp / tp)
    )


def test_even_odds():
    even = detector_precision()["even_prevalence"]
    assert detector_precision(prevalence=even)["precision"] == pytest.approx(0.5)
    assert detector_precision(specificity=1)["precision"] == 1
    assert detector_precision(specificity=0, sensitivity=1)["left"] == 0
    assert "flags" in plot.draw(detector_precision, detector_precision()).alt
