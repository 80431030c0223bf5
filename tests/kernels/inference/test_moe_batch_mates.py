"""Drops of a prompt among other tokens, against a queue filled token by token and against the closed form of balanced routing."""

import pytest

torch = pytest.importorskip("torch")

from kernels import KernelError
from kernels.library.inference.moe_batch_mates import moe_batch_mates
from kernels.library.inference.moe_capacity import capacity, moe_capacity
from kernels.library.inference.moe_dispatch import places

SMALL = {"tokens": 512, "prompt": 16, "experts": 16}


def test_places_are_those_of_a_queue_filled_token_by_token():
    random = torch.Generator().manual_seed(1)
    chosen = torch.randn(200, 16, generator=random).topk(4, -1).indices
    waiting = [0] * 16
    for token, row in enumerate(chosen.tolist()):
        for slot, expert in enumerate(row):
            assert places(chosen, 16)[token, slot] == waiting[expert]
            waiting[expert] += 1


def test_with_balanced_routing_the_closed_forms_share_is_dropped():
    found = [moe_batch_mates(skew=0.0, factor=1.0, top_k=1, seed=seed, **SMALL)["dropped"] for seed in range(10)]
    expected = moe_capacity(tokens=512, experts=16, factor=1.0)["dropped"]
    assert sum(found) / len(found) == pytest.approx(expected, rel=0.05)


def test_with_room_for_all_nothing_is_dropped_or_changes():
    got = moe_batch_mates(factor=16.0, top_k=2, **SMALL)
    assert got["dropped"] == got["prompt_dropped"] == got["batches_changed"] == 0 and capacity(512, 16, 2, 16.0) == 1024


def test_a_skewed_router_makes_the_company_matter():
    got = moe_batch_mates(skew=0.5, top_k=4, **SMALL)
    assert got["fullest"] > 1.5 and got["batches_changed"] > 0.2 and got["prompt_dropped"] > 0


def test_what_makes_no_sense_is_refused():
    with pytest.raises(KernelError, match="top_k is 9"):
        moe_batch_mates(experts=8, top_k=9)
    with pytest.raises(KernelError, match="prompt is 64"):
        moe_batch_mates(tokens=64)
