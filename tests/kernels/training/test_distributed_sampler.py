"""Oracle: counting by hand, ceil and floor."""

import math

import pytest

pytest.importorskip("torch")

from kernels import KernelError
from kernels.library.training.distributed_sampler import distributed_sampler


@pytest.mark.parametrize("samples, ranks", [(10_001, 8), (10, 3), (16, 8), (5, 8), (1, 4)])
def test_padding_is_up_to_the_next_multiple(samples, ranks):
    got = distributed_sampler(samples=samples, ranks=ranks)
    assert got["per_rank"] == math.ceil(samples / ranks)
    assert got["repeated"] == -samples % ranks and got["dropped"] == 0


@pytest.mark.parametrize("samples, ranks", [(10_001, 8), (10, 3), (16, 8)])
def test_drop_last_leaves_out_the_rest(samples, ranks):
    got = distributed_sampler(samples=samples, ranks=ranks, drop_last=True)
    assert (got["per_rank"], got["repeated"], got["dropped"]) == (samples // ranks, 0, samples % ranks)


def test_the_order_repeats_unless_the_epoch_is_set():
    got = distributed_sampler()
    assert got["same_order"] == 1
    assert got["same_order_set"] < 0.002  # two permutations of n agree in one place on average
    assert got["same_rank_set"] == pytest.approx(1 / 8, abs=0.03)


def test_too_few_samples():
    with pytest.raises(KernelError):
        distributed_sampler(samples=3, ranks=8, drop_last=True)
