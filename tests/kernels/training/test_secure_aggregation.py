import pytest

torch = pytest.importorskip("torch")

from kernels.library.training.secure_aggregation import secure_aggregation, signed


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_integer_masks_cancel_and_hide(seed):
    found = secure_aggregation(clients=8, d=2000, seed=seed)
    assert found["mismatches"] == 0
    assert found["correlation"] < 4 * found["expected_correlation"]
    assert found["dropout_mismatches"] == pytest.approx(1)


def test_rounding_of_float_masks():
    small, large = secure_aggregation(clients=8, d=2000, mask=1e3), secure_aggregation(clients=8, d=2000, mask=1e6)
    assert large["float_error"] == pytest.approx(1000 * small["float_error"], rel=0.5)  # in proportion to the mask


def test_fixed_point_error_is_that_of_uniform_rounding():
    found = secure_aggregation(clients=8, d=2000, bits=10)
    updates = torch.randn(8, 2000, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    step = updates.abs().max().item() / (2**9 - 1)
    assert found["plain_error"] == pytest.approx(step / 12**0.5, rel=0.05)


def test_signed_residues():
    assert signed(torch.tensor([0, 1, 2**32 - 1, 2**31])).tolist() == [0, 1, -1, -(2**31)]


def test_pairs():
    assert secure_aggregation(clients=5, d=10)["pairs"] == 10
