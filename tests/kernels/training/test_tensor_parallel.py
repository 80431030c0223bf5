"""Oracle: a layer cut up and played through in torch, whose sums are counted, and Megatron-LM's own statement of four a layer."""

import pytest

from kernels import KernelError
from kernels.library.training.allreduce_cost import allreduce_cost
from kernels.library.training.hierarchical_allreduce import hierarchical_allreduce
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
    ring = allreduce_cost(gpus=8, size=2048 * 12288 * 2, bandwidth=450e9, latency=3.4e-6)
    assert got["sent"] == pytest.approx(4 * ring["sent_per_gpu"]) and got["inside_time"] == pytest.approx(4 * ring["time"])
    assert got["sent_model"] == pytest.approx(96 * got["sent"])
    assert got["layer_weights"] * 8 * 96 / 2 == pytest.approx(175e9, rel=0.01)  # GPT-3


@pytest.mark.parametrize("gpus, nodes, name", [(8, 2, "halves"), (8, 8, "across"), (16, 2, "halves"), (16, 16, "across")])
def test_spread_over_nodes_they_are_all_reduces_of_the_cluster(gpus, nodes, name):
    got = tensor_parallel(**{**GPT3, "gpus": gpus})
    one = hierarchical_allreduce(nodes=nodes, per_node=gpus // nodes, size=2048 * 12288 * 2)
    assert got[f"{name}_time"] == pytest.approx(4 * min(one["flat_time"], one["tree_time"]))


def test_the_computation_is_counted_by_torch():
    """FLOP of a layer's forward and backward, full attention, whose scores a causal kernel halves."""
    from torch.utils.flop_counter import FlopCounterMode

    width, tokens = 64, 32
    x = torch.randn(1, tokens, width, requires_grad=True)
    matrices = [torch.randn(width, k * width, requires_grad=True) for k in (1, 1, 1, 1, 4)]
    down = torch.randn(4 * width, width, requires_grad=True)
    with FlopCounterMode(display=False) as counter:
        q, k, v = (x @ matrix for matrix in matrices[:3])
        mixed = torch.nn.functional.gelu((q @ k.mT).softmax(-1) @ v @ matrices[3] @ matrices[4]) @ down
        mixed.sum().backward()
    full = tensor_parallel(width=width, tokens=tokens, gpus=2, rate=1.0)["compute"] * 2
    assert counter.get_total_flops() == pytest.approx(full + 6 * width * tokens**2)


def test_without_latency_the_share_hardly_depends_on_the_tokens():
    free = {"inside_latency": 0.0, "across_latency": 0.0}
    few, many = tensor_parallel(**{**GPT3, "tokens": 1024}, **free), tensor_parallel(**{**GPT3, "tokens": 4096}, **free)
    assert few["across_share"] == pytest.approx(many["across_share"], rel=0.03)
    assert tensor_parallel(**{**GPT3, "tokens": 1}, **free)["across_share"] == pytest.approx(16 * 7 / (72 * 12288) * 400e12 / 50e9, rel=1e-4)


def test_uneven_columns():
    with pytest.raises(KernelError, match="multiple of gpus"):
        tensor_parallel(width=100, tokens=1, gpus=8)
