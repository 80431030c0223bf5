"""Training memory against the figures of the ZeRO and QLoRA papers, and against a real optimizer's state."""

from __future__ import annotations

import pytest

from kernels.declare import KernelError
from kernels.library.training.training_memory import training_memory


def test_gpt2_xl_takes_24_gb():
    """ZeRO, section 3.1: 1.5B parameters need at least 24 GB, of which 3 GB are the weights."""
    got = training_memory(parameters=1.5e9)
    assert (got["total"], got["weights"]) == (24e9, 3e9)


def test_a_65b_model_in_16_bits_takes_more_than_780_gb():
    """QLoRA, section 1; that is Adam with fp32 moments and no master copy."""
    assert training_memory(parameters=65e9, master="none")["total"] == 780e9


def test_the_parts_add_up():
    got = training_memory(parameters=70e9)
    assert got["per_parameter"] == 16
    assert got["weights"] + got["gradients"] + got["master"] + got["optimizer"] == got["total"] == 1.12e12


@pytest.mark.parametrize("name, moments", [("AdamW", 2), ("SGD", 0), ("Adagrad", 1)])
def test_torchs_optimizers_hold_the_bytes_predicted(name, moments):
    torch = pytest.importorskip("torch")
    layer = torch.nn.Linear(64, 32, bias=False)
    optimizer = getattr(torch.optim, name)(layer.parameters(), lr=0.1)
    layer(torch.ones(1, 64)).sum().backward()
    optimizer.step()
    state = [t for values in optimizer.state.values() for t in values.values() if torch.is_tensor(t) and t.dim() > 0]
    held = [*layer.parameters(), *(p.grad for p in layer.parameters()), *state]
    predicted = training_memory(parameters=64 * 32, weights="fp32", gradients="fp32", master="none", moments=moments)
    assert sum(t.numel() * t.element_size() for t in held) == predicted["total"]


@pytest.mark.parametrize("wrong", [{"parameters": 0}, {"parameters": 1.5}, {"parameters": 1, "moments": -1}, {"parameters": 1, "weights": "fp12"}])
def test_nonsense_is_refused(wrong):
    with pytest.raises(KernelError):
        training_memory(**wrong)
