"""Oracle: torch's pad_sequence and cross_entropy on such a batch."""

import pytest

torch = pytest.importorskip("torch")
from torch.nn import functional
from torch.nn.utils.rnn import pad_sequence

from kernels import KernelError
from kernels.library.transformers.padded_batch import padded_batch


@pytest.mark.oracle("padded_batch", "torch's pad_sequence and cross_entropy")
@pytest.mark.parametrize("lengths", [(5, 8, 3), (1, 9, 9)])
def test_torch_agrees(lengths):
    targets = pad_sequence([torch.zeros(n, dtype=torch.long) for n in lengths], batch_first=True, padding_value=-100)
    logits = torch.randn(1, 7, dtype=torch.float64).expand(targets.numel(), 7)
    kept = functional.cross_entropy(logits, targets.flatten())
    slots = functional.cross_entropy(logits, targets.flatten(), reduction="none").mean()
    found = padded_batch(first=lengths[0], second=lengths[1], third=lengths[2], loss=kept.item())
    assert (found["length"], found["places"]) == (targets.shape[1], targets.numel())
    assert found["waste"] == pytest.approx((targets == -100).double().mean().item())
    assert found["mean_over_places"] == pytest.approx(slots.item())
    twice = padded_batch(first=lengths[0], second=lengths[1], third=lengths[2], loss=kept.item(), padded_to=2 * max(lengths))
    assert twice["mean_over_places"] == pytest.approx(slots.item() / 2)


def test_the_scores_by_counting():
    real = torch.arange(8) < torch.tensor([[5], [8], [3]])
    pairs = real[:, :, None] & real[:, None, :]
    assert padded_batch()["scores_waste"] == pytest.approx(1 - pairs.double().mean().item())


def test_refused():
    with pytest.raises(KernelError):
        padded_batch(padded_to=7)
