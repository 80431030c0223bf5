import pytest

from kernels import KernelError, plot
from kernels.library.gpu.partial_speedup import partial_speedup


@pytest.mark.oracle("partial_speedup", "a job put together of known parts")
def test_a_job_of_known_parts():
    whole, part, faster = 100.0, 30.0, 4.0  # seconds
    result = partial_speedup(faster=faster, overall=whole / (whole - part + part / faster))
    assert result["share"] == pytest.approx(part / whole)
    assert result["limit"] == pytest.approx(whole / (whole - part))


def test_more_than_the_part_is_refused():
    with pytest.raises(KernelError, match="less than its part"):
        partial_speedup(faster=2, overall=2)


def test_the_figure():
    assert "5 times gives 1.2" in plot.draw(partial_speedup, partial_speedup(faster=5, overall=1.2)).alt
