import math

import pytest

torch = pytest.importorskip("torch")

from kernels.library.transformers.attention_scaling import attention_scaling, scores


@pytest.mark.parametrize("width, spread", [(1, 1.0), (64, 1.0), (512, 1.0), (64, 2.0)])
@pytest.mark.oracle("attention_scaling", "the variance of a sum of independent products, d times the fourth power of the spread")
def test_the_deviation_is_that_of_a_sum_of_products(width, spread):
    got = attention_scaling(width=width, spread=spread)
    assert got["raw_std"] == pytest.approx(math.sqrt(width) * spread**2, rel=0.1)
    assert got["scaled_variance"] == pytest.approx(spread**4, rel=0.2)


def test_scores_are_those_of_keys_drawn_one_by_one():
    """The short cut (given q, the sum is normal) against dot products of drawn keys: the same quantiles, of large samples."""
    random = torch.Generator().manual_seed(1)
    q, k = (torch.randn(n, 16, generator=random, dtype=torch.float64) for n in (400, 400))
    drawn, short = (q @ k.T).flatten(), scores(16, 600, 1.0, random).flatten()
    for share in (0.01, 0.25, 0.5, 0.9, 0.99):
        assert torch.quantile(drawn, share).item() == pytest.approx(torch.quantile(short, share).item(), abs=0.5)


def test_the_trace_is_that_of_autograd_s_derivative():
    row = scores(32, 20, 1.0, torch.Generator().manual_seed(0))[0]
    jacobian = torch.autograd.functional.jacobian(lambda s: torch.softmax(s, 0), row)
    assert jacobian.trace().item() == pytest.approx(1 - torch.softmax(row, 0).square().sum().item())


def test_without_the_root_one_key_takes_the_weight_and_the_derivative_goes():
    got = attention_scaling(width=512, keys=64)
    assert got["raw_largest"] > 0.85 > 0.2 > got["scaled_largest"]
    assert got["raw_slope"] < 0.2 < 0.9 < got["scaled_slope"] and got["raw_typical"] < 0.05


def test_t5_s_start_needs_no_division():
    """Query weights smaller by the root of the width leave raw scores of variance 1."""
    assert attention_scaling(width=64, spread=64**-0.25)["raw_std"] == pytest.approx(1, rel=0.05)
