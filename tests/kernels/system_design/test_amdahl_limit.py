"""Amdahl's law against a request of many small pieces, and read backwards by partial_speedup."""

import pytest

from kernels import KernelError
from kernels.library.gpu.partial_speedup import partial_speedup
from kernels.library.system_design.amdahl_limit import amdahl_limit


@pytest.mark.oracle("amdahl_limit", "a thousand pieces of work, those of one part sped up and added one by one")
@pytest.mark.parametrize(("share", "faster"), [(0.2, 2.0), (0.75, 1e9), (0.9, 6.0), (0.0, 3.0)])
def test_piece_by_piece(share, faster):
    pieces = [0.0004 / (faster if k < 1000 * share else 1) for k in range(1000)]
    got = amdahl_limit(share=share, faster=faster)
    assert got["after"] == pytest.approx(sum(pieces)) and got["overall"] == pytest.approx(0.4 / sum(pieces))
    if share and faster < 1e6:
        assert partial_speedup(faster=faster, overall=got["overall"])["share"] == pytest.approx(share)


@pytest.mark.parametrize("share", [0.76, 0.8, 0.9, 0.95])
def test_what_a_target_needs_reaches_it(share):
    needed = amdahl_limit(share=share, asked=True)["needed_faster"]
    assert amdahl_limit(share=share, faster=needed)["overall"] == pytest.approx(4)


def test_three_quarters_for_four_times():
    got = amdahl_limit()
    assert got["needed_share"] == 0.75 and got["floor"] == pytest.approx(0.32) and got["needed_faster"] == 0
    with pytest.raises(KernelError, match="needs more than"):
        amdahl_limit(share=0.75, asked=True)
    assert amdahl_limit(share=0.9999)["ceiling"] == pytest.approx(10_000)
