"""The comparison agrees with the kernels that it compares, and with QLoRA's headline."""

from __future__ import annotations

import pytest

from kernels.library.finetuning.finetune_memory import finetune_memory
from kernels.library.finetuning.lora_memory import lora_memory
from kernels.library.training.training_memory import training_memory


@pytest.mark.parametrize("model, parameters", [("llama-2-70b", 68_976_648_192), ("llama-3-8b", 8_030_261_248)])
def test_it_agrees_with_the_single_kernels(model, parameters):
    got = finetune_memory(model=model, rank=16)
    assert got["full"] == training_memory(parameters=parameters)["total"]
    assert got["lora"] == lora_memory(model=model, rank=16)["total"]
    assert got["qlora"] == lora_memory(model=model, rank=16, base="nf4")["total"]


@pytest.mark.oracle("finetune_memory", "Dettmers et al. 2023, QLoRA, arXiv 2305.14314, abstract: 780 GB to below 48 GB for 65B")
def test_65b_goes_from_above_780_gb_to_below_48():
    """QLoRA, abstract and section 1."""
    got = finetune_memory(model="llama-65b", rank=64)
    assert got["full"] > 780e9 and got["qlora"] < 48e9


def test_the_parts_add_up():
    got = finetune_memory(model="mistral-7b")
    for index, way in enumerate(("full", "lora", "qlora")):
        assert sum(got["parts"].values(part)[index] for part in got["parts"].lines) == got[way]
