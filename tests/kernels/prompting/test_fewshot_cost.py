import pytest

from kernels import plot
from kernels.library.prompting.fewshot_cost import fewshot_cost


@pytest.mark.oracle("fewshot_cost", "a day's calls, their tokens priced one by one")
def test_tokens_priced_one_by_one():
    """Ten calls of 6 + 3 * 2 tokens in and 4 out; the cache serves the examples of four of them at a fifth of the price."""
    plain = bill = tokens = 0.0
    for call in range(10):
        for place in range(6 + 3 * 2 + 4):
            price = 3.0 if place < 12 else 9.0
            shown = 6 <= place < 12
            bill += price * (0.2 if shown and call < 4 else 1.0)
            plain += 0 if shown else price
            tokens += shown
    got = fewshot_cost(
        base=6, example=2, examples=3, output=4, price_in=3.0, price_out=9.0, calls=10, cached=0.4, cached_price=0.2, gain=0.25, value=0.5
    )
    assert got["cost_few"] == pytest.approx(bill / 1e6 / 10 * 1000) and got["cost_zero"] == pytest.approx(plain / 1e6 / 10 * 1000)
    assert got["extra_day"] == pytest.approx((bill - plain) / 1e6) and got["extra_tokens_day"] == tokens
    assert got["worth"] * 0.25 == pytest.approx(got["extra_call"]) == pytest.approx(got["worth_gain"] * 0.5)


def test_the_interviewers_numbers():
    """5M calls of 500 tokens at $2.50 and at $0.15 a million; 100 tokens in and 50 out, then 500 in."""
    assert fewshot_cost()["extra_day"] == pytest.approx(6250) and fewshot_cost(price_in=0.15)["extra_month"] == pytest.approx(11_250)
    got = fewshot_cost(base=100, example=80, examples=5, output=50)
    assert got["cost_zero"] == pytest.approx(0.75) and got["cost_few"] == pytest.approx(1.75) and got["token_ratio"] == pytest.approx(5)
    assert fewshot_cost(price_in=10.0)["budget_tokens"] == pytest.approx(50)


def test_the_curve_and_the_figure():
    got = fewshot_cost()
    assert got["sweep"].values("50 tokens out")[5] == pytest.approx(got["cost_few"])
    assert "examples in the prompt" in plot.draw(fewshot_cost, got).alt
