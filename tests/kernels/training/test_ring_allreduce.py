"""Oracles: torch's own sum, and the closed form 2 N (n-1)/n of Patarasuk and Yuan 2009."""

import pytest

torch = pytest.importorskip("torch")

from kernels import KernelError
from kernels.library.training import ring_allreduce as file
from kernels.library.training.allreduce_cost import allreduce_cost
from kernels.library.training.ring_allreduce import ring_allreduce


@pytest.mark.parametrize("gpus", [2, 3, 8, 16])
def test_every_gpu_sends_the_lower_bound(gpus):
    got = ring_allreduce(gpus=gpus, elements=240)
    least = 2 * 240 * (gpus - 1) // gpus
    assert got["most_sent"] == got["least_sent"] == least == allreduce_cost(gpus=gpus, size=240, bandwidth=1.0)["sent_per_gpu"]
    assert got["scatter_sent"] == got["gather_sent"] == least // 2
    assert got["total_sent"] == gpus * least
    assert got["held_after_scatter"] == pytest.approx(1 / gpus)


@pytest.mark.parametrize("gpus", [2, 5, 8])
def test_the_phases_are_torchs_sum(gpus):
    integers = torch.randint(-100, 100, (gpus, gpus, 7)).double()  # sums are exact in any order
    held, sent = integers.clone(), torch.zeros(gpus, dtype=torch.int64)
    file.reduce_scatter(held, sent)
    for g in range(gpus):
        assert torch.equal(held[g][(g + 1) % gpus], integers.sum(0)[(g + 1) % gpus])
    file.all_gather(held, sent)
    assert all(torch.equal(each, integers.sum(0)) for each in held)


def test_all_end_with_the_same_bits_near_the_exact_sum():
    got = ring_allreduce()
    assert got["differing"] == 0 and got["error"] < 1e-6
    assert (got["total_sent"], got["naive_total"], got["naive_sent"]) == (11200, 44800, 5600)


def test_unequal_chunks_are_refused():
    with pytest.raises(KernelError):
        ring_allreduce(gpus=7, elements=800)
