import pytest

torch = pytest.importorskip("torch")

from kernels import KernelError, plot
from kernels.library.gpu import loop_vs_gemm as file
from kernels.library.gpu.launch_bound import launch_bound
from kernels.library.gpu.loop_vs_gemm import loop_vs_gemm
from kernels.record import Result

pytest_plugins = ("rehearsed",)


@pytest.mark.parametrize("dtype", file.LIMITS)
def test_every_way_is_the_layer(dtype):
    x, w, dy = file.inputs(16, 96, dtype, "cpu")
    assert file.checked(x, w, dy, dtype) < file.LIMITS[dtype]
    for piece in (1, 4, 16):
        torch.testing.assert_close(file.prepared(piece, x, w)(), torch.nn.functional.linear(x, w), rtol=0.02, atol=0.02)


def test_the_backward_pass_is_autograds():
    x, w, dy = (t.double() for t in file.inputs(8, 32, "fp32", "cpu"))
    x.requires_grad_(), w.requires_grad_()
    torch.nn.functional.linear(x, w).backward(dy)
    for mine, torchs in zip(file.backward(x.detach(), w.detach(), dy), (x.grad, w.grad)):
        torch.testing.assert_close(mine, torchs)


def test_its_numbers_follow_from_the_times(rehearse):
    result, _ = rehearse(loop_vs_gemm)
    assert result["flops"] == 2 * 4 * 64**2
    assert result["backward_share"] == pytest.approx(result["backward_rate"] / result["ceiling"])
    assert result["neurons_share"] == pytest.approx(result["neurons_rate"] / result["ceiling"])
    assert result["neurons_per_launch"] == pytest.approx(result["neurons_time"] / 64)
    assert result["sweep"].x == (1, 2, 4) and set(result["sweep"].lines) == {"eager", "graph"}


@pytest.mark.parametrize(("dtype", "width", "rows"), [("fp32", 512, 2), ("bf16", 512, 2), ("bf16", 64, 1024)])
def test_it_needs_the_memory_that_it_declares(rehearse, dtype, width, rows):
    result, peak = rehearse(loop_vs_gemm, dtype=dtype, width=width, rows=rows)
    assert peak / 1.1 < rehearse.needed(loop_vs_gemm, result) < 2.2 * peak


def test_a_data_sheet_lets_expect_a_launch_for_each_neuron(rehearse):
    result, _ = rehearse(loop_vs_gemm, width=128, dtype="bf16")
    assert rehearse.expected(loop_vs_gemm, result, "h100") == 128  # at this size a whole layer takes no longer than a launch
    assert rehearse.expected(loop_vs_gemm, result, "gtx-0") is None
    result, _ = rehearse(loop_vs_gemm, dtype="fp32")
    assert rehearse.expected(loop_vs_gemm, result, "h100") is None


def test_rows_that_do_not_divide_are_refused():
    with pytest.raises(KernelError, match="power of two"):
        loop_vs_gemm(rows=48)


def test_a_dot_product_a_launch():
    found = launch_bound(width=4096, rows=512, by="dot")
    assert found["rate"] == pytest.approx(2 * 4096 / 5e-6)
    assert found["share"] == pytest.approx(1.66e-6, rel=0.01)
    assert found["launches"] == 512 * 4096 and found["time"] == pytest.approx(512 * 4096 * 5e-6)


def test_what_fills_a_launch():
    whole = launch_bound(by="layer")
    assert whole["launches"] == 1 and whole["share"] == 1.0
    assert whole["time"] == whole["whole_time"] == pytest.approx(2 * 512 * 4096**2 / 989e12, rel=1e-3)
    assert launch_bound(by="neuron")["time"] == pytest.approx(4096 * 5e-6)


@pytest.mark.oracle("launch_bound", "the fewest rows that arithmetic limits, counted one by one")
def test_bytes_limit_before_arithmetic_does():
    """One row reads all weights, for twice the time of its launch; the fewest rows that arithmetic limits, counted one by one."""
    row = launch_bound(by="row")
    assert row["reading"] == pytest.approx(2 * 4096**2 / 3.35e12, rel=2e-3) and row["time"] == 512 * row["reading"]
    assert row["arithmetic"] < row["reading"] / 100
    for width, launch in ((4096, 5e-6), (1024, 5e-6), (4096, 2e-4)):
        layers = {rows: launch_bound(width=width, rows=rows, by="layer", launch=launch) for rows in range(1, 7000, 1 if width == 4096 else 7)}
        first = next(rows for rows, layer in layers.items() if layer["share"] > 1 - 1e-12)
        needed = launch_bound(width=width, launch=launch)["rows_needed"]
        assert needed <= first < needed + 7
    assert launch_bound()["rows_needed"] == 345
    assert launch_bound(width=512)["rows_needed"] == 10**9 and launch_bound(width=512).outputs["rows_needed"].bound == "lower"


def test_the_formulas_figure():
    assert "345 rows" in plot.draw(launch_bound, launch_bound()).alt


def made_up():  # not measured: numbers to draw with
    outputs = {name: 1.0 for name, declared in loop_vs_gemm.outputs.items() if isinstance(declared, str)}
    pieces = [2**p for p in range(10)]
    eager = [6e12 * p / (1 + p / 90) for p in pieces]
    return {**outputs, "ceiling": 7.5e14, "sweep": {"rows": pieces, "eager": eager, "graph": [1.5 * rate for rate in eager]}}


def test_the_figure_of_a_made_up_record():
    drawn = plot.draw(loop_vs_gemm, Result("loop_vs_gemm", "measurement", loop_vs_gemm.bind({}), loop_vs_gemm.checked(made_up())))
    assert "matrix rate 750" in drawn.alt
