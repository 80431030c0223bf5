import math

import pytest

torch = pytest.importorskip("torch")

from kernels.library.training.constant_loss import constant_loss, trained


def test_three_constant_losses():
    got = constant_loss()
    assert got["healthy_loss"] < 0.3 and got["healthy_silent"] < 0.1
    assert got["hot_silent"] > 0.95 and got["hot_gradient"] < 1e-6
    assert got["tiny_silent"] < 0.1 and got["tiny_gradient"] > 0.1
    assert got["tiny_moved"] < 1e-4 > got["hot_moved"]
    assert got["zeros_moved"] < 1e-3


@pytest.mark.parametrize("seed", [1, 2, 3, 4, 5])
def test_on_other_seeds_at_most_a_unit_or_two_survive(seed):
    assert constant_loss(seed=seed)["hot_silent"] > 0.9


def test_silent_units_leave_the_base_rate():
    found = [constant_loss(seed=seed, steps=150) for seed in range(4)]
    got = next(got for got in found if got["hot_silent"] == 1)
    assert got["hot_loss"] == pytest.approx(got["constant"], abs=1e-4) == pytest.approx(got["zeros_loss"], abs=1e-4)
    assert got["constant"] == pytest.approx(math.log(2), abs=0.01)


def test_the_steps_are_those_of_torch():
    random = torch.Generator().manual_seed(1)
    x, labels = torch.randn(32, 20, generator=random), torch.ones(32)
    weights = [torch.randn(s, generator=random) / 4 for s in ((8, 20), (8, 8), (1, 8))]
    layers = [torch.nn.Linear(20, 8), torch.nn.Linear(8, 8), torch.nn.Linear(8, 1)]
    for layer, weight in zip(layers, weights):
        layer.weight.data, layer.bias.data = weight.clone(), torch.zeros_like(layer.bias)
    model = torch.nn.Sequential(layers[0], torch.nn.ReLU(), layers[1], torch.nn.ReLU(), layers[2])
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    want = []
    for _ in range(5):
        optimizer.zero_grad()
        loss = torch.nn.functional.binary_cross_entropy_with_logits(model(x)[:, 0], labels)
        loss.backward()
        optimizer.step()
        want.append(loss.item())
    assert trained(x, labels, [w.clone() for w in weights], 0.1, 5)[0] == pytest.approx(want, rel=1e-5)
