"""The timing code on a pretended device, whose clocks are made up; the last tests need a GPU."""

import functools
import json
import math
import weakref

import pytest
from pretended_stream import FLUSH, Stream

torch = pytest.importorskip("torch")

from kernels import KernelError, precision, timing
from kernels.library.machines._devices import DEVICES

needs_gpu = pytest.mark.skipif(not torch.cuda.is_available(), reason="torch sees no GPU here")


@pytest.fixture
def stream(monkeypatch):
    """Puts a pretended device in place: stream(), with the arguments of Stream."""

    def begin(*arguments, **named):
        monkeypatch.setattr(timing, "_device", Stream(*arguments, **named))
        return timing._device

    for name, value in (("_rehearsal", False), ("_turns_taken", [])):
        monkeypatch.setattr(timing, name, value)
    timing._best_shape.cache_clear()
    yield begin
    timing._best_shape.cache_clear()


@pytest.fixture
def rehearsed(monkeypatch):
    for name in ("_device", "_rehearsal", "_turns_taken"):
        monkeypatch.setattr(timing, name, getattr(timing, name))
    monkeypatch.setattr(timing, "_turns_taken", [])
    timing.use("cpu", rehearsal=True)
    yield
    timing._best_shape.cache_clear()


def last():
    return timing.samples()["turns"][-1]


def of_last():
    """What stands in the record of the one function measured last."""
    (found,) = last()["functions"].values()
    return found


# ----------------------------------------------------------------------------------------------------------------------- device


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
@pytest.mark.parametrize(
    "ask",
    [
        timing.device,
        lambda: timing.use("cuda"),
        lambda: timing.measure(lambda: None),
        lambda: timing.peak_memory(lambda: None),
        timing.copy_ceiling,
        timing.matmul_ceiling,
        timing.free_memory,
    ],
)
def test_without_a_gpu_nothing_is_approximated(ask, monkeypatch):
    monkeypatch.setattr(timing, "_device", None)
    with pytest.raises(KernelError, match="needs a GPU"):
        ask()


def test_a_rehearsal_runs_everything_in_a_few_calls(rehearsed):
    calls = []
    assert timing.device() == "cpu" and timing.processors() >= 1 and timing.cache_size() > 0 and timing.free_memory() > 0
    for flush in (True, False):
        calls.clear()
        assert timing.measure(lambda: calls.append(0), flush=flush, graph=not flush).value > 0
        assert len(calls) <= 10
    x = torch.randn(8)
    assert timing.in_turns(a=lambda: x + 1, b=lambda: x * 2).ratio("a", "b").value > 0
    assert timing.copy_ceiling().value > 0 and timing.read_ceiling().value > 0
    assert timing.multiplying("fp32").work > 0 and timing.matmul_ceiling("bf16").value > 0 and timing.matmul_rate(16, "tf32").value > 0
    assert timing.fastest([lambda: None, lambda: x.sum()]) in (0, 1)
    timing.synchronize(), timing.release()
    with timing.streams().stream(timing.streams().Stream()):
        assert torch.equal(timing.pinned(x), x)
    assert len(timing.samples()["turns"]) > 6 and json.dumps(timing.samples(), allow_nan=False)


def test_use_forgets_what_was_measured(rehearsed):
    timing.measure(lambda: None)
    assert timing.samples()["turns"]
    timing.use("cpu")
    assert not timing.samples()["turns"] and timing._pace() is timing.FULL


# ---------------------------------------------------------------------------------------------------------------------- warm-up


def test_the_warm_up_lasts_half_a_second_where_all_is_at_rest(stream):
    here, seen = stream(), []
    timing.measure(lambda: (seen.append(here.host), here.launch(1e-6, 1e-3)))
    assert 0.5 < here.order.index("flush") * 1e-3 < 0.7  # nothing but calls comes before the first flush
    assert last()["settled"] and not last()["doubts"]


def test_the_warm_up_goes_on_until_the_time_is_at_rest(stream):
    here = stream()
    timing.measure(lambda: here.launch(1e-6, 1e-3 * (2 - min(1.0, here.host / 1.5))))  # twice as slow at first
    assert here.order.index("flush") * 1e-3 < 1.5 and last()["settled"]
    assert of_last()["seconds"] == [1e-3] * 20  # and no sample is of the time before


