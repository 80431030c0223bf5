import pytest

torch = pytest.importorskip("torch")

from kernels import KernelError, plot, timing
from kernels.library.machines import copy_bandwidth as file
from kernels.library.machines._devices import DEVICES
from kernels.library.machines.copy_bandwidth import copy_bandwidth

pytest_plugins = ("pretended_gpu", "rehearsed")

MADE_UP = {  # not measured: numbers to draw with
    "bandwidth": timing.Spread(3.0e12, 2.99e12, 3.01e12),
    "copy": 2.95e12,
    "scale": 3.0e12,
    "time": 7.2e-4,
    "cached_bandwidth": 5.2e12,
    "cache": 50 * 2**20,
    "error": 0.0,
    "sweep": {
        "size": list(file.SIZES),
        "memory": [2e10, 8e10, 3e11, 9e11, 1.9e12, 2.6e12, 2.9e12, 3.0e12, 3.0e12],
        "cached": [6e10, 2.4e11, 9e11, 2.9e12, 5.2e12, None, None, None, None],
    },
}


@pytest.mark.parametrize("way", file.WAYS.values())
def test_each_way_moves_every_element(pretended_gpu, way):
    assert file.checked(way, 4096) == 0.0


def test_an_unwritten_output_is_not_timed(pretended_gpu):
    with pytest.raises(KernelError, match="off its reference"):
        file.checked(lambda x, out: None, 4096)


def test_times_become_rates(pretended_gpu, monkeypatch):
    monkeypatch.setattr(file, "SIZES", (2**12, 2**20))
    result = copy_bandwidth(size=2**16)
    assert result["sweep"].x == (2**12, 2**20)
    assert result["sweep"].values("cached")[1] is None  # two tensors of a mebibyte do not fit the pretended cache
    assert result["bandwidth"] == max(result["copy"], result["scale"])
    assert result["time"] == pytest.approx(2 * 2**16 / result["bandwidth"])


def test_its_rehearsal(rehearse):
    result = rehearse.within_memory(copy_bandwidth)
    assert result["error"] == 0
    assert (
        rehearse.expected(copy_bandwidth, result, "h100") == DEVICES["h100"].bandwidth and rehearse.expected(copy_bandwidth, result, "gtx-0") is None
    )


def test_a_size_that_is_no_whole_number_of_floats_is_refused(pretended_gpu):
    with pytest.raises(KernelError, match="multiple of 4"):
        copy_bandwidth(size=2**12 + 1)


def test_the_figure_of_a_made_up_record():
    drawn = plot.draw(copy_bandwidth, result_of(copy_bandwidth, MADE_UP))
    assert "3\N{NO-BREAK SPACE}TB/s from memory" in drawn.alt and "5.2\N{NO-BREAK SPACE}TB/s" in drawn.alt


def result_of(kernel, outputs):
    from kernels.record import Result

    return Result(kernel.name, kernel.kind, kernel.bind({}), kernel.checked(outputs))
