import pytest

torch = pytest.importorskip("torch")

from triton_here import DEVICE, needs_triton

from kernels import KernelError, plot
from kernels.library.machines._devices import DEVICES
from kernels.library.vision import maxpool_backward as file
from kernels.library.vision.maxpool_backward import WAYS, maxpool_backward
from kernels.library.vision.maxpool_routing import found_again, maxpool_routing, routed
from kernels.library.vision.maxpool_traffic import maxpool_traffic
from kernels.record import Result

pytest_plugins = ("pretended_gpu", "rehearsed")


def made_up():  # not measured: numbers to draw with
    times = dict(zip(WAYS, (2.0e-4, 1.9e-4, 1.2e-4, 1.1e-4)))
    return {
        **{f"forward_{way}": t for way, t in times.items()},
        **{f"backward_{way}": 1.2 * t for way, t in times.items()},
        **dict(zip((f"stored_{way}" for way in WAYS), (2.0e8, 2.0e8, 2.6e7, 0))),
        **{f"{part}_{way}_of_copy": 0.9 for part in ("forward", "backward") for way in WAYS},
        "forward_saved": 0.42,
        "byte_saved": 0.37,
        "step_saved": 0.2,
        "recompute_over_int64": 1.0,
        "ceiling": 3.0e12,
        "error": 0.0,
    }


@needs_triton
@pytest.mark.parametrize("dtype", ["bf16", "fp16", "fp32"])
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("size", [2, 10, 64])
def test_output_and_gradient_are_torchs(way, dtype, size):
    x, dy = file.inputs(1, 3, size, dtype, DEVICE)
    assert file.checked(way, x, dy) == 0
    assert file.checked(way, x.round(), dy) == 0  # many ties


def test_the_librarys_way_is_checked_too():
    assert file.checked("library", *file.inputs(1, 2, 12, "fp32", "cpu")) == 0


def test_positions_are_int64_in_torch():
    """What maxpool_traffic counts 8 bytes for, also where no gradient is wanted."""
    assert file.pooled("library", torch.randn(1, 1, 4, 4))[1].dtype == torch.int64


@needs_triton
def test_its_rehearsal(rehearse):
    result = rehearse.within_memory(maxpool_backward)
    outputs = 2 * 4 * 32 * 32
    assert result["error"] == 0
    assert rehearse.expected(maxpool_backward, result, "h100") == pytest.approx(5 * outputs * 2 / DEVICES["h100"].bandwidth)  # x and y in 16 bits
    assert [result[f"stored_{way}"] for way in WAYS] == [8 * outputs, 8 * outputs, outputs, 0]


def test_times_become_shares(pretended_gpu, monkeypatch):
    monkeypatch.setattr(file, "pooled", lambda way, x, of=file.pooled: of("library", x))
    monkeypatch.setattr(file, "gradient", lambda way, x, kept, dy, of=file.gradient: of("library", x, kept, dy))
    result = maxpool_backward(batch=1, channels=2, size=16)
    assert result["forward_saved"] == pytest.approx(1 - result["forward_none"] / result["forward_int64"])
    moved = maxpool_traffic(value_bytes=2)["forward_none"] * 2 * 8 * 8
    assert result["forward_none_of_copy"] == pytest.approx(moved / result["forward_none"] / result["ceiling"])


def test_an_odd_size_is_refused(pretended_gpu):
    with pytest.raises(KernelError, match="even"):
        maxpool_backward(size=7)


@pytest.mark.oracle("maxpool_traffic", "torch's max-pooling, its tensors counted in bytes")
def test_the_formula_counts_the_tensors():
    for dtype in (torch.bfloat16, torch.float32):
        x = torch.randn(2, 3, 8, 8, dtype=dtype)
        y, kept = torch.nn.functional.max_pool2d(x, 2, return_indices=True)
        got = maxpool_traffic(value_bytes=x.element_size(), outputs=y.numel())
        assert got["forward_int64"] * y.numel() == sum(t.numel() * t.element_size() for t in (x, y, kept))
        assert got["index_memory"] == kept.numel() * kept.element_size() and got["input_memory"] == x.numel() * x.element_size()
        assert got["backward_none"] * y.numel() == sum(t.numel() * t.element_size() for t in (x, y, x))
    assert maxpool_traffic(value_bytes=4)["forward_saved"] == pytest.approx(8 / 28)


def test_the_gradient_found_again_is_torchs():
    for x in (torch.randn(1, 2, 8, 12, dtype=torch.float64), torch.randint(0, 2, (1, 1, 8, 8)).double()):
        assert torch.equal(found_again(x), routed(x, 2, 2))
    result = maxpool_routing()
    assert (result["inputs"], result["reached"], result["recompute_difference"], result["tied_reached"]) == (16, 4, 0, 4)


def test_the_figure_of_a_made_up_record():
    drawn = plot.draw(maxpool_backward, Result("maxpool_backward", "measurement", maxpool_backward.bind({}), maxpool_backward.checked(made_up())))
    assert "int64 positions" in drawn.alt
    assert "18 B" in plot.draw(maxpool_traffic, maxpool_traffic()).alt