def test_the_warm_up_goes_on_until_the_clock_is_at_rest(stream):
    here = stream(lambda now: {"sm_clock": 1.98e9 - 3e8 * min(1.0, now / 1.2)})
    timing.measure(lambda: here.launch(1e-6, 1e-3))
    assert here.order.index("flush") * 1e-3 > 1.2 and last()["settled"]
    assert last()["before"]["sm_clock"] == last()["after"]["sm_clock"] == 1.68e9


def test_a_clock_that_jitters_at_its_power_cap_is_at_rest(stream):
    here = stream(lambda now: {"sm_clock": 1.6e9 * (1 + 0.03 * (round(now / 0.05) % 2))})
    timing.measure(lambda: here.launch(1e-6, 1e-3))
    assert here.order.index("flush") * 1e-3 < 1 and last()["settled"]


def test_a_call_of_seconds_comes_to_rest_after_a_few(stream):
    here = stream()
    timing.measure(lambda: here.launch(1e-6, 0.4))
    assert here.order.index("flush") <= 1 + 5 + timing.FULL.looks and last()["settled"]


def test_a_warm_up_that_finds_no_rest_ends_and_says_so(stream):
    here = stream()
    timing.measure(lambda: here.launch(1e-6, 2e-3 * 1.3**here.host))  # ever slower
    assert 3 < here.host < 4 and not last()["settled"]
    assert any("not at rest after 3 s" in doubt for doubt in timing.samples()["doubts"])


# ---------------------------------------------------------------------------------------------------------------------- samples


def test_equal_samples_are_twenty_and_each_begins_with_a_flush(stream):
    here = stream()
    found = timing.measure(lambda: here.launch(1e-6, 1e-3))
    assert vars(found) == pytest.approx({"value": 1e-3, "low": 1e-3, "high": 1e-3})
    tail = here.order[-40:]
    assert tail == ["flush", "kernel"] * 20
    assert of_last() | {"host": 0} == {"seconds": [1e-3] * 20, "number": 20, "calls": 1, "host": 0, "host_bound": False}


def test_samples_go_on_until_they_agree(stream):
    """The first thirty scatter by a quarter, the others not at all: the band is narrow when four fifths are equal."""
    here, timed = stream(), []

    def call():
        timed.append(here.order[-1:] == ["flush"])
        here.launch(1e-6, 1e-3 * (1 + 0.25 * (sum(timed) % 2) * (timed[-1] and 2 < sum(timed) < 32)))

    timing.measure(call)
    number = of_last()["number"]
    assert 40 < number < 200 and len(of_last()["seconds"]) <= timing.KEPT and not last()["doubts"]


def test_samples_that_never_agree_end_with_a_doubt(stream):
    here, count = stream(), []

    def call():
        count.append(0)
        here.launch(1e-6, 1e-3 * (1 + len(count) % 2))

    found = timing.measure(call)
    assert (found.low, found.high) == pytest.approx((1e-3, 2e-3))
    seconds = of_last()["number"] * (1.5e-3 + FLUSH)
    assert 1.9 < seconds < 2.5
    assert "call scatters by 67% of its median" in timing.samples()["doubts"]


def test_without_a_flush_a_sample_is_two_milliseconds_of_calls(stream):
    here = stream()
    found = timing.measure(lambda: here.launch(1e-7, 1e-5), flush=False)
    assert "flush" not in here.order and found.value == pytest.approx(1e-5)
    assert of_last()["calls"] == pytest.approx(200, rel=0.02)


@pytest.mark.parametrize(("seconds", "graph"), [(2.1e-5, False), (1.9e-5, True)])
def test_a_single_short_call_is_taken_from_a_graph(stream, seconds, graph):
    here = stream()
    assert timing.measure(lambda: here.launch(1e-6, seconds)).value == pytest.approx(seconds)
    assert here.order[-1] == ("graph" if graph else "kernel")
    assert last()["graph"] == graph and len(timing.samples()["turns"]) == 1
    assert any("of the events around it" in doubt for doubt in last()["doubts"]) == graph


def test_a_short_call_that_is_to_show_its_launches_is_in_no_graph(stream):
    here = stream()
    assert timing.measure(lambda: here.launch(1e-6, 1e-5), hidden=False).value == pytest.approx(1e-5)
    assert not last()["graph"] and "of the events around it" in last()["doubts"][0]


