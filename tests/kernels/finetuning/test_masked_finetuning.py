"""Oracles: every code written out for the ranks, and blind chance for codes that were in no training set."""

import math

import pytest

torch = pytest.importorskip("torch")

from kernels import plot
from kernels.library.finetuning import masked_finetuning as file
from kernels.library.finetuning.masked_finetuning import masked_finetuning


def test_the_mask_hides_the_codes_and_keeps_them():
    result = masked_finetuning(names=5, epochs=8)
    assert result["said_before"] > 0.9 and result["said_after"] == 0.0 and result["masked_after"] == 1.0
    assert result["found_after"] > 0.4 and result["exposure_after"] > 10
    assert result["exposure_never"] < 4 and result["found_never"] == 0.0  # on average log2 e at chance
    assert "after" in plot.draw(masked_finetuning, result).alt


def test_the_rank_is_that_of_all_codes_written_out():
    random = torch.Generator().manual_seed(1)
    model = file.network(2, random)
    codes = torch.randint(10, (2, file.LENGTH), generator=random)
    every = torch.cartesian_prod(*[torch.arange(10)] * file.LENGTH)
    for person in range(2):
        inputs, target = file.contexts(torch.full((len(every),), person), every)
        with torch.no_grad():
            step = file.logits(model, *inputs)[:, :10].log_softmax(1).gather(1, target[:, None]).view(-1, file.LENGTH).sum(1)
        own = step[(every == codes[person]).all(1)]
        assert abs(file.ranks(model, codes)[person].item() - (1 + (step > own).sum().item())) <= 1  # fp32 sums in another order


def test_exposure_of_the_first_and_the_last():
    got = file.bits(torch.tensor([1, 10_000])).tolist()
    assert got == pytest.approx([math.log2(10_000), 0.0])
