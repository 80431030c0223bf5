"""Oracle: a key written in another base, digit by digit."""

import pytest

from kernels import plot
from kernels.library.prompting.covert_channel import covert_channel


@pytest.mark.oracle("covert_channel", "the largest key, written digit by digit in base k")
@pytest.mark.parametrize("bits", [1, 7, 128, 1000])
@pytest.mark.parametrize("choices", [2, 3, 16, 1000, 10**9])
def test_digits(bits, choices):
    key, digits = 2**bits - 1, 0
    while key:
        key, digits = key // choices, digits + 1
    assert covert_channel(bits=bits, choices=choices)["calls"] == digits


def test_free_text():
    assert covert_channel(bits=600)["free_text_calls"] == 1 and covert_channel(bits=601)["free_text_calls"] == 2
    assert "32 calls" in plot.draw(covert_channel, covert_channel()).alt