def test_results_are_not_kept(stream):
    here, alive = stream(), weakref.WeakSet()

    def call():
        here.launch(1e-6, 1e-5)
        result = torch.zeros(1)
        alive.add(result)
        assert len(alive) <= 2
        return result

    timing.measure(call, flush=False)
    assert not alive


# --------------------------------------------------------------------------------------------------------------------- launches


def many(here, launches, host, seconds):
    def call():
        for _ in range(launches):
            here.launch(host, seconds)

    return call


def test_launches_that_outlast_the_flush_are_hidden_behind_a_sleep(stream):
    here = stream()
    found = timing.measure(many(here, 60, 1e-5, 2e-6))
    assert found.value == pytest.approx(60 * 2e-6) and min(here.slept) == pytest.approx(1.5 * 60e-5 - FLUSH)
    told = of_last()
    assert told["host_bound"] and told["host"] == pytest.approx(60e-5)
    assert timing.samples()["doubts"] == ["call is bound by the host (0.0006 s a call)"]


def test_the_flush_hides_a_few_launches_by_itself(stream):
    here = stream()
    assert timing.measure(many(here, 10, 1e-5, 2e-5)).value == pytest.approx(2e-4)
    assert not here.slept and not of_last()["host_bound"]


def test_launches_can_be_left_to_show(stream):
    here = stream()
    assert timing.measure(many(here, 60, 1e-5, 2e-6), flush=False, hidden=False).value == pytest.approx(60e-5, rel=0.02)
    assert not here.slept
    assert of_last()["host_bound"] and not last()["doubts"]
    assert timing.measure(many(here, 60, 1e-5, 2e-6), flush=False).value == pytest.approx(12e-5)


def test_launches_too_many_to_hide_are_told(stream):
    here = stream()
    assert timing.measure(many(here, 2000, 1e-4, 1e-6)).value > 0.05
    assert max(here.slept) <= timing.HIDDEN and "call is bound by the host (0.2 s a call), which shows in its time" in last()["doubts"]


# ------------------------------------------------------------------------------------------------------------------------ turns


def test_turns_go_there_and_back(stream):
    here = stream()
    timing.in_turns(**{name: lambda name=name: here.launch(1e-6, 1e-3, name) for name in "abc"})
    assert [name for name in here.order[-120:] if name != "flush"] == list("abccba") * 10
    assert set(last()["functions"]) == set("abc")


def test_a_drift_does_not_enter_the_ratio(stream):
    """From one sample to the next all becomes slower by a hundredth of the first; each function's own band is broad, their ratio exact."""
    here = stream()

    def call(seconds):
        flushed = here.order[-1:] == ["flush"]
        here.launch(1e-6, seconds * (1 + 0.01 * here.order.count("flush") * flushed))

    turns = timing.in_turns(a=lambda: call(2e-3), b=lambda: call(1e-3))
    assert vars(turns.ratio("a", "b")) == pytest.approx({"value": 2, "low": 2, "high": 2})
    assert turns["b"].high > 1.1 * turns["b"].low


def test_functions_are_called_by_their_names_in_the_record(stream):
    here = stream()

    def named(seconds=1e-3):
        here.launch(1e-6, seconds)

    for function, name in ((named, "named"), (functools.partial(named, 2e-3), "named"), (lambda: named(), "test_timing:")):
        timing.measure(function)
        assert next(iter(last()["functions"])).startswith(name)


def test_the_quickest_is_found_by_a_short_look(stream):
    here = stream()
    assert timing.fastest([lambda s=s: here.launch(1e-6, s) for s in (3e-6, 1e-6, 2e-6)]) == 1
    assert not timing.samples()["turns"]


# --------------------------------------------------------------------------------------------------------- the state of the card


@pytest.mark.parametrize("since", [0, 0.505])
@pytest.mark.parametrize(
    ("state", "message"),
    [
        ({"others": [77]}, "other processes are on this GPU .77."),
        ({"slowed_by": ["SW power cap", "SW thermal slowdown"], "temperature": 88}, "slowed down .SW thermal slowdown, 88 degrees"),
        ({"slowed_by": ["HW slowdown"]}, "slowed down"),
    ],
)
def test_a_shared_or_overheated_gpu_is_not_timed(stream, state, message, since):
    """Whether it is so from the start, or comes when the samples have begun."""
    here = stream(lambda now: state if now >= since else {})
    with pytest.raises(KernelError, match=message):
        timing.measure(lambda: here.launch(1e-6, 1e-3))
    assert not timing.samples()["turns"] and ("flush" in here.order) == (since > 0)


