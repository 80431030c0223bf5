"""Answering only above a confidence: coverage, what is right of the answers, and the score where a wrong answer costs.

Confidence c is calibrated and has the density a c^(a - 1) on (0, 1), so that accuracy is a / (a + 1). Above the threshold t

    answered = 1 - t^a          right = a / (a + 1) (1 - t^(a + 1))          score = right - penalty * wrong

Answering pays where c > penalty / (1 + penalty) (Chow 1970; Kalai et al. 2025, arXiv 2509.04664, on graders that state it). With penalty 0, as
accuracy alone grades, it always pays. A model that states s = c^(1/g) is over-confident for g > 1: its threshold t lies at c = t^g.
"""

from typing import Annotated

from kernels import Bound, Series, kernel

THRESHOLDS = tuple(k / 20 for k in range(20))


@kernel(
    kind="formula",
    outputs={
        **dict.fromkeys(
            ("answered", "right_of_answered", "wrong", "wrong_all", "score", "score_all", "fair_threshold", "best_score", "accuracy_lost"), ""
        ),
        "sweep": Series("threshold", ""),
    },
)
def abstention_score(
    accuracy: Annotated[float, Bound(low=0.05, high=0.95)] = 0.7,
    threshold: Annotated[float, Bound(low=0.0, high=0.99)] = 0.75,
    penalty: Annotated[float, Bound(low=0.0, high=1000.0)] = 3.0,
    overconfidence: Annotated[float, Bound(low=0.1, high=10.0)] = 1.0,
):
    """Shares answered, right of these, and wrong of all questions, and the scores at this threshold and when all is answered.

    wrong_all: wrong when all is answered. fair_threshold: from which confidence an answer pays; best_score: there. accuracy_lost: right answers given
    up, in shares of all questions. sweep: the shares answered and right of these against the stated threshold.
    """
    a = accuracy / (1 - accuracy)

    def shares(t: float) -> tuple[float, float]:
        true = t**overconfidence
        return 1 - true**a, accuracy * (1 - true ** (a + 1))

    answered, right = shares(threshold)
    fair = penalty / (1 + penalty)
    best_answered, best_right = 1 - fair**a, accuracy * (1 - fair ** (a + 1))
    swept = [shares(t) for t in THRESHOLDS]
    return {
        "answered": answered,
        "right_of_answered": right / answered,
        "wrong": answered - right,
        "wrong_all": 1 - accuracy,
        "score": right - penalty * (answered - right),
        "score_all": accuracy - penalty * (1 - accuracy),
        "fair_threshold": fair,
        "best_score": best_right - penalty * (best_answered - best_right),
        "accuracy_lost": accuracy - right,
        "sweep": {"threshold": list(THRESHOLDS), "answered": [n for n, _ in swept], "right": [r / n for n, r in swept]},
    }


@abstention_score.figure
def draw(result, ax):
    from kernels import plot

    plot.height(ax, 220)
    labels = {"answered": "answered", "right": "right of these"}
    plot.lines(ax, result["sweep"], unit="percent", labels=labels, x_label="confidence from which the model answers", y_label="share")
    ax.set_ylim(0, 1.02)
