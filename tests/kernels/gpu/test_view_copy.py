import pytest

torch = pytest.importorskip("torch")

from kernels import KernelError, plot
from kernels.library.gpu import view_copy as file
from kernels.library.gpu.tensor_layout import tensor_layout
from kernels.library.gpu.view_copy import view_copy
from kernels.library.machines._devices import DEVICES
from kernels.record import Result

pytest_plugins = ("rehearsed",)


@pytest.mark.parametrize("dtype", file.LIMITS)
def test_every_way_gives_the_transpose(dtype):
    x = file.matrix(96, dtype, "cpu")
    w = file.matrix(96, dtype, "cpu")[:, :8] / 96**0.5
    assert file.checked(x, w, dtype) < file.LIMITS[dtype]
    assert torch.equal(file.reshape(x), torch.tensor([[x[i, j].item() for i in range(96)] for j in range(96)]).flatten().to(x.dtype))


def test_a_way_that_does_not_turn_is_caught(monkeypatch):
    monkeypatch.setattr(file, "contiguous", lambda x: x.contiguous())
    x = file.matrix(64, "fp32", "cpu")
    with pytest.raises(KernelError, match="off its reference"):
        file.checked(x, x[:, :8], "fp32")


def test_what_is_written_is_the_matrix_and_its_transpose():
    x = file.matrix(32, "fp32", "cpu")
    ways = file.written(x)
    assert torch.equal(ways["copied"](), x) and torch.equal(ways["turned"](), x.t())


def test_only_the_view_shares_memory():
    x = file.matrix(32, "fp32", "cpu")
    shared = {name for name, way in file.WAYS.items() if way(x).data_ptr() == x.data_ptr()}
    assert shared == {"view"}


def test_its_numbers_follow_from_the_times(rehearse):
    result, _ = rehearse(view_copy)
    assert result["size"] == result["clone_bytes"] == result["reshape_bytes"] == 256 * 256 * 4
    assert result["view_bytes"] == 0 and result["product_of_copy_bytes"] == result["size"] + result["product_bytes"]
    assert result["reshape_bandwidth"] == pytest.approx(2 * result["size"] / result["reshape"])
    assert result["reshape_of_copy"] == pytest.approx(result["reshape_bandwidth"] / result["ceiling"])
    assert result["sweep"].x == (64, 128) and result["contiguous_over_clone"] == 1


@pytest.mark.parametrize("dtype", file.LIMITS)
@pytest.mark.parametrize(("rows", "widths"), [(1024, (256,)), (256, (2048,))])
def test_it_needs_the_memory_that_it_declares(rehearse, dtype, rows, widths):
    result, peak = rehearse(view_copy, dtype=dtype, rows=rows, WIDTHS=widths)
    assert peak / 1.1 < rehearse.needed(view_copy, result) < 2.4 * peak


def test_a_data_sheet_lets_expect_its_bandwidth(rehearse):
    result, _ = rehearse(view_copy)
    assert rehearse.expected(view_copy, result, "h100") == DEVICES["h100"].bandwidth and rehearse.expected(view_copy, result, "epyc-25.17") is None


def test_layout_of_real_tensors():
    found = tensor_layout(rows=64, columns=32, dtype="bf16")
    assert found["size"] == found["reshape_copied"] == found["contiguous_copied"] == 64 * 32 * 2
    assert found["transpose_copied"] == found["reshape_of_original_copied"] == found["merged_axes_copied"] == 0
    assert (found["transpose_contiguous"], found["view_refused"], found["lost_writes"], found["stride"]) == (0, 1, 1, 32)


def made_up():  # not measured: numbers to draw with
    outputs = {name: 1.0 for name, declared in view_copy.outputs.items() if isinstance(declared, str)}
    times = {"view_over_clone": 7e-3, "contiguous_over_clone": 1.3, "reshape_over_clone": 1.4}
    return {**outputs, **times, "sweep": {"rows": [1024, 2048], "turned over copied": [1.1, 1.3]}}


def test_the_figure_of_a_made_up_record():
    drawn = plot.draw(view_copy, Result("view_copy", "measurement", view_copy.bind({}), view_copy.checked(made_up())))
    assert "x.t().reshape(-1): 1.4" in drawn.alt
