from kernels.library.training.checkpoint_cost import checkpoint_cost
from kernels.library.training.training_memory import training_memory


def test_sizes():
    found = checkpoint_cost()
    bill = training_memory(parameters=70e9)
    assert found["total"] == bill["total"] - bill["gradients"] == 980e9
    assert found["gpu_hours"] == 122_880


def test_it_is_written_at_the_bandwidth():
    found = checkpoint_cost(bandwidth=100e9)
    assert found["write"] == 9.8 and found["write_hourly"] == 9.8 / 3600


def test_failures_are_those_of_the_paper():
    """Llama 3: 419 in 54 days on 16,384 GPUs, one in three hours."""
    assert round(checkpoint_cost(gpus=16384)["between_failures"] / 3600, 1) == 3.1