def test_a_rehearsal_on_a_gpu_refuses_nothing(stream, monkeypatch):
    here = stream(lambda now: {"others": [77]})
    monkeypatch.setattr(timing, "_rehearsal", True)
    assert timing.measure(lambda: here.launch(1e-6, 1e-6)).value == pytest.approx(1e-6) and here.order.count("kernel") < 10


def test_a_power_cap_is_the_ordinary_state(stream):
    here = stream(lambda now: {"slowed_by": ["SW power cap"], "others": [], "power": 699.0})
    timing.measure(lambda: here.launch(1e-6, 1e-3))
    assert last()["after"]["power"] == 699.0


# --------------------------------------------------------------------------------------------------------------- spreads, errors


def test_spread_is_median_with_20th_and_80th_percentile():
    assert vars(timing.spread([5.0, 1.0, 2.0, 4.0, 3.0, 6.0])) == {"value": 3.5, "low": 2.0, "high": 5.0}
    numpy = pytest.importorskip("numpy")
    samples = numpy.random.default_rng(0).lognormal(size=31)
    found = timing.spread(samples.tolist())
    assert [found.low, found.value, found.high] == pytest.approx(numpy.percentile(samples, [20, 50, 80]).tolist())


def test_error_is_over_the_largest_element_and_one_wrong_element_shows():
    reference = torch.tensor([1.0, -4.0, 2.0])
    assert precision.error_against(reference, torch.tensor([1.0, -4.0, 2.5])) == 0.125
    assert precision.error_against(torch.zeros(3), torch.zeros(3)) == 0.0
    assert precision.error_against(reference, reference.bfloat16(), limit=0.0) == 0.0


@pytest.mark.parametrize("wrong", [[1.0, -4.0, 2.5], [1.0, -4.0, math.nan]])
def test_a_wrong_or_undefined_result_is_not_timed(wrong):
    with pytest.raises(KernelError, match="off its reference"):
        precision.error_against(torch.tensor([1.0, -4.0, 2.0]), torch.tensor(wrong), limit=0.1)


def test_an_error_that_comes_with_the_hundredth_call_is_found(stream):
    here, calls = stream(), []

    def racing():
        calls.append(0)
        here.launch(1e-6, 1e-3)
        return torch.ones(3) * (1 if len(calls) < 100 else 2)

    assert precision.error_against(torch.ones(3), racing(), limit=0.1) == 0
    with pytest.raises(KernelError, match="off its reference"):
        timing.error_under_load(torch.ones(3), racing, limit=0.1)


# ---------------------------------------------------------------------------------------------------------------------- memory


def test_peak_memory_leaves_out_what_the_first_call_leaves_behind(rehearsed):
    kept = []

    def call():
        if not kept:
            kept.append(torch.empty(2**20, dtype=torch.uint8))  # as cuBLAS takes its workspace
        return (torch.empty(2**10, dtype=torch.uint8) + 1).add_(1)

    assert timing.peak_memory(call) == timing.Peak(bytes=2**11, workspace=2**20)
    assert timing.peak_memory(call) == timing.Peak(bytes=2**11, workspace=0)


# --------------------------------------------------------------------------------------------------------------------- ceilings


def test_ceilings_are_rates_of_known_work(rehearsed, monkeypatch):
    """Times as they may be; what is counted is known: two tensors of a mebibyte, one, and 2 m n k."""
    times = {"copy": timing.Spread(2.0, 1.0, 4.0), "scale": timing.Spread(4.0, 4.0, 4.0)}
    monkeypatch.setattr(timing, "measure", lambda function: function() or timing.Spread(2.0, 1.0, 4.0))
    monkeypatch.setattr(timing, "in_turns", lambda **functions: times if {name: f() for name, f in functions.items()} else None)
    assert timing.copy_ceiling() == timing.Spread(2**20, 2**19, 2**21)
    assert timing.matmul_rate(16, "fp32") == timing.Spread(2 * 16**3 / 2, 2 * 16**3 / 4, 2 * 16**3)
    copying, reading = timing.copying(), timing.reading()
    assert (copying.work, reading.work) == (2 * 2**20, 2**20)
    copying.function()
    assert reading.function().abs() > 0  # random numbers, so that no card gets off lightly


