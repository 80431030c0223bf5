import numpy as np
import pytest

from kernels import KernelError, plot
from kernels.library.rag.paired_eval_size import paired_eval_size

Z = 1.959964


def found_by_mcnemar(accuracy, gain, disagreement, n, times=4000):
    """McNemar's test on drawn test sets: how often it finds the gain."""
    only_new, only_old = (disagreement + gain) / 2, (disagreement - gain) / 2
    drawn = np.random.default_rng(5).multinomial(n, [only_new, only_old, 1 - disagreement], size=times)
    b, c = drawn[:, 0], drawn[:, 1]
    return np.mean(np.abs(b - c) > Z * np.sqrt(np.maximum(b + c, 1)))


@pytest.mark.oracle("paired_eval_size", "McNemar's test run on drawn test sets")
@pytest.mark.parametrize("gain, disagreement", [(0.03, 0.1), (0.05, 0.1), (0.05, 0.25)])
def test_as_many_shared_questions_find_the_gain_as_often_as_wanted(gain, disagreement):
    got = paired_eval_size(accuracy=0.8, gain=gain, disagreement=disagreement)
    assert found_by_mcnemar(0.8, gain, disagreement, int(got["paired"])) == pytest.approx(0.8, abs=0.03)


def test_two_groups_find_it_as_often_too():
    got = paired_eval_size(accuracy=0.8, gain=0.03)
    n, draws = int(got["unpaired"]), np.random.default_rng(6)
    old, new = draws.binomial(n, 0.8, 4000) / n, draws.binomial(n, 0.83, 4000) / n
    middle = (old + new) / 2
    assert np.mean(np.abs(new - old) > Z * np.sqrt(2 * middle * (1 - middle) / n)) == pytest.approx(0.8, abs=0.03)


def test_independent_systems_save_little():
    got = paired_eval_size(accuracy=0.8, gain=0.05, disagreement=0.8 * 0.15 + 0.85 * 0.2)
    assert got["independent"] == pytest.approx(0.8 * 0.15 + 0.85 * 0.2)
    assert got["saving"] == pytest.approx(1, abs=0.05)


def test_what_makes_no_sense():
    with pytest.raises(KernelError, match="at most 1"):
        paired_eval_size(accuracy=0.9, gain=0.2)
    with pytest.raises(KernelError, match="disagreement is"):
        paired_eval_size(gain=0.1, disagreement=0.05)
    assert "independent" in plot.draw(paired_eval_size, paired_eval_size()).alt
