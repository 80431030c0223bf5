"""Oracle: the documented rules of backward, and gradients of sums."""

import pytest

torch = pytest.importorskip("torch")

from kernels.library.training.backward_rules import backward_rules, vector_errors


def test_what_backward_refuses():
    got = backward_rules()
    assert [got[f"{what}_refused"] for what in ("vector", "ones", "number", "repeat", "sum_repeat")] == [1, 0, 1, 1, 0]
    assert got["ones_error"] < 1e-14 and got["weights_error"] < 1e-14
    assert got["retained_ratio"] == 2


@pytest.mark.parametrize("seed", [1, 2])
def test_other_vectors_agree_as_well(seed):
    assert max(vector_errors(seed)) < 1e-14
