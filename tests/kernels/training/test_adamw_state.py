"""Oracle: torch's fused and foreach implementations, which have to hold what the plain one holds."""

import pytest

torch = pytest.importorskip("torch")

from kernels.library.training.adamw_state import adamw_state


@pytest.mark.parametrize(("dtype", "size"), [("bf16", 2), ("fp16", 2), ("fp32", 4)])
def test_moments_take_the_parameters_format(dtype, size):
    got = adamw_state(dtype=dtype)
    assert (got["moment"], got["before"], got["after"]) == (size, 0, 2 * size)


def test_the_foreach_implementation_agrees():
    weight = torch.nn.Parameter(torch.ones(8, dtype=torch.bfloat16))
    optimizer = torch.optim.AdamW([weight], foreach=True)
    assert not optimizer.state
    weight.grad = torch.ones_like(weight)
    optimizer.step()
    assert optimizer.state[weight]["exp_avg"].dtype == optimizer.state[weight]["exp_avg_sq"].dtype == torch.bfloat16
