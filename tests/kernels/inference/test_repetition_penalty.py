"""The penalties against torch's softmax over two logits, changed as transformers and OpenAI's API document it."""

from __future__ import annotations

import pytest

from kernels import plot
from kernels.library.inference.repetition_penalty import repetition_penalty

torch = pytest.importorskip("torch")


@pytest.mark.oracle("repetition_penalty", "torch: gather, where, scatter, softmax")
@pytest.mark.parametrize(
    ("logit", "rival", "shift", "penalty"), [(6, 5, 0, 1.2), (-1, -2, 0, 1.2), (6, 5, -10, 1.2), (0, 1, 0, 2.0), (3, -4, 10, 1.5)]
)
def test_torch_gives_the_same(logit, rival, shift, penalty):
    logits, seen = torch.tensor([logit, rival], dtype=torch.float64) + shift, torch.tensor([0])
    score = logits.gather(0, seen)
    penalised = logits.scatter(0, seen, torch.where(score < 0, score * penalty, score / penalty))
    got = repetition_penalty(logit=logit, rival=rival, shift=shift, penalty=penalty)
    assert got["after"] == pytest.approx(penalised.softmax(0)[0].item())
    assert got["penalised_logit"] == pytest.approx(penalised[0].item())
    assert got["divided"] == pytest.approx(logits.scatter(0, seen, score / penalty).softmax(0)[0].item())
    assert got["before"] == pytest.approx(logits.softmax(0)[0].item())
    assert got["presence"] == pytest.approx((logits - torch.tensor([0.5, 0.0])).softmax(0)[0].item())


@pytest.mark.parametrize(("lead", "additive"), [(3, 0.5), (3.1, 0.5), (1, 2), (0.3, 0.1), (-1, 0.5)])
def test_uses_counted_one_by_one(lead, additive):
    uses = 0
    while lead - uses * additive >= -1e-9 and lead >= 0:
        uses += 1
    assert repetition_penalty(logit=5 + lead, rival=5, additive=additive)["repeats"] == uses


def test_a_shift_alone_changes_nothing_and_at_zero_nothing_is_taken():
    for shift in (-10.0, 0.0, 7.0):
        assert repetition_penalty(shift=shift, penalty=1.0)["after"] == pytest.approx(repetition_penalty()["before"])
    at_zero = repetition_penalty(logit=6, rival=5, shift=-6)
    assert at_zero["after"] == at_zero["before"]


def test_the_sweep_and_the_figure():
    got = repetition_penalty()
    assert got["sweep"].values("penalty")[got["sweep"].x.index(10)] == pytest.approx(repetition_penalty(shift=10)["after"])
    assert "rival" in plot.draw(repetition_penalty, got).alt
