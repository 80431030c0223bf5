import math

import pytest

from kernels.declare import KernelError
from kernels.library.evaluation.gap_sample_size import gap_sample_size


@pytest.mark.parametrize(
    ("gap", "accuracy", "power", "examples"),
    [
        (0.01, 0.88, 0.5, 4057),  # 1.96^2 * 0.1056 / 0.01^2 = 4056.7
        (0.11, 0.88, 0.5, 34),
        (0.05, 0.5, 0.5, 385),  # the textbook's "385 for 5 points at 95 %"
        (0.01, 0.88, 0.8, 8289),  # (1.96 + 0.8416)^2 * 0.1056 / 0.01^2
    ],
)
def test_textbook_values(gap, accuracy, power, examples):
    assert gap_sample_size(gap=gap, accuracy=accuracy, power=power)["examples"] == examples


def test_the_gap_is_z_standard_errors_at_that_size():
    result = gap_sample_size(gap=0.001)
    assert result["z"] == pytest.approx(1.959963984540054, abs=1e-12)
    assert result["z"] * result["standard_error"] == pytest.approx(0.001, rel=1e-5)


def test_scipy_agrees_on_the_power():
    stats = pytest.importorskip("scipy.stats")
    n = gap_sample_size(gap=0.02, accuracy=0.88, power=0.9)["examples"]
    error = math.sqrt(0.88 * 0.12 / n)
    assert stats.norm.sf(stats.norm.ppf(0.975) - 0.02 / error) == pytest.approx(0.9, abs=1e-3)


def test_no_gap_needs_no_size():
    with pytest.raises(KernelError, match="at least"):
        gap_sample_size(gap=0.0)
