import pytest

torch = pytest.importorskip("torch")

from kernels import KernelError, plot, precision, timing
from kernels.library.machines import roofline_measure as file
from kernels.library.machines._devices import DEVICES
from kernels.library.machines.roofline import OPERATIONS, ROWS, roofline, work
from kernels.library.machines.roofline_measure import roofline_measure
from kernels.record import Result

pytest_plugins = ("pretended_gpu", "rehearsed")


def made_up():  # not measured: numbers to draw with
    peak, bandwidth = 6.5e14, 3.0e12
    needed = {name: work(name, 8192, 8192) for name in OPERATIONS}
    allowed = {name: min(peak, flops / moved * bandwidth) for name, (flops, moved) in needed.items()}
    reached = {name: 0.9 * rate for name, rate in allowed.items()}
    rows = [1, *ROWS]
    return {
        "copy_bandwidth": 2.9e12,
        "read_bandwidth": timing.Spread(bandwidth, 2.99e12, 3.01e12),
        "bandwidth": bandwidth,
        "rate": peak,
        "rate_fp32": 5e13,
        "ridge": peak / bandwidth,
        "ridge_fp32": 5e13 / bandwidth,
        **{f"{name}_intensity": flops / moved for name, (flops, moved) in needed.items()},
        **{f"{name}_time": needed[name][0] / reached[name] for name in OPERATIONS},
        **{f"{name}_rate": reached[name] for name in OPERATIONS},
        **{f"{name}_bandwidth": reached[name] * needed[name][1] / needed[name][0] for name in OPERATIONS},
        **{f"{name}_of_roof": 0.9 for name in OPERATIONS},
        **{f"{name}_of_peak": reached[name] / peak for name in OPERATIONS},
        **{f"{name}_error": 3e-3 for name in OPERATIONS},
        "sweep": {"rows": rows, "measured": [1e12 * r for r in rows], "roof": [1.1e12 * r for r in rows]},
    }


@pytest.mark.parametrize("dtype", file.LIMITS)
@pytest.mark.parametrize("name", OPERATIONS)
def test_each_operation_computes_what_it_says(pretended_gpu, name, dtype):
    function, reference, share = file.prepared(name, 64, 256, dtype)
    precision.error_against(reference(), share(function()), file.LIMITS[dtype])


def test_references_against_torch_in_float64():
    x, w, b = (torch.randn(5, 128, dtype=torch.float64) for _ in range(3))
    assert torch.allclose(file.plain_norm(x, w[0], b[0]), torch.nn.functional.layer_norm(x, (128,), w[0], b[0]))
    assert torch.allclose(file.plain_softmax(x), torch.softmax(x, -1))
    q, k, v = (torch.randn(2, 3, 9, 16, dtype=torch.float64) for _ in range(3))
    for causal in (True, False):
        assert torch.allclose(file.plain_attention(q, k, v, causal), torch.nn.functional.scaled_dot_product_attention(q, k, v, is_causal=causal))


def test_its_rehearsal(rehearse):
    result = rehearse.within_memory(roofline_measure)
    assert result["add_intensity"] == roofline(operation="add", tokens=256, width=256)["intensity"]
    assert result["ridge"] == pytest.approx(result["rate"] / result["bandwidth"])
    assert result["bandwidth"] == max(result["copy_bandwidth"], result["read_bandwidth"])
    assert all(result[f"gemm_{rows}_of_peak"] <= 1 for rows in ROWS)
    assert result["sweep"].x == (1, *ROWS)
    assert (
        rehearse.expected(roofline_measure, result, "h100") == DEVICES["h100"].bandwidth
        and rehearse.expected(roofline_measure, result, "gtx-0") is None
    )


def test_each_operation_is_held_against_what_bounds_it(pretended_gpu, monkeypatch):
    """Ceilings that move and multiply as much in their time as would be needed at 1e9 B/s and 1e11 FLOP/s."""
    monkeypatch.setattr(timing, "_timed", lambda functions, *_: timing.Turns({name: [(1.0, 1.0)] * 2 for name in functions}))
    for name, work_of in (("copying", 1e9), ("reading", 2e9), ("multiplying", 1e11)):
        monkeypatch.setattr(timing, name, lambda *_, done=work_of: timing.Work(lambda: None, done))
    monkeypatch.setattr(file, "SQUARE", 64)
    result = roofline_measure(tokens=64, width=128)
    for name in OPERATIONS:
        flops, moved = work(name, 64, 128)
        memory = 1e9 if name in file.COPYING else 2e9
        assert result[f"{name}_of_roof"] == pytest.approx(max(flops / 1e11, moved / memory)), name


def test_a_width_without_whole_heads_is_refused(pretended_gpu):
    with pytest.raises(KernelError, match="multiple of 128"):
        roofline_measure(width=200)


def test_the_figure_of_a_made_up_record():
    drawn = plot.draw(roofline_measure, Result("roofline_measure", "measurement", roofline_measure.bind({}), roofline_measure.checked(made_up())))
    assert "ridge at 217" in drawn.alt and DEVICES["h100"].half > 6.5e14
