"""Oracle: training_memory for what is trained, 2 bytes a parameter for what is frozen."""

from kernels import plot
from kernels.library.finetuning.rlhf_memory import rlhf_memory
from kernels.library.training.training_memory import training_memory

N = 7_000_000_000


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
