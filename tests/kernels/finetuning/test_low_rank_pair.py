"""A LoRA pair against one that torch multiplies."""

from __future__ import annotations

import pytest

from kernels.library.finetuning.low_rank_pair import low_rank_pair


@pytest.mark.oracle("low_rank_pair", "a pair that torch multiplies")
def test_the_shapes_multiply_to_the_matrix():
    torch = pytest.importorskip("torch")
    got = low_rank_pair(d_in=48, d_out=20, rank=3)
    a, b = torch.zeros(got["a_rows"], got["a_columns"]), torch.zeros(got["b_rows"], got["b_columns"])
    w = torch.nn.Linear(48, 20, bias=False).weight
    assert (b @ a).shape == w.shape and got["dense"] == w.numel() and got["pair"] == a.numel() + b.numel()


def test_the_example_by_hand():
    got = low_rank_pair()
    assert (got["dense"], got["pair"], got["even_rank"]) == (16_777_216, 65_536, 2048)
    assert low_rank_pair(rank=2048)["share"] == 1
