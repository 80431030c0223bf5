"""Oracles: torchmetrics for ECE and MCE, scikit-learn for Brier and NLL, closed forms where all confidences are equal."""

import math

import pytest

torch = pytest.importorskip("torch")

from kernels import plot
from kernels.library.evaluation import calibration as file
from kernels.library.evaluation.calibration import calibration


@pytest.fixture(scope="module")
def result():
    return calibration(n=4000)


@pytest.fixture(scope="module")
def predictions():
    random = torch.Generator().manual_seed(1)
    sure = file.confidences(3000, 0.9, 1.5, random)
    return sure, file.answers(sure - 0.1, 2400, random)


def test_torchmetrics_agrees_on_ece_and_mce(predictions):
    metrics = pytest.importorskip("torchmetrics.functional.classification")
    sure, right = predictions
    # Three classes with the answer's confidence on the first, so that the answer is always the first and right where the label is 0.
    scores = torch.stack([sure, (1 - sure) * 0.5, (1 - sure) * 0.5], 1)[sure > 0.5]
    labels = (1 - right[sure > 0.5]).long()
    table = file.bin_table(sure[sure > 0.5], right[sure > 0.5], 15)
    gaps = (table["accuracy"] - table["confidence"]).abs()
    for norm, ours in (("l1", (table["share"] * gaps).sum()), ("max", gaps.max())):
        theirs = metrics.multiclass_calibration_error(scores, labels, num_classes=3, n_bins=15, norm=norm)
        assert ours.item() == pytest.approx(theirs.item(), rel=1e-5)
    assert file.expected_calibration_error(sure, right, 15).item() == pytest.approx(calibration_error_by_hand(sure, right), rel=1e-12)


def calibration_error_by_hand(sure, right, bins=15):
    total = 0.0
    for b in range(bins):
        inside = [(c, r) for c, r in zip(sure.tolist(), right.tolist()) if b / bins < c <= (b + 1) / bins]
        total += abs(sum(c - r for c, r in inside))
    return total / len(sure)


def test_scikit_learn_agrees_on_brier_and_nll():
    metrics = pytest.importorskip("sklearn.metrics")
    random = torch.Generator().manual_seed(0)
    sure = file.confidences(4000, 0.89, 1.5, random)
    right = file.answers(0.88 + sure - 0.89, 3520, random)
    result = calibration(n=4000)  # draws the same predictions first
    assert result["brier_a"] == pytest.approx(metrics.brier_score_loss(right.numpy(), sure.numpy()), rel=1e-12)
    assert result["nll_a"] == pytest.approx(metrics.log_loss(right.numpy(), sure.numpy()), rel=1e-12)


@pytest.mark.parametrize(("model", "gap", "nll"), [("a", 0.01, 0.367), ("b", 0.11, 0.561)])
def test_constant_confidence_has_closed_forms(model, gap, nll):
    result = calibration(n=1000, spread=0.0)
    confidence = 0.88 + gap
    assert result[f"ece_{model}"] == pytest.approx(gap, abs=1e-12)
    assert result[f"mce_{model}"] == pytest.approx(gap, abs=1e-12)
    assert result[f"brier_{model}"] == pytest.approx(0.88 * (1 - confidence) ** 2 + 0.12 * confidence**2)
    assert result[f"nll_{model}"] == pytest.approx(result[f"nll_constant_{model}"], rel=1e-12) == pytest.approx(nll, abs=5e-4)


def test_means_are_exactly_as_asked(result):
    for model, confidence in (("a", 0.89), ("b", 0.99)):
        assert result[f"accuracy_{model}"] == pytest.approx(0.88, abs=1e-12)
        assert result[f"mean_confidence_{model}"] == pytest.approx(confidence, abs=1e-9)
        assert result[f"gap_{model}"] <= result[f"ece_{model}"] + 1e-12 <= result[f"mce_{model}"]


def test_more_bins_never_lower_the_error_of_nested_bins():
    errors = [calibration(n=2000, bins=bins)["ece_a"] for bins in (1, 5, 15, 60)]
    assert errors == sorted(errors) and errors[0] == pytest.approx(0.01, abs=1e-9)


def test_the_gap_of_means_hides_what_cancels():
    result = calibration(tracking=0.0)
    assert result["gap_a"] == pytest.approx(0.01, abs=1e-9) and result["ece_a"] > 0.08


def test_accuracy_follows_confidence_at_the_given_distance():
    result = calibration(n=100_000)
    for sure, right, share in zip(*(result[name].values("a") for name in ("confidence", "reliability", "filled"))):
        if sure and sure > 0.1 and share:
            assert right == pytest.approx(sure - 0.01, abs=4.5 * math.sqrt(0.25 / (100_000 * share)))


def test_answers_are_drawn_with_their_chances():
    chance = torch.tensor([0.1, 0.5, 0.9, 0.5, 1.0], dtype=torch.float64)
    random = torch.Generator().manual_seed(0)
    drawn = torch.stack([file.answers(chance, 3, random) for _ in range(2000)])
    assert (drawn.sum(1) == 3).all() and set(drawn.unique().tolist()) == {0.0, 1.0}
    assert (drawn.mean(0) - chance).abs().max() < 4 * math.sqrt(0.25 / 2000)


def test_the_seed_decides_all():
    assert calibration(n=500).outputs == calibration(n=500).outputs != calibration(n=500, seed=1).outputs


@pytest.mark.parametrize("parameters", [{}, {"n": 200}, {"spread": 0.0}, {"accuracy": 0.5, "confidence_a": 0.5, "confidence_b": 0.9}])
def test_the_figure(parameters):
    drawn = plot.draw(calibration, calibration(**parameters))
    assert "Reliability diagram. A lies near the diagonal: mean confidence" in drawn.alt
    assert "B lies below the diagonal" in drawn.alt


def test_the_figure_says_where_a_model_lies_that_knows_nothing():
    drawn = plot.draw(calibration, calibration(tracking=0.0, spread=2.5))
    assert "A lies across the diagonal: mean confidence 89%, accuracy 88%" in drawn.alt
