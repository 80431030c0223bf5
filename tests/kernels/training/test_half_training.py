import pytest

torch = pytest.importorskip("torch")

from kernels.library.training.half_training import half_training, losses


def test_adamw_in_fp16_ends_at_once_and_the_others_go_on():
    got = half_training(steps=40)
    assert got["adamw_fp16"] < 5
    assert got["sgd_fp16"] == got["adamw_bf16"] == got["adamw_fp32"] == got["adamw_fp16_large_epsilon"] == 40
    assert got["sgd_fp16_improvement"] > 1


def test_the_cause_is_a_division_by_nought():
    weight = torch.nn.Parameter(torch.ones(1, dtype=torch.float16))
    optimizer = torch.optim.AdamW([weight], foreach=False)
    weight.grad = torch.full_like(weight, 1e-3)
    optimizer.step()
    assert optimizer.state[weight]["exp_avg_sq"].item() == 0 and not weight.isfinite()


def test_fp32_learns():
    found = losses("adamw_fp32", 60, 0)
    assert found[-1] < found[0]


def test_what_runs_to_the_end_is_a_lower_bound():
    got = half_training(steps=5)
    assert got.outputs["sgd_fp16"].bound == "lower" and not got.outputs["adamw_fp16"].bound
