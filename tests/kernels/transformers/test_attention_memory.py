import pytest

from kernels import plot
from kernels.library.transformers.attention_matrix import attention_matrix
from kernels.library.transformers.attention_memory import attention_memory, extra, inputs, longest


def test_naive_holds_two_of_attention_matrix_s_and_the_output():
    here = attention_memory(tokens=4096, heads=32)
    assert here["naive"] == 2 * attention_matrix(tokens=4096, heads=32)["per_layer"] + 4096**2 + inputs(4096, 32, 128, 2) // 3


def test_flash_is_linear():
    one, two = (attention_memory(tokens=n)["flash"] for n in (4096, 8192))
    assert two == 2 * one


@pytest.mark.parametrize("memory", [1e6, 85_520_809_984, 150e9])
def test_longest_is_the_last_that_fits(memory):
    n = longest(memory, 32, 128, 2)
    needed = [inputs(k, 32, 128, 2) + extra(k, 32, 128, 2)["naive"] for k in (n, n + 1)]
    assert needed[0] <= memory < needed[1]


def test_the_figure():
    assert "85.5 GB" in plot.draw(attention_memory, attention_memory(tokens=8192)).alt.replace("\xa0", " ")
