import pytest

from kernels import KernelError
from kernels.library.prompting.fewshot_or_tune import fewshot_or_tune


@pytest.mark.oracle("fewshot_or_tune", "both bills run up call by call until they cross")
def test_bills_run_up():
    """150 + 500 tokens in and 5 out at 0.15 and 0.60 a million, against 150 in and 5 out at twice that, 10 a day and 3 at the start."""
    few = (650 * 0.15 + 5 * 0.6) / 1e6
    tuned = 2 * (150 * 0.15 + 5 * 0.6) / 1e6
    days, a, b = 0, 0.0, 3.0
    while a < b:
        days += 1
        a += 1_000_000 * few
        b += 1_000_000 * tuned + 10
    got = fewshot_or_tune(calls=1e6, hosting=10.0, once=3.0)
    assert days - 1 < got["days"] <= days
    assert got["even_calls"] * (few - tuned) == pytest.approx(10) and got["saved_day"] == pytest.approx(1e6 * (few - tuned) - 10)
    assert got["days_without_premium"] == pytest.approx(3 / (500 * 0.15))


def test_what_never_pays():
    with pytest.raises(KernelError, match="never pays back"):
        fewshot_or_tune(premium=10.0)
    with pytest.raises(KernelError, match="never pays back"):
        fewshot_or_tune(hosting=1e5)
