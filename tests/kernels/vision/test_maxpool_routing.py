import pytest

torch = pytest.importorskip("torch")

from kernels.library.vision.maxpool_routing import found_again, maxpool_routing
from kernels.library.vision.maxpool_traffic import maxpool_traffic


def test_each_window_sends_its_gradient_to_one_input():
    found = maxpool_routing.simulate()
    assert (found["inputs"], found["reached"], found["tied_reached"]) == (16, 4, 4)
    assert found.outputs["recompute_difference"].low is None  # in every draw 0
    assert found["overlap_windows"] == 9  # 3x3 windows of stride 1 in which an inner input lies


def test_found_again_by_hand():
    x = torch.tensor([[1.0, 5.0, 2.0, 2.0], [0.0, 3.0, 2.0, 1.0]], dtype=torch.float64)[None, None]
    assert found_again(x).tolist() == [[[[0, 1, 1, 0], [0, 0, 0, 0]]]]  # of equal ones, the first


def test_torch_saves_the_input_and_the_positions():
    """Four bf16 inputs and one int64 position an output: what the formula multiplies."""
    found, formula = maxpool_routing(size=8), maxpool_traffic(outputs=1000)
    assert (found["saved_input"], found["saved_positions"]) == (8, 8)
    assert formula["torch_keeps"] == 1000 * (found["saved_input"] + found["saved_positions"])
