"""Oracle: samples played through the stages one after the other."""

import pytest

from kernels.library.training.input_demand import input_demand

CASES = [{"storage": 1e6}, {"cores": 2}, {"bus": 1e6, "gpus": 2}, {"samples_per_gpu": 3.0, "gpus": 1}]


@pytest.mark.oracle("input_demand", "samples played through storage, cores, bus and GPUs one by one")
@pytest.mark.parametrize("case", CASES, ids=lambda case: next(iter(case)))
def test_samples_played_through(case):
    given = {"gpus": 4, "samples_per_gpu": 100.0, "sample": 1e4, "storage": 1e7, "cores": 8, "core_time": 1e-2, "decoded": 1e5, "bus": 1e8} | case
    servers = [  # seconds of a sample in one place of a stage, and the places
        (given["sample"] / given["storage"], 1),
        (given["core_time"], given["cores"]),
        (given["decoded"] / given["bus"], given["gpus"]),
        (1 / given["samples_per_gpu"], given["gpus"]),
    ]
    ready, samples = [0.0] * 4000, 4000
    for seconds, places in servers:
        free = [0.0] * places
        for i, at in enumerate(ready):
            ready[i] = free[i % places] = max(at, free[i % places]) + seconds
    rate = samples / 2 / (ready[-1] - ready[samples // 2 - 1])
    found = input_demand(**given)
    assert found["samples"] == pytest.approx(rate, rel=0.01)
    assert found["utilisation"] == pytest.approx(rate / given["gpus"] / given["samples_per_gpu"], rel=0.01)
    assert found["epoch"] == pytest.approx(1e12 / given["storage"]) and found["demand"] == given["gpus"] * given["samples_per_gpu"] * given["sample"]
