"""Oracles: the softmax gradient in closed form, and the cases in which accumulation has to be exact."""

import pytest

torch = pytest.importorskip("torch")

from kernels.library.training import accumulation_error as file
from kernels.library.training.accumulation_error import accumulation_error


@pytest.fixture(scope="module")
def result():
    return accumulation_error()


def test_a_common_normaliser_is_exact_and_means_are_only_with_equal_counts(result):
    assert result["error_total"] < 1e-14
    assert result["error_means"] > 0.1
    equal = accumulation_error(spread=0.0)
    assert equal["error_means"] < 1e-14 and equal["imbalance"] == 1


def test_bf16_costs_its_rounding_only(result):
    assert 2**-10 < result["error_bf16"] < 2**-6  # 8 significant bits


def test_the_losses_over_the_batch_differ(result):
    assert result["error_batchnorm"] > 0.05 and result["error_contrastive"] > 0.05


def test_the_gradient_in_closed_form():
    random = torch.Generator().manual_seed(0)
    x, w = (torch.randn(*shape, generator=random, dtype=torch.float64) for shape in ((7, 4), (4, 3)))
    y = torch.randint(3, (7,), generator=random)
    expected = x.T @ ((x @ w).softmax(1) - torch.nn.functional.one_hot(y, 3))
    torch.testing.assert_close(file.gradient(file.token_sum, w, x, y), expected)


def test_batchnorm_is_torchs():
    random = torch.Generator().manual_seed(0)
    x, w, target = (torch.randn(*shape, generator=random, dtype=torch.float64) for shape in ((8, 4), (4, 3), (8, 3)))
    expected = torch.nn.functional.mse_loss(torch.nn.functional.batch_norm(x @ w, None, None, training=True), target)
    torch.testing.assert_close(file.batchnorm(w, x, target), expected)


def test_the_error_grows_with_the_spread(result):
    errors = list(result["sweep"].values("error"))
    assert errors == sorted(errors) and errors[0] < 1e-14


def test_counts_that_are_all_below_the_median_stay_unequal():
    """Seed 7005 at width 64: four deviates below 0, so that every micro-batch has fewer than 64 tokens."""
    found = accumulation_error(seed=7005, micro_batches=4, spread=0.25, rows=4, width=64)
    assert found["imbalance"] > 1.1 and found["error_means"] > 0.01
