"""ZeRO against the paper's figure 1 and table 1 (arXiv 1910.02054), and against a simulated sharding."""

from __future__ import annotations

import pytest

from kernels.library.training.zero_memory import zero_memory


@pytest.mark.parametrize("stage, gigabytes", [(0, 120), (1, 31.4), (2, 16.6), (3, 1.88)])  # the last as table 1 prints it, 1.9 in the figure
def test_figure_1(stage, gigabytes):
    assert zero_memory(parameters=7.5e9, gpus=64, stage=stage)["per_gpu"] / 1e9 == pytest.approx(gigabytes, rel=0.005)


# table 1: per-device memory in GB, by model size and number of GPUs, for stages 1, 2, 3
TABLE = {
    (7.5e9, 1): (120, 120, 120),
    (7.5e9, 4): (52.5, 41.3, 30),
    (7.5e9, 16): (35.6, 21.6, 7.5),
    (7.5e9, 64): (31.4, 16.6, 1.88),
    (7.5e9, 256): (30.4, 15.4, 0.47),
    (7.5e9, 1024): (30.1, 15.1, 0.12),
    (128e9, 4): (896, 704, 512),
    (128e9, 16): (608, 368, 128),
    (128e9, 64): (536, 284, 32),
    (128e9, 1024): (513, 257, 2),
    (1e12, 64): (4187, 2218, 250),
    (1e12, 1024): (4011, 2013, 15.6),
}


@pytest.mark.parametrize("parameters, gpus", TABLE)
def test_table_1(parameters, gpus):
    for stage, printed in zip((1, 2, 3), TABLE[parameters, gpus]):
        assert zero_memory(parameters=parameters, gpus=gpus, stage=stage)["per_gpu"] / 1e9 == pytest.approx(printed, rel=0.005, abs=0.006)


def test_savings_approach_4_8_and_n():
    """Section 1: 4 times, 8 times, and linear in the number of GPUs."""
    savings = [zero_memory(parameters=1e9, gpus=4096, stage=stage)["saving"] for stage in range(4)]
    assert savings == pytest.approx([1, 4, 8, 4096], rel=0.005)


def test_communication_is_that_of_data_parallelism_and_half_more_in_stage_3():
    """Section 7."""
    assert [zero_memory(parameters=10, gpus=4, stage=stage)["communication"] for stage in range(4)] == [1, 1, 1, 1.5]


def test_sharding_tensors_for_real_gives_the_same_bytes():
    parameters, gpus = 4096, 8
    bytes_of = {"weights": 2, "gradients": 2, "optimizer": 12}
    split = {1: {"optimizer"}, 2: {"optimizer", "gradients"}, 3: set(bytes_of)}
    for stage, sharded in split.items():
        devices = [0] * gpus
        for part, size in bytes_of.items():
            for index in range(parameters):
                for gpu in [index % gpus] if part in sharded else range(gpus):
                    devices[gpu] += size
        assert set(devices) == {zero_memory(parameters=parameters, gpus=gpus, stage=stage)["per_gpu"]}
