import math

import pytest

torch = pytest.importorskip("torch")

from kernels.library.transformers.mask_leak import loss, mask_leak, texts


def test_a_copier_pays_for_its_last_position_alone():
    """Made by hand: it looks one token ahead and is sure of what it sees there; at the end it sees the tokens behind it, all alike."""
    scores, text = torch.full((21,), -50.0), texts(8, 10, 200, torch.Generator().manual_seed(0))
    scores[10 + 1] = 50.0
    inputs, last = text[:, :-1], text[:, -1]
    shares = torch.stack([torch.bincount(row, minlength=8) for row in inputs]) / 10.0
    logits = 50.0 * shares
    want = torch.nn.functional.cross_entropy(logits, last).item() / 10
    assert loss([scores, 50.0 * torch.eye(8)], text, False).item() == pytest.approx(want, rel=1e-5)


def test_an_untrained_one_guesses():
    model = [torch.zeros(21), torch.zeros(8, 8)]
    text = texts(8, 10, 50, torch.Generator().manual_seed(0))
    assert loss(model, text, True).item() == pytest.approx(math.log(8)) == pytest.approx(loss(model, text, False).item())


def test_training_without_the_mask_copies_and_generates_badly():
    got = mask_leak(vocab=8, tokens=8, steps=60)
    assert got["uniform"] == pytest.approx(math.log(8))
    # one of eight positions has no next token in the input: nothing is below an eighth of guessing
    assert got["uniform"] / 8 - 0.05 < got["leaky_loss"] < got["uniform"] / 2
    assert got["leaky_generating"] > got["uniform"] and got["masked_loss"] == pytest.approx(got["uniform"], abs=0.05)
