import threading
from types import SimpleNamespace

import pytest

torch = pytest.importorskip("torch")

from kernels import KernelError, plot, timing
from kernels.library.gpu import h2d_overlap as file
from kernels.library.gpu.h2d_overlap import h2d_overlap
from kernels.library.gpu.loader_step import loader_step
from kernels.library.machines._devices import DEVICES
from kernels.library.training.input_demand import input_demand
from kernels.record import Result

pytest_plugins = ("rehearsed",)


@pytest.fixture
def pretended_streams(monkeypatch):
    """Streams that take note of the order asked for."""
    from contextlib import contextmanager

    asked = []

    class Stream:
        def __init__(self, name="copies"):
            self.name = name

        def wait_stream(self, other):
            asked.append((self.name, "after stream", other.name))

        def wait_event(self, event):
            assert event.stream is not None, "waits for an event that was not recorded"
            asked.append((self.name, "after", event.stream))

    class Event:
        stream = None

        def record(self, stream):
            self.stream = stream.name

    @contextmanager
    def stream(given):
        asked.append((given.name, "copy", ""))
        yield

    here = Stream("here")
    module = SimpleNamespace(Event=Event, Stream=Stream, stream=stream, current_stream=lambda: here)
    monkeypatch.setattr(timing, "streams", lambda: module)
    return asked


def test_a_batch_arrives_before_its_computation_and_its_buffer_is_free_before_the_copy(pretended_streams):
    source, buffers = torch.arange(8), [torch.zeros(8, dtype=torch.int64) for _ in range(2)]
    seen = []
    file.side_by_side(source, buffers, lambda: seen.append(len(pretended_streams)))
    assert len(seen) == file.STEPS
    waits = [step for step in pretended_streams if step[1] == "after"]
    assert waits.count(("here", "after", "copies")) == file.STEPS
    assert waits.count(("copies", "after", "here")) == file.STEPS - 2
    assert all(torch.equal(b, source) for b in buffers)


def test_its_numbers_follow_from_the_times(rehearse):
    result, _ = rehearse(h2d_overlap)
    assert result["error"] == 0
    assert result["pinned_bandwidth"] == pytest.approx(2**20 / result["pinned"])
    assert result["overlap_speedup"] == 1 and result["ideal_speedup"] == 2 and result["serial_step"] == result["compute"] / file.STEPS
    assert [n.value for n in result["loader"].lines["expected"]] == pytest.approx([0.4, 2 / 3, 1, 1])
    assert 0 < result["utilisation_0"] <= 1
    assert rehearse.expected(h2d_overlap, result, "h100") == DEVICES["h100"].bus and rehearse.expected(h2d_overlap, result, "gtx-0") is None


@pytest.mark.parametrize(("size", "sizes"), [(2**24, (2**10,)), (2**20, (2**24,))])
def test_it_needs_the_memory_that_it_declares(rehearse, size, sizes):
    result, peak = rehearse(h2d_overlap, size=size, SIZES=sizes)
    on_host = 2 * (size + sizes[0]) + 4 * 2**20  # everything pageable and pinned, also of the loader
    assert (peak - on_host) / 1.1 < rehearse.needed(h2d_overlap, result) < 2.2 * (peak - on_host)


@pytest.mark.parametrize("workers", [1, 3])
def test_workers_load_every_batch_and_in_parallel(monkeypatch, workers):
    together = threading.Barrier(workers, timeout=50)  # breaks, and no batch comes, where fewer load at a time
    monkeypatch.setattr(file, "time", SimpleNamespace(sleep=lambda _: together.wait()))
    source = torch.arange(4)
    batches = list(file.loaded(source, 12, workers))
    assert len(batches) == 12 and all(b is source for b in batches)


def test_a_wrong_copy_is_caught(rehearse, monkeypatch):
    monkeypatch.setattr(file, "to_device", lambda x, device: torch.zeros_like(x))
    with pytest.raises(KernelError, match="what arrived differs"):
        file.checked(torch.arange(8), "cpu")


def test_the_sixty_forty_split():
    found = loader_step(workers=1)
    assert found["serial_utilisation"] == pytest.approx(0.4)
    assert found["one_worker_speedup"] == pytest.approx(1 / 0.6) and found["most_speedup"] == pytest.approx(2.5)
    assert found["step"] == 0.06 and found["workers_needed"] == 2
    assert loader_step(workers=0)["step"] == pytest.approx(0.1)
    assert loader_step(load=0.06, compute=0.02)["workers_needed"] == 3  # exactly three, in spite of 0.06 / 0.02 > 3


def test_eight_gpus_on_a_default_volume():
    found = input_demand()
    assert found["demand"] == pytest.approx(2.464e9)
    assert found["samples_storage"] == pytest.approx(1191, abs=1)
    assert found["utilisation"] == pytest.approx(0.053, abs=5e-4)
    assert found["cores_needed"] == pytest.approx(112)
    assert input_demand(storage=1e9)["epoch"] == pytest.approx(1000)


def test_the_slowest_stage_sets_the_pace():
    assert input_demand(storage=1e12, cores=10, core_time=1e-3)["samples"] == pytest.approx(10_000)
    assert input_demand(storage=1e12, cores=1000)["utilisation"] == 1
    assert input_demand(storage=1e12, cores=1000, bus=1e6)["samples"] == pytest.approx(8e6 / (3 * 224 * 224))


@pytest.mark.parametrize("kernel", [loader_step, input_demand])
def test_the_formulas_figures(kernel):
    assert plot.draw(kernel, kernel()).alt


def made_up():  # not measured: numbers to draw with
    outputs = {name: 1.0 for name, declared in h2d_overlap.outputs.items() if isinstance(declared, str)}
    sizes = list(file.SIZES)
    sweep = {"size": sizes, "pageable": [1e10 * s / (s + 1e6) for s in sizes], "pinned": [5e10 * s / (s + 5e5) for s in sizes]}
    return {**outputs, "sweep": sweep, "loader": {"workers": [0, 1], "measured": [0.4, 0.6], "expected": [0.4, 0.67]}}


def test_the_figure_of_a_made_up_record():
    drawn = plot.draw(h2d_overlap, Result("h2d_overlap", "measurement", h2d_overlap.bind({}), h2d_overlap.checked(made_up())))
    assert "pinned" in drawn.alt and "pageable" in drawn.alt
