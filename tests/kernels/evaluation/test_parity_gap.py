"""Oracle: a confusion matrix counted by hand."""

import pytest

from kernels.library.evaluation.parity_gap import parity_gap


@pytest.mark.oracle("parity_gap", "a confusion matrix, counted")
def test_counted_by_hand():
    result = parity_gap()  # of 100 in a: 40 of 50 and 5 of 50 selected; in b: 16 of 20 and 8 of 80
    assert (result["selected_a"], result["selected_b"]) == pytest.approx((0.45, 0.24))
    assert result["gap"] == pytest.approx(0.21)
    assert (result["precision_a"], result["precision_b"]) == pytest.approx((40 / 45, 16 / 24))


@pytest.mark.parametrize("case", [{"base_b": 0.5}, {"tpr": 0.3, "fpr": 0.3}])
def test_no_conflict_with_equal_base_rates_or_a_classifier_that_says_nothing(case):
    assert parity_gap(**case)["gap"] == pytest.approx(0)
