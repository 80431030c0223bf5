import pytest

torch = pytest.importorskip("torch")

from kernels import KernelError, plot, precision, timing
from kernels.library.machines._devices import DEVICES
from kernels.library.training import gradient_checkpointing as file
from kernels.library.training.gradient_checkpointing import gradient_checkpointing
from kernels.record import Result

pytest_plugins = ("pretended_gpu", "rehearsed")


def made_up():  # not measured: numbers to draw with
    return {
        "plain": 5e9,
        "checkpointed": 6e8,
        "best": 5.5e8,
        "best_segment": 2,
        "saving": 0.88,
        "plain_predicted": 4.6e9,
        "checkpointed_predicted": 5.5e8,
        "plain_of_predicted": 1.08,
        "checkpointed_of_predicted": 1.09,
        "forward_time": 0.012,
        "plain_time": timing.Spread(0.04, 0.039, 0.041),
        "checkpointed_time": 0.052,
        "slowdown": 1.3,
        "slowdown_predicted": 1.3,
        "rate": 5e14,
        "ceiling": 7e14,
        "of_ceiling": 0.71,
        "error": 1e-3,
        "memory": {"segment": [1, 2, 16], "measured": [6e8, 5.5e8, 5.1e9], "predicted": [5.5e8, 5e8, 4.7e9]},
        "time": {"segment": [1, 2, 16], "measured": [0.052, 0.051, 0.051]},
    }


@pytest.mark.parametrize("segment", [1, 2, 4])
def test_segments_give_the_same_gradients(segment):
    model, x = file.prepared(128, 4, 32, 2, "fp32", "cpu")
    found = []
    for length in (0, segment):
        torch.manual_seed(3)
        file.step(model, x, length)
        found.append([p.grad.clone() for p in model.parameters()])
    assert all(torch.equal(plain, again) for plain, again in zip(*found))


def test_other_dropout_masks_would_show():
    model, x = file.prepared(128, 2, 32, 2, "fp32", "cpu")
    file.step(model, x)
    before = model.blocks[0].up.weight.grad.clone()
    file.step(model, x)
    with pytest.raises(KernelError, match="off its reference"):
        precision.error_against(before, model.blocks[0].up.weight.grad, file.LIMIT)


def test_the_flops_are_torchs_count():
    from torch.utils.flop_counter import FlopCounterMode

    model, x = file.prepared(128, 2, 64, 1, "fp32", "cpu")
    with FlopCounterMode(display=False) as counter:
        file.step(model, x)
    assert sum(n for op, n in counter.get_flop_counts()["Global"].items() if "mm" in str(op)) == 6 * 2 * 64 * 12 * 128**2
    assert file.flops(128, 2, 64, 1) == 6 * 2 * 64 * (12 * 128**2 + 64 * 128)


def test_its_rehearsal(rehearse):
    result = rehearse.within_memory(gradient_checkpointing)
    assert result["memory"].x == result["time"].x == (1, 2)
    assert result["error"] < file.LIMIT and result["checkpointed"] < result["plain"]
    assert (
        rehearse.expected(gradient_checkpointing, result, "h100") == DEVICES["h100"].half
        and rehearse.expected(gradient_checkpointing, result, "gtx-0") is None
    )


def test_times_become_rates(pretended_gpu):
    result = gradient_checkpointing(width=64, layers=2, tokens=16, batch=1)
    assert result["slowdown"] == pytest.approx(result["checkpointed_time"] / result["plain_time"])
    assert result["of_ceiling"] == pytest.approx(result["rate"] / result["ceiling"])


def test_the_figure_of_a_made_up_record():
    result = Result("gradient_checkpointing", "measurement", gradient_checkpointing.bind({}), gradient_checkpointing.checked(made_up()))
    assert "2 layers a segment, 51 ms a step: 550 MB" in plot.draw(gradient_checkpointing, result).alt.replace("\u00a0", " ")