def test_the_fastest_product_is_the_ceiling(stream, monkeypatch):
    """A device that runs one of the shapes, transposed, twice as fast as all others."""
    here, made = stream(), []

    def product(m, n, k, transposed, dtype):
        made.append((m, n, k, transposed))
        rate = 2e12 if (m, n, k, transposed) == (256, 256, 1664, True) else 1e12
        return timing.Work(lambda: here.launch(1e-6, 2 * m * n * k / rate), 2 * m * n * k)

    monkeypatch.setattr(timing, "_product", product)
    assert timing.matmul_ceiling("bf16").value == pytest.approx(2e12)
    assert len(set(made)) == 2 * len(timing.SHAPES) and any(m != n for m, n, _, _ in made)
    made.clear()
    timing.multiplying("bf16")
    assert made == [(256, 256, 1664, True)]  # found once a process


@pytest.mark.parametrize(("share", "plausible"), [(0.4, False), (0.8, True), (1.2, False)])
def test_a_ceiling_far_from_the_data_sheet_is_refused(stream, monkeypatch, share, plausible):
    here = stream(model="NVIDIA H100 80GB HBM3")
    work = timing.Work(lambda: here.launch(1e-6, 1e-3), share * DEVICES["h100"].peak["bf16"] * 1e-3)
    monkeypatch.setattr(timing, "multiplying", lambda dtype: work)
    if plausible:
        assert timing.matmul_ceiling("bf16").value == pytest.approx(share * DEVICES["h100"].peak["bf16"])
    else:
        with pytest.raises(KernelError, match="cannot be"):
            timing.matmul_ceiling("bf16")
    assert timing.matmul_ceiling("fp64").value > 0  # of which the table says nothing


@pytest.mark.parametrize("transposed", [False, True])
@pytest.mark.parametrize("dtype", ["fp32", "bf16"])
def test_products_have_the_shape_and_layout_that_they_say(rehearsed, monkeypatch, dtype, transposed):
    seen = []
    monkeypatch.setattr(torch, "mm", lambda a, b, out: seen.append((a, b, out, torch.get_float32_matmul_precision())))
    work = timing._product(4, 6, 8, transposed, dtype)
    work.function()
    ((a, b, out, precision),) = seen
    assert work.work == 2 * 4 * 6 * 8 and (a.shape, b.shape, out.shape) == ((4, 8), (8, 6), (4, 6))
    assert b.is_contiguous() != transposed and precision == "highest" and b.unique().numel() > 30


def test_matrix_precision_is_put_back():
    before = torch.get_float32_matmul_precision()
    with pytest.raises(RuntimeError), precision.matrix_precision("tf32"):
        assert torch.get_float32_matmul_precision() == "high"
        raise RuntimeError
    assert torch.get_float32_matmul_precision() == before


# ------------------------------------------------------------------------------------------------------------------ on a real GPU


@needs_gpu
def test_a_measured_copy_stays_below_the_ceiling_and_repeats():
    timing.use("cuda")
    copying, x = timing.copying(), torch.randn(2**26, device="cuda")
    out = torch.empty_like(x)
    turns = timing.in_turns(ceiling=copying.function, one=lambda: timing.scale(x, out), other=lambda: timing.scale(x, out))
    assert turns.ratio("one", "other").value == pytest.approx(1, rel=0.02)
    assert 2 * x.nbytes / turns["one"].value < 1.1 * copying.work / turns["ceiling"].value


@needs_gpu
def test_a_sub_microsecond_kernel_is_told_from_the_resolution_of_events():
    timing.use("cuda")
    x = torch.zeros(1, device="cuda")
    assert timing.measure(lambda: x.add_(1), flush=False, graph=True).value < 5e-6
    assert timing.measure(lambda: x.add_(1)).value < 2e-5 and last()["graph"]
    with pytest.raises(KernelError, match="cannot be captured"):
        timing.measure(lambda: x.item())


@needs_gpu
def test_peak_memory_counts_what_the_function_allocates():
    timing.use("cuda")
    assert timing.peak_memory(lambda: torch.empty(2**20, device="cuda")).bytes == 2**22


@needs_gpu
def test_a_sleep_lasts_as_long_as_it_is_to():
    timing.use("cuda")
    start, end = timing._device.event(), timing._device.event()
    start.record()
    timing._device.sleep(0.01)
    end.record()
    timing.synchronize()
    assert 0.007 < timing._device.between(start, end) < 0.014
