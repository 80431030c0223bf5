import math
from fractions import Fraction

import pytest

from kernels import KernelError
from kernels.library.data.reservoir_replacements import harmonic, reservoir_replacements


@pytest.mark.parametrize(("k", "n"), [(1, 1), (1, 2), (10, 1000), (999, 1000), (10, 5000), (1000, 3000)])
def test_the_sum_of_k_over_i(k, n):
    exact = sum(Fraction(k, i) for i in range(k + 1, n + 1))
    assert reservoir_replacements(k=k, n=n)["replacements"] == pytest.approx(float(exact), rel=1e-12, abs=1e-12)


def test_harmonic_numbers():
    assert harmonic(4) == pytest.approx(25 / 12, rel=1e-15)
    assert harmonic(10**6) == pytest.approx(14.392726722865723631, rel=1e-15)  # OEIS A001008 / A002805, published to 20 digits
    exact = math.fsum(1 / i for i in range(1, 1002))
    assert harmonic(1001) == pytest.approx(exact, rel=1e-15)  # where the series takes over


def test_a_thousand_of_a_billion():
    result = reservoir_replacements(k=1000, n=1e9)
    assert result["replacements"] == pytest.approx(13815.0106, abs=1e-3)
    assert result["approximation"] == pytest.approx(1000 * math.log(1e6))
    assert result["inclusion"] == 1e-6


def test_a_reservoir_larger_than_its_stream_is_refused():
    with pytest.raises(KernelError, match="at most n"):
        reservoir_replacements(k=11, n=10)
