"""Oracles: the layer written out token by token, the closed forms of loss and entropy, random routing under endless noise, the ends of a load."""

import pytest

torch = pytest.importorskip("torch")

from kernels import plot
from kernels.library.transformers import router_collapse as file
from kernels.library.transformers.balance_loss import balance_loss
from kernels.library.transformers.router_collapse import router_collapse
from kernels.library.transformers.router_flip import router_flip


@pytest.fixture(scope="module")
def collapsed():
    return router_collapse(gap=5.0)


def test_it_starts_with_every_token_on_one_expert(collapsed):
    assert collapsed["first_share"] == 1 and collapsed["first_effective"] == pytest.approx(1)


def test_jitter_is_as_good_as_nothing_and_the_bias_brings_most_back(collapsed):
    assert collapsed["jitter_effective"] == pytest.approx(collapsed["none_effective"], rel=0.2)
    assert collapsed["none_effective"] < 6 < collapsed["bias_effective"]
    assert collapsed["bias_error"] < collapsed["none_error"]


def test_a_strong_loss_reaches_balance():
    assert router_collapse(gap=1.0, steps=600, alpha=0.3)["loss_effective"] > 7


def test_without_a_coefficient_the_loss_is_nothing():
    got = router_collapse(gap=2.0, steps=100, alpha=0.0, noise=0.0)
    assert got["loss_effective"] == got["noise_effective"] == got["none_effective"]


def test_the_layer_is_the_loop_over_tokens():
    random = torch.Generator().manual_seed(1)
    task, router, maps = file.start(3, 1.0, random)
    x, _ = file.batch(task, 5, random)
    logits = x @ router.mT
    got = file.answer(x, maps, logits.softmax(-1), logits.argmax(-1))
    for token in range(5):
        scores = router[0] @ x[0, token]
        best = int(scores.argmax())
        gate = torch.exp(scores[best]) / torch.exp(scores).sum()
        torch.testing.assert_close(got[0, token], gate * maps[0, best] @ x[0, token, : file.WIDTH])


def test_the_targets_have_a_mean_square_of_one():
    random = torch.Generator().manual_seed(0)
    task, *_ = file.start(8, 0.0, random)
    _, y = file.batch(task, 4000, random)
    assert y.square().mean().item() == pytest.approx(1, rel=0.2)


def test_the_loss_is_that_of_the_formula():
    load, mean = torch.tensor([0.5] + [0.5 / 7] * 7), torch.tensor([0.4] + [0.6 / 7] * 7)
    assert file.balance(load, mean).item() == pytest.approx(balance_loss(hot_share=0.5, hot_probability=0.4)["over_uniform"])


def test_effective_experts():
    loads = torch.tensor([[0.25] * 4, [1, 0, 0, 0], [0.5, 0.5, 0, 0]], dtype=torch.float64)
    assert file.effective(loads).tolist() == pytest.approx([4, 1, 2])


def test_endless_noise_routes_at_random():
    random = torch.Generator().manual_seed(0)
    task, router, maps = file.start(8, 5.0, random)
    got = file.perturbed(task, router, maps, torch.zeros(1, 1, 8, dtype=torch.float64), 1e6, random)
    assert got["perturbed_noise_moved"].item() == pytest.approx(router_flip()["random"], abs=0.03)


def test_the_same_seed_gives_the_same():
    assert router_collapse(steps=100)["none_effective"] == router_collapse(steps=100)["none_effective"]


def test_the_figure(collapsed):
    assert "jitter" in plot.draw(router_collapse, collapsed).alt
