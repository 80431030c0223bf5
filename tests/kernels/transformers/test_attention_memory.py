import pytest

from kernels import plot
from kernels.library.transformers.attention_matrix import attention_matrix
from kernels.library.transformers.attention_memory import attention_memory, extra, inputs, longest


@pytest.mark.oracle("attention_memory", "the tensors of both ways in torch, counted in bytes")
@pytest.mark.parametrize("dtype", ["bf16", "fp32"])
def test_tensors_of_both_ways(dtype):
    torch = pytest.importorskip("torch")
    kind = {"bf16": torch.bfloat16, "fp32": torch.float32}[dtype]
    with torch.device("meta"):
        scores, softmax, mask = torch.empty(3, 50, 50, dtype=kind), torch.empty(3, 50, 50, dtype=kind), torch.empty(50, 50, dtype=torch.bool)
        output, sums = torch.empty(3, 50, 16, dtype=kind), torch.empty(3, 50)
        queries_keys_values = torch.empty(3, 3, 50, 16, dtype=kind)
    found = attention_memory(tokens=50, heads=3, head_dim=16, dtype=dtype)
    assert found["naive"] == scores.nbytes + softmax.nbytes + mask.nbytes + output.nbytes
    assert found["flash"] == sums.nbytes + output.nbytes and found["inputs"] == queries_keys_values.nbytes
    assert found["traffic_naive"] == 2 * (scores.nbytes + softmax.nbytes)  # each written once and read once


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
