"""The split of memory against table 1 of the PagedAttention paper (arXiv 2309.06180), which mixes gigabytes and gibibytes."""

import pytest

from kernels import KernelError
from kernels.library.serving.kv_split import kv_split

GIB = 2**30


@pytest.mark.oracle("kv_split", "Kwon et al. 2023, PagedAttention, arXiv 2309.06180, table 1 and figures 2 and 13a")
@pytest.mark.parametrize(
    "model, weights, memory, region, slots",
    [("opt-13b", 26e9, 40 * GIB, 12 * GIB, 15_700), ("opt-66b", 132e9, 160 * GIB, 21.3 * GIB, 9_700)],
)
def test_table_1(model, weights, memory, region, slots):
    """The table rounds 66B's region to 21 GB, which its own 9.7K slots put at 21.3."""
    got = kv_split(model=model, memory=memory, region=region)
    assert got["weights"] == pytest.approx(weights, rel=0.02)
    assert got["slots"] == pytest.approx(slots, rel=0.005)


def test_opt_13b_by_hand():
    got = kv_split()
    assert got["per_token"] == 2 * 40 * 5120 * 2 == 819_200
    assert got["sequence"] == 2048 * 819_200
    assert got["slots"] == 12 * GIB // 819_200 and got["requests"] == 7  # Orca (Max) in figure 13a
    assert got["weights_share"] + got["region_share"] + got["rest_share"] == pytest.approx(1)
    assert got["region_share"] == pytest.approx(0.3)
    assert got["wasted_share"] == pytest.approx(0.796 * 0.3)
    assert got["nominal_share"] == pytest.approx(12.853 * 2 / 40, rel=1e-3)


def test_what_does_not_fit_is_refused():
    with pytest.raises(KernelError, match="give at least"):
        kv_split(region=20 * GIB)
