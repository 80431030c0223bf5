"""Oracle: the timeline added up event by event."""

import pytest

from kernels import KernelError
from kernels.library.training.accumulation_step import accumulation_step


@pytest.mark.oracle("accumulation_step", "the timeline added up event by event")
def test_the_timeline_added_up():
    once = each = 0.0
    for step in range(16):
        once += 0.5 + (0.2 if step == 15 else 0)
        each += 0.5 + 0.2
    result = accumulation_step()
    assert result["accumulate"] == 16 and result["step_tokens"] == 512 * 2048
    assert (result["time"], result["time_synced"]) == pytest.approx((once + 0.1, each + 0.1))


def test_twice_the_gpus_halve_the_accumulation_not_quite_the_time():
    few, many = accumulation_step(), accumulation_step(gpus=16)
    assert many["accumulate"] * 2 == few["accumulate"] and many["step_tokens"] == few["step_tokens"]
    assert 0.5 < many["time"] / few["time"] < 0.55


def test_a_batch_that_does_not_divide_is_refused():
    with pytest.raises(KernelError, match="multiple"):
        accumulation_step(global_batch=100)
