import math

import pytest

from kernels.library.training.chance_loss import chance_loss


def test_against_torch_cross_entropy():
    torch = pytest.importorskip("torch")
    for classes in (2, 10, 50257):
        want = torch.nn.functional.cross_entropy(torch.zeros(1, classes), torch.tensor([1])).item()
        assert chance_loss(classes=classes)["uniform"] == pytest.approx(want)
    logits = torch.randn(200, 20_000, generator=torch.Generator().manual_seed(0))
    simulated = torch.nn.functional.cross_entropy(logits, torch.zeros(200, dtype=torch.long)) + logits[:, 0].mean()
    assert chance_loss(classes=20_000, logit_std=1.0)["at_start"] == pytest.approx(simulated.item(), abs=0.01)


def test_confident_at_chance():
    sklearn = pytest.importorskip("sklearn.metrics")
    want = sklearn.log_loss([1, 1, 0, 0], [0.99, 0.01, 0.01, 0.99])
    got = chance_loss()
    assert got["confident"] == pytest.approx(want)
    assert got["reversed"] == pytest.approx(-math.log(0.01))
    assert chance_loss(confidence=0.5)["confident"] == pytest.approx(math.log(2))
