"""The last page's empty slots against every length counted, and dice."""

import random

import pytest

from kernels.library.serving.block_waste import block_waste


@pytest.mark.oracle("block_waste", "the empty slots of every length counted, over whole pages of them")
@pytest.mark.parametrize("size", [1, 2, 5, 16, 256])
def test_every_length_counted(size):
    lengths = range(1, 12 * size + 1)
    empty = [-length % size for length in lengths]
    got = block_waste(block_size=size)
    assert got["empty"] == pytest.approx(sum(empty) / len(empty))
    assert got["worst_bytes"] == max(empty) * got["per_token"]


def test_the_share_with_dice():
    dice = random.Random(5)
    lengths = [dice.randint(1, 999) for _ in range(50_000)]
    given = sum(-(-n // 16) * 16 for n in lengths)
    assert block_waste(length=sum(lengths) / len(lengths))["share"] == pytest.approx(1 - sum(lengths) / given, rel=0.02)


def test_llama_3_8b_by_hand():
    got = block_waste()
    assert got["per_token"] == 2 * 32 * 8 * 128 * 2 and got["page"] == 2**21
    assert got["empty_bytes"] == 7.5 * 131_072
