"""Oracle: real torch tensors of a small model, counted in bytes."""

import pytest

torch = pytest.importorskip("torch")

from kernels.library.training.dataparallel_root import dataparallel_root


def size(tensors) -> int:
    return sum(t.numel() * t.element_size() for t in tensors)


@pytest.mark.parametrize("moments, optimizer", [(2, torch.optim.Adam), (0, torch.optim.SGD)])
def test_states_are_those_of_a_real_step(moments, optimizer):
    torch.manual_seed(0)
    model = torch.nn.Linear(512, 256, bias=False)
    step = optimizer(model.parameters(), lr=0.1)
    outputs = model(torch.randn(32, 512))
    outputs.sum().backward()
    step.step()
    replica = size(model.parameters()) + size(p.grad for p in model.parameters())
    states = [t for state in step.state.values() for t in state.values() if torch.is_tensor(t) and t.dim()]
    got = dataparallel_root(parameters=512 * 256, gpus=4, outputs=32 * 256, moments=moments)
    assert got["other_states"] == replica
    assert got["root_states"] == replica + size(states)
    assert got["gathered"] == size([outputs]) and got["arriving"] == size([outputs]) * 3 / 4
    assert got["states_ratio"] == 1 + moments / 2


def test_activations_hide_it_and_outputs_bring_it_back():
    assert dataparallel_root(parameters=1e6, gpus=8, outputs=0, activations=1e12)["ratio"] == pytest.approx(1, abs=1e-4)
    assert dataparallel_root(parameters=1, gpus=8, outputs=1e9, activations=4e9)["ratio"] == pytest.approx(2)


def test_a_batch_put_on_gpu_0_lies_there_whole():
    batch, case = torch.zeros(16, 3, 8, 8), {"parameters": 1000, "gpus": 8, "outputs": 160, "activations": 1e6}
    got, without = dataparallel_root(**case, inputs=size([batch])), dataparallel_root(**case)
    assert got["root"] - without["root"] == size([batch]) and got["other"] == without["other"]


@pytest.mark.parametrize("chain", [False, True])
def test_weights_reach_every_gpu(chain):
    has, sent = {0}, dict.fromkeys(range(8), 0)
    for gpu in range(1, 8):
        source = gpu - 1 if chain else 0
        assert source in has
        sent[source] += 4 * 1000
        has.add(gpu)
    got = dataparallel_root(parameters=1000, gpus=8, outputs=0)
    assert has == set(range(8)) and sent[0] == got["sent_chain" if chain else "sent_copies"]
    assert max(sent.values()) == sent[0] and got["model"] == 4000
