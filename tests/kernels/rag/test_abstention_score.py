import numpy as np
import pytest

from kernels import plot
from kernels.library.rag.abstention_score import abstention_score


@pytest.mark.oracle("abstention_score", "answers drawn with their confidence")
@pytest.mark.parametrize("accuracy, threshold, penalty, over", [(0.7, 0.75, 3.0, 1.0), (0.4, 0.5, 1.0, 2.0), (0.9, 0.0, 0.0, 1.0)])
def test_answers_drawn(accuracy, threshold, penalty, over):
    draws, n = np.random.default_rng(9), 400_000
    confidence = draws.beta(accuracy / (1 - accuracy), 1, n)
    right, given = draws.random(n) < confidence, confidence ** (1 / over) > threshold
    got = abstention_score(accuracy=accuracy, threshold=threshold, penalty=penalty, overconfidence=over)
    assert got["answered"] == pytest.approx(given.mean(), abs=0.003)
    assert got["right_of_answered"] == pytest.approx(right[given].mean(), abs=0.004)
    assert got["wrong"] == pytest.approx((given & ~right).mean(), abs=0.003)
    score = (given & right).mean() - penalty * (given & ~right).mean()
    assert got["score"] == pytest.approx(score, abs=0.01) and got["wrong_all"] == pytest.approx((~right).mean(), abs=0.003)


def test_no_threshold_beats_the_fair_one():
    best = abstention_score()["best_score"]
    assert all(abstention_score(threshold=k / 50)["score"] <= best + 1e-12 for k in range(50))
    assert abstention_score(threshold=0.75)["score"] == pytest.approx(best)
    assert abstention_score(penalty=0)["fair_threshold"] == 0
    assert "answered" in plot.draw(abstention_score, abstention_score()).alt
