"""Oracle: statistics.fmean over single tokens."""

from statistics import fmean

import pytest

from kernels.library.training.mean_of_means import mean_of_means


@pytest.mark.oracle("mean_of_means", "statistics.fmean over single tokens")
def test_over_single_tokens():
    result = mean_of_means()
    assert result["token_mean"] == pytest.approx(fmean([4.0] * 10 + [1.0] * 1000))
    assert result["mean_of_means"] == pytest.approx(fmean([fmean([4.0] * 10), fmean([1.0] * 1000)]))
    assert result["weight_ratio"] == pytest.approx((0.5 / 10) / (0.5 / 1000))


def test_equal_counts_agree():
    result = mean_of_means(tokens_a=100, tokens_b=100)
    assert result["token_mean"] == result["mean_of_means"]
