"""Oracles: the paper's own sizes, zero_memory's parts, and torch's Adam counted tensor by tensor."""

import pytest

from kernels.library.training.zero_memory import zero_memory
from kernels.library.training.zero_offload import zero_offload


def test_13b_on_one_32_gb_gpu():
    """The paper's headline: 13B parameters on a single V100 of 32 GB, a tenfold of the 1.4B that PyTorch alone trains there."""
    got = zero_offload(parameters=13e9, gpus=1, gpu_memory=32e9)
    assert got["offload"] == 26e9 < 32e9
    assert got["fits_whole"] == 2e9 and got["whole"] / got["offload"] == 8  # M to 2M of 16M, section 3.3


def test_the_parts_are_those_of_zero():
    got = zero_offload(parameters=13e9, gpus=4)
    parts = zero_memory(parameters=13e9, gpus=1, stage=0)
    assert got["host_optimizer"] == parts["optimizer"] and got["host"] == parts["optimizer"] + parts["gradients"]
    assert got["offload"] == parts["weights"] and got["offload"] + got["host"] == got["whole"] == parts["per_gpu"]
    assert got["zero_3"] == zero_memory(parameters=13e9, gpus=4, stage=3)["per_gpu"]
    assert got["left_with_gradients"] == parts["weights"] + parts["gradients"]


@pytest.mark.oracle("zero_offload", "torch's Adam, counted tensor by tensor")
def test_bytes_of_an_update():
    torch = pytest.importorskip("torch")
    half, full = torch.zeros(100, dtype=torch.float16), torch.zeros(100)
    read, written = [half, full, full, full], [full, full, full, half]  # gradient, master, moments; master, moments, weight
    moved = sum(tensor.nbytes for tensor in read + written)
    assert zero_offload(parameters=100, gpus=1, host_bandwidth=1.0)["update_time"] == moved


def test_links_share_the_copies():
    one, four = (zero_offload(parameters=13e9, gpus=n) for n in (1, 4))
    assert one["copied"] == four["copied"] == 52e9
    assert one["copy_time"] == pytest.approx(4 * four["copy_time"]) and one["copy_time"] == pytest.approx(52 / 25)
