import pytest

torch = pytest.importorskip("torch")

from kernels import KernelError, plot
from kernels.library.training.gradient_leakage import gradient_leakage, gradients


def test_the_gradients_are_autograds():
    torch.manual_seed(0)
    layer = torch.nn.Linear(5, 7).double()
    torch.nn.init.zeros_(layer.bias)
    x, labels = torch.randn(4, 5).double(), torch.tensor([0, 3, 3, 6])
    torch.nn.functional.cross_entropy(layer(x), labels).backward()
    rows, bias = gradients(layer.weight.detach(), x, labels)
    torch.testing.assert_close(rows, layer.weight.grad)
    torch.testing.assert_close(bias, layer.bias.grad)


def test_few_classes_and_confident_logits_mix_a_batch_up():
    sure = [gradient_leakage(classes=10, scale=2.0, seed=seed)["batch_match"] for seed in range(5)]
    assert min(sure) < 0.9 < min(gradient_leakage(classes=1000, scale=2.0, seed=seed)["batch_match"] for seed in range(5))


def test_a_batch_needs_as_many_classes():
    with pytest.raises(KernelError, match="at most classes"):
        gradient_leakage(classes=4, batch=8)


@pytest.mark.parametrize("seed", [0, 1])
def test_one_example_is_exact_and_one_label_for_all_mixes_to_the_mean(seed):
    found = gradient_leakage(batch=16, seed=seed)
    assert found["error"] < 1e-12 and found["batch_match"] > 0.99
    assert found["shared_match"] == pytest.approx(16**-0.5, rel=0.1)  # the mean of 16 independent inputs against one of them
    assert abs(found["chance"]) < 0.05


def test_the_figure():
    assert "a label each" in plot.draw(gradient_leakage, gradient_leakage(inputs=50, clients=10)).alt
