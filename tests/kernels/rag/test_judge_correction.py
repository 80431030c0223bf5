import numpy as np
import pytest

from kernels import KernelError, plot
from kernels.library.rag.judge_correction import judge_correction


@pytest.mark.oracle("judge_correction", "a judge that errs by dice, corrected by the labels drawn with it")
@pytest.mark.parametrize("true, sens, spec", [(0.74, 0.95, 0.7), (0.9, 0.9, 0.8), (0.3, 0.8, 0.95)])
def test_a_judge_played_by_dice(true, sens, spec):
    draws, times, n, m1, m0 = np.random.default_rng(4), 20_000, 2000, 100, 50
    right = draws.binomial(n, true, times)
    seen = (draws.binomial(right, sens) + draws.binomial(n - right, 1 - spec)) / n
    measured_sens, measured_spec = draws.binomial(m1, sens, times) / m1, draws.binomial(m0, spec, times) / m0
    corrected = (seen + measured_spec - 1) / (measured_sens + measured_spec - 1)
    got = judge_correction(seen=sens * true + (1 - spec) * (1 - true), sensitivity=sens, specificity=spec)
    assert got["corrected"] == pytest.approx(true)
    assert np.median(corrected) == pytest.approx(true, abs=0.01)
    assert 1.959964 * np.std(corrected) == pytest.approx(got["half_width"], rel=0.12)


def test_a_perfect_judge_changes_nothing():
    got = judge_correction(seen=0.8, sensitivity=1, specificity=1)
    assert got["corrected"] == pytest.approx(0.8) and got["half_width"] == pytest.approx(got["half_width_seen"]) and got["labels_share"] == 0
    assert judge_correction(seen=1, sensitivity=1, specificity=1)["labels_share"] == 0


def test_what_no_accuracy_gives():
    with pytest.raises(KernelError, match="more than 1"):
        judge_correction(sensitivity=0.5, specificity=0.5)
    with pytest.raises(KernelError, match="no accuracy"):
        judge_correction(seen=0.2)
    with pytest.raises(KernelError, match="no accuracy"):
        judge_correction(seen=0.9, sensitivity=0.8, specificity=0.9)
    assert "diagonal" in plot.draw(judge_correction, judge_correction()).alt
