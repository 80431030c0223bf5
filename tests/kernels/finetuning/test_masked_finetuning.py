"""Oracles: every code written out for the ranks, and blind chance for codes that were in no training set."""

import math

import pytest

torch = pytest.importorskip("torch")

from kernels import plot
from kernels.library.finetuning import masked_finetuning as file
from kernels.library.finetuning.masked_finetuning import masked_finetuning


def test_the_mask_hides_the_codes_and_a_prefix_brings_them_back():
    result = masked_finetuning(names=10)
    assert result["said_before"] > 0.9 and result["said_after"] == 0.0 and result["masked_after"] == 1.0
    assert result["completed_after"] >= 0.8 and result["completed_never"] <= 0.3  # a hundredth by chance
    assert result["exposure_after"] > 10 and result["exposure_never"] < 4  # on average log2 e at chance
    assert result["found_after"] > result["found_never"] == 0.0
    assert "blind guess" in plot.draw(masked_finetuning, result).alt


def test_a_high_rate_kept_up_wears_the_prefix_down_but_not_to_chance():
    gentle, hard = (masked_finetuning(names=10, **how) for how in ({}, {"finetune_rate": 1e-2, "longer": 3}))
    assert hard["completed_after"] < gentle["completed_after"] / 2 and hard["masked_after"] == 1.0
    assert gentle["exposure_after"] > hard["exposure_after"] > hard["exposure_never"] + 1


def test_tuning_goes_on_until_all_is_masked_and_longer():
    once, thrice = (masked_finetuning(names=5, longer=longer) for longer in (1, 3))
    assert once["masked_after"] == 1.0 and thrice["finetune_epochs"] == 3 * once["finetune_epochs"]


def test_the_rank_is_that_of_all_codes_written_out():
    random = torch.Generator().manual_seed(1)
    model = file.network(3, 64, random)
    codes = torch.randint(10, (3, file.LENGTH), generator=random)
    every = torch.cartesian_prod(*[torch.arange(10)] * file.LENGTH)
    asked = torch.tensor([True, False, True])
    for place, person in enumerate((0, 2)):
        inputs, target = file.contexts(torch.full((len(every),), person), every)
        with torch.no_grad():
            step = file.logits(model, *inputs)[:, :10].log_softmax(1).gather(1, target[:, None]).view(-1, file.LENGTH).sum(1)
        own = step[(every == codes[person]).all(1)]
        assert abs(file.ranks(model, codes, asked)[place].item() - (1 + (step > own).sum().item())) <= 1  # fp32 sums in another order


def test_a_prefix_is_taken_as_given():
    random = torch.Generator().manual_seed(2)
    model, codes = file.network(4, 32, random), torch.randint(10, (4, file.LENGTH), generator=random)
    assert (file.greedy(model, codes, given=3)[:, :3] == codes[:, :3]).all()


def test_exposure_of_the_first_and_the_last():
    got = file.bits(torch.tensor([1, 10_000])).tolist()
    assert got == pytest.approx([math.log2(10_000), 0.0])
