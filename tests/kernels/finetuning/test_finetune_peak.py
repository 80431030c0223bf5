"""Oracles: the formulas for what each way holds whatever the batch, and the logits counted by hand."""

import pytest

pytest.importorskip("torch")

from kernels import plot
from kernels.library.finetuning.finetune_memory import finetune_memory
from kernels.library.finetuning.finetune_peak import finetune_peak
from kernels.library.finetuning.lora_memory import lora_memory
from kernels.library.models.model_shape import model_shape

MODEL, TOKENS = "llama-3.2-1b", 256


@pytest.fixture(scope="module")
def full():
    return finetune_peak(model=MODEL, tokens=TOKENS)


@pytest.fixture(scope="module")
def lora():
    return finetune_peak(model=MODEL, tokens=TOKENS, way="lora")


def test_full_fine_tuning_holds_sixteen_bytes(full):
    formula, size = finetune_memory(model=MODEL), model_shape(model=MODEL)["parameters"]
    assert full["parameters"] == full["trained"] == size
    assert (full["weights"], full["gradients"], full["held"]) == (formula["full_weights"], formula["full_gradients"], formula["full"])
    assert full["master"] + full["moments"] == formula["full_optimizer"]


def test_adapters_hold_sixteen_bytes_each(lora):
    formula = lora_memory(model=MODEL, rank=16)
    assert lora["trained"] == formula["trainable"] and lora["held"] == formula["total"]
    assert lora["gradients"] == 4 * lora["trained"] and lora["moments"] == 8 * lora["trained"]


def test_the_logits_by_hand(full, lora):
    """After the forward pass their log-softmax stays; at most that, its gradient and theirs, in fp32 each."""
    one = 4 * 128256 * TOKENS
    assert all(got["logits"] == one and got["logits_most"] == 3 * one for got in (full, lora))


def test_lora_frees_the_state_and_few_activations(full, lora):
    assert lora["activations"] > 0.85 * full["activations"]
    assert lora["peak"] < 0.4 * full["peak"]


def test_checkpointing_cuts_activations_alone(lora):
    got = finetune_peak(model=MODEL, tokens=TOKENS, way="lora", checkpointed=True)
    assert got["held"] == lora["held"] and got["activations"] < 0.2 * lora["activations"]


def test_the_figure(lora):
    assert "logits" in plot.draw(finetune_peak, lora).alt
