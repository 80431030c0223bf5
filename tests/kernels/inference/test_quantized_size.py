"""Quantised sizes against files that people download, and against formats' published bits per weight."""

from __future__ import annotations

import pytest

from kernels.library.finetuning.lora_memory import lora_memory
from kernels.library.inference.quantized_size import quantized_size


@pytest.mark.parametrize(
    "bits, group, scale, zero, expected",
    [
        (4, 128, 16, 4, 4.15625),  # GPTQ, groups of 128
        (4, 64, 32, 0, 4.5),  # nf4 before double quantisation (QLoRA, section 3)
        (4, 32, 8, 0, 4.25),  # MXFP4 (OCP Microscaling, table 1)
        (4, 16, 8, 0, 4.5),  # NVFP4
    ],
)
def test_bits_per_weight_of_published_formats(bits, group, scale, zero, expected):
    assert quantized_size(model="llama-2-7b", bits=bits, group_size=group, scale_bits=scale, zero_bits=zero)["bits_per_weight"] == expected


def test_a_gptq_file_of_llama_2_7b():
    """TheBloke/Llama-2-7B-GPTQ, 4 bits in groups of 128: 3.90 GB."""
    assert quantized_size(model="llama-2-7b", bits=4, group_size=128, scale_bits=16, zero_bits=4)["total"] / 1e9 == pytest.approx(3.90, abs=0.02)


def test_it_agrees_with_nf4_of_lora_memory():
    ours = quantized_size(model="llama-2-13b", bits=4, group_size=64, scale_bits=8 + 32 / 256)
    assert ours["total"] == pytest.approx(lora_memory(model="llama-2-13b", rank=1, base="nf4")["weights"], rel=1e-12)


def test_the_parts_add_up_and_16_bits_without_scales_change_nothing():
    got = quantized_size(model="mixtral-8x7b", bits=3.0, group_size=64, scale_bits=16)
    assert got["quantized"] + got["scales"] + got["rest"] == got["total"]
    assert got["average_bits"] > got["bits_per_weight"] > 3
    same = quantized_size(model="gpt2", bits=16, group_size=0)
    assert same["total"] == same["bf16"] == 2 * 124_439_808 and same["compression"] == 1
