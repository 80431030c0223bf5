"""Oracle: training_memory for what is trained, 2 bytes a parameter for what is frozen."""

import pytest

from kernels import plot
from kernels.library.finetuning.rlhf_memory import rlhf_memory
from kernels.library.training.training_memory import training_memory

N = 7_000_000_000


@pytest.mark.oracle("rlhf_memory", "tensors of all models in torch, counted in bytes")
def test_tensors_of_all_models():
    torch = pytest.importorskip("torch")
    n, models = 1000, {"ppo": "ttff", "grpo": "tff", "dpo": "tf", "dpo_cached": "t", "trained_ppo": "tt", "one": "t"}  # trained, frozen
    kept = {"f": [torch.bfloat16], "t": [torch.bfloat16] * 2 + [torch.float32] * 3}  # weights and gradients; master copy and moments
    for output, some in models.items():
        tensors = [torch.empty(n, dtype=dtype) for model in some for dtype in kept[model]]
        assert rlhf_memory(parameters=n)[output] == sum(tensor.nbytes for tensor in tensors)


def test_the_totals_are_sums_of_trained_and_frozen_models():
    result, one = rlhf_memory(parameters=N), training_memory(parameters=N)
    assert result["one"] == result["dpo_cached"] == one["total"]
    assert result["ppo"] == 2 * one["total"] + 2 * one["weights"]
    assert result["grpo"] == one["total"] + 2 * one["weights"]
    assert result["dpo"] == one["total"] + one["weights"]
    assert result["ratio"] == 2.0


def test_the_figure_names_every_model():
    drawing = plot.draw(rlhf_memory, rlhf_memory())
    assert all(role in drawing.alt for role in ("policy", "critic", "reference", "reward model"))
