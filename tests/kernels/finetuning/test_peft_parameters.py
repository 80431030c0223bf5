"""Four methods against what their papers count."""

from __future__ import annotations

import pytest

from kernels.library.finetuning.peft_parameters import peft_parameters


@pytest.mark.parametrize("rank, millions", [(1, 4.7), (8, 37.7), (64, 301.9)])
def test_lora_on_gpt3(rank, millions):
    assert peft_parameters(model="gpt3-175b", rank=rank)["lora"] / 1e6 == pytest.approx(millions, abs=0.1)


def test_a_prefix_of_gpt2_medium_is_a_thousandth():
    """Prefix-tuning, arXiv 2101.00190: 0.1 % of GPT-2 medium, with 5 to 10 tokens."""
    assert (
        0.0005
        < peft_parameters(model="gpt2-medium", tokens=5)["prefix_share"]
        < peft_parameters(model="gpt2-medium", tokens=10)["prefix_share"]
        < 0.0015
    )


def test_a_prompt_of_five_tokens_of_width_4096():
    """Prompt tuning, arXiv 2104.08691, figure 2: 20,480 parameters a prompt."""
    assert peft_parameters(tokens=5)["prompt"] == 20_480


def test_adapters_on_torch_modules():
    torch = pytest.importorskip("torch")
    with torch.device("meta"):
        one = torch.nn.Sequential(torch.nn.Linear(4096, 8), torch.nn.GELU(), torch.nn.Linear(8, 4096))
    got = peft_parameters()
    assert got["adapters"] == 64 * sum(p.numel() for p in one.parameters())
