"""Oracle: a layer cut up and played through in torch, whose sums are counted, and Megatron-LM's own statement of four a layer."""

import pytest

from kernels import KernelError
from kernels.library.training.allreduce_cost import allreduce_cost
from kernels.library.training.tensor_parallel import tensor_parallel

torch = pytest.importorskip("torch")

GPT3 = {"width": 12288, "tokens": 2048, "gpus": 8, "layers": 96}


def split(x, first, second, gpus):
    """Column-split, then row-split; the parts that the GPUs hold before they are added, and how wide the first part was."""
    parts = [torch.nn.functional.gelu(x @ a) @ b for a, b in zip(first.chunk(gpus, 1), second.chunk(gpus, 0))]
    return parts, first.chunk(gpus, 1)[0].shape[1]


def test_columns_then_rows_need_one_sum():
    torch.manual_seed(0)
    x, first, second = torch.randn(5, 24).double(), torch.randn(24, 96).double(), torch.randn(96, 24).double()
    parts, columns = split(x, first, second, 4)
    whole = torch.nn.functional.gelu(x @ first) @ second
    torch.testing.assert_close(sum(parts), whole)
    assert parts[0].shape == x.shape and columns == 4 * tensor_parallel(width=24, tokens=5, gpus=4)["columns"]


def test_rows_first_would_need_a_sum_before_the_gelu():
    torch.manual_seed(0)
    x, first = torch.randn(5, 24).double(), torch.randn(24, 96).double()
    parts = [a @ b for a, b in zip(x.chunk(4, 1), first.chunk(4, 0))]
    gelu = torch.nn.functional.gelu
    torch.testing.assert_close(gelu(sum(parts)), gelu(x @ first))
    assert not torch.allclose(sum(map(gelu, parts)), gelu(x @ first))


def test_the_gradient_of_the_input_is_a_sum_over_gpus_too():
    torch.manual_seed(0)
    first, second = torch.randn(24, 96).double(), torch.randn(96, 24).double()
    inputs = [torch.ones(5, 24).double().requires_grad_() for _ in range(4)]
    whole = torch.ones(5, 24).double().requires_grad_()
    for x, a, b in zip(inputs, first.chunk(4, 1), second.chunk(4, 0)):
        (torch.nn.functional.gelu(x @ a) @ b).sum().backward()
    (torch.nn.functional.gelu(whole @ first) @ second).sum().backward()
    torch.testing.assert_close(sum(x.grad for x in inputs), whole.grad)


def test_the_traffic_is_four_ring_all_reduces():
    got = tensor_parallel(**GPT3)
    ring = allreduce_cost(gpus=8, size=2048 * 12288 * 2, bandwidth=450e9)
    assert got["sent"] == pytest.approx(4 * ring["sent_per_gpu"]) and got["inside_time"] == pytest.approx(4 * ring["time"])
    assert got["sent_model"] == pytest.approx(96 * got["sent"])
    assert got["layer_weights"] * 8 * 96 / 2 == pytest.approx(175e9, rel=0.01)  # GPT-3


def test_the_share_does_not_depend_on_the_tokens():
    few, many = tensor_parallel(**GPT3), tensor_parallel(**{**GPT3, "tokens": 65536})
    assert few["across_share"] == pytest.approx(many["across_share"])
    assert few["across_share"] == pytest.approx(16 * 7 / (72 * 12288) * 400e12 / 50e9)


def test_uneven_columns():
    with pytest.raises(KernelError, match="multiple of gpus"):
        tensor_parallel(width=100, tokens=1, gpus=8)
