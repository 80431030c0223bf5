"""Oracles: zero_memory (the paper's section 7), and the collectives of a step played through one by one."""

import pytest

from kernels.library.training.hierarchical_allreduce import hierarchical_allreduce
from kernels.library.training.zero_memory import zero_memory
from kernels.library.training.zero_traffic import zero_traffic

CASE = {"parameters": 7e9, "nodes": 8, "rate": 400e12}


def test_one_micro_batch_is_the_papers():
    got = zero_traffic(**CASE)
    for stage in range(4):
        assert got[f"sent_{stage}"] == pytest.approx(zero_memory(parameters=7e9, gpus=64, stage=stage)["sent"])


@pytest.mark.parametrize("micro_steps", [1, 2, 8])
def test_collectives_one_by_one(micro_steps):
    calls = {stage: [] for stage in range(4)}
    for _ in range(micro_steps):
        calls[3] += ["gather for forward", "gather for backward", "scatter"]
        calls[2] += ["scatter"]
    calls[2] += ["gather"]
    calls[1] += ["scatter", "gather"]
    calls[0] += ["scatter", "gather"]
    got = zero_traffic(**CASE, micro_steps=micro_steps)
    assert [got[f"units_{stage}"] for stage in range(4)] == [len(calls[stage]) for stage in range(4)]


@pytest.mark.parametrize("parameters", [1e9, 70e9])
def test_break_even_computes_as_long_as_it_sends_whatever_the_model(parameters):
    got = zero_traffic(**{**CASE, "parameters": parameters})
    assert got["tokens_3"] * 6 * parameters / 400e12 == pytest.approx(got["time_3"])
    assert got["tokens_3"] == pytest.approx(400e12 / 400e9 * 63 / 64)
    assert got["tokens_1"] / got["tokens_3"] == pytest.approx(2 / 3)


def test_small_buckets_hide_behind_the_backward_pass_from_those_tokens_on():
    from kernels.library.training.ddp_overlap import ddp_overlap

    free = {"inside_latency": 0.0, "across_latency": 0.0}
    for factor, hidden in ((1.1, True), (0.9, False)):
        tokens = factor * zero_traffic(**CASE)["tokens_0"]
        step = ddp_overlap(size=14e9, backward=4 * 7e9 * tokens / 400e12, nodes=8, bucket=14e6, **free)
        assert (step["exposed"] < 0.01 * step["communication"]) is hidden


def test_the_time_is_that_of_the_rings():
    got = zero_traffic(**CASE)
    assert got["time_1"] == pytest.approx(hierarchical_allreduce(nodes=8, per_node=8, size=14e9)["bytes_time"])


def test_one_card_a_node_takes_eight_times_as_long_and_one_node_none_of_it():
    one, eight = zero_traffic(**CASE, across_bandwidth=50e9 / 8), zero_traffic(**CASE)
    assert one["tokens_3"] == pytest.approx(8 * eight["tokens_3"]) and one["sent_3"] == eight["sent_3"]
    assert zero_traffic(parameters=7e9, nodes=1, rate=400e12)["bus"] == 450e9
