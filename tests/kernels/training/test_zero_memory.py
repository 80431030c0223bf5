"""ZeRO (arXiv 1910.02054) against a simulated sharding; the paper's table 1 stands in published.yml."""

from __future__ import annotations

import pytest

from kernels.library.training.zero_memory import zero_memory


def test_savings_approach_4_8_and_n():
    """Section 1: 4 times, 8 times, and linear in the number of GPUs."""
    savings = [zero_memory(parameters=1e9, gpus=4096, stage=stage)["saving"] for stage in range(4)]
    assert savings == pytest.approx([1, 4, 8, 4096], rel=0.005)


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
