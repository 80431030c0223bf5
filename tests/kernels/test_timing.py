"""The timing code, as far as it can be judged without a GPU; the last tests need one."""

import math
from types import SimpleNamespace

import pytest
from made_up_clock import TICK, Clock

torch = pytest.importorskip("torch")

from kernels import KernelError, timing

pytest_plugins = ("pretended_gpu",)

needs_gpu = pytest.mark.skipif(not torch.cuda.is_available(), reason="torch sees no GPU here")


def test_spread_is_median_with_20th_and_80th_percentile():
    assert vars(timing.spread([5.0, 1.0, 2.0, 4.0, 3.0, 6.0])) == {"value": 3.5, "low": 2.0, "high": 5.0}
    numpy = pytest.importorskip("numpy")
    samples = numpy.random.default_rng(0).lognormal(size=31)
    found = timing.spread(samples.tolist())
    assert [found.low, found.value, found.high] == pytest.approx(numpy.percentile(samples, [20, 50, 80]).tolist())


def test_error_is_over_the_largest_element_and_one_wrong_element_shows():
    reference = torch.tensor([1.0, -4.0, 2.0])
    assert timing.error_against(reference, torch.tensor([1.0, -4.0, 2.5])) == 0.125
    assert timing.error_against(torch.zeros(3), torch.zeros(3)) == 0.0
    assert timing.error_against(reference, reference.bfloat16(), limit=0.0) == 0.0


@pytest.mark.parametrize("wrong", [[1.0, -4.0, 2.5], [1.0, -4.0, math.nan]])
def test_a_wrong_or_undefined_result_is_not_timed(wrong):
    with pytest.raises(KernelError, match="off its reference"):
        timing.error_against(torch.tensor([1.0, -4.0, 2.0]), torch.tensor(wrong), limit=0.1)


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
@pytest.mark.parametrize(
    "ask", [timing.device, lambda: timing.measure(lambda: None), lambda: timing.peak_memory(lambda: None), timing.copy_ceiling, timing.matmul_ceiling]
)
def test_without_a_gpu_nothing_is_approximated(ask):
    with pytest.raises(KernelError, match="needs a GPU"):
        ask()


def test_one_cold_call_a_repetition_or_many_warm_ones(pretended_gpu):
    calls = []

    def call():
        calls.append(len(calls))
        pretended_gpu.now += 1 + len(calls) % 3

    found = timing.measure(call, repetitions=21)
    assert len(calls) == 22 and vars(found) == {"low": 1 + TICK, "value": 2 + TICK, "high": 3 + TICK}
    calls.clear()
    found = timing.measure(call, repetitions=21, flush=False, graph=True)
    assert len(calls) == 1 + 21 * 4 and vars(found) == {"low": (7 + TICK) / 4, "value": (8 + TICK) / 4, "high": (9 + TICK) / 4}


def test_ceilings_are_rates_of_known_work(pretended_gpu, monkeypatch):
    monkeypatch.setattr(timing, "measure", lambda function: function() or timing.Spread(2.0, 1.0, 4.0))
    assert timing.copy_ceiling() == timing.Spread(2**20, 2**19, 2**21)  # two tensors of a quarter of 4 MiB each
    monkeypatch.setattr(timing, "matmul_rate", lambda n, dtype: (n, dtype))
    assert timing.matmul_ceiling("tf32") == (8192, "tf32")


def test_matmul_rate_counts_two_flop_a_term(pretended_gpu, monkeypatch):
    monkeypatch.setattr(timing, "measure", lambda function: timing.Spread(0.5, 0.25, 1.0) if function() is not None else None)
    assert timing.matmul_rate(16, "fp32").value == 2 * 16**3 / 0.5


def test_matrix_precision_is_put_back():
    before = torch.get_float32_matmul_precision()
    with pytest.raises(RuntimeError), timing.matrix_precision("tf32"):
        assert torch.get_float32_matmul_precision() == "high"
        raise RuntimeError
    assert torch.get_float32_matmul_precision() == before


@pytest.mark.parametrize(("seconds", "calls"), [(1.0, 3), (6 * TICK, 13)])
def test_warm_up_ends_and_estimates(monkeypatch, seconds, calls):
    """After three calls, or so many that they and two readings of the clock for each take a hundred ticks."""
    clock, called = Clock(), []

    def call():
        called.append(seconds)
        clock.now += seconds

    monkeypatch.setattr(timing, "time", SimpleNamespace(perf_counter=clock.read))
    monkeypatch.setattr(torch.cuda, "synchronize", lambda: None)
    assert timing._warm_up(call, least=100 * TICK) == seconds + TICK and len(called) == calls


@needs_gpu
def test_a_measured_copy_stays_below_the_ceiling_and_repeats():
    x = torch.randn(2**26, device="cuda")
    out = torch.empty_like(x)
    first, second = (timing.measure(lambda: timing.scale(x, out)) for _ in range(2))
    assert second.value == pytest.approx(first.value, rel=0.05)
    assert 2 * x.nbytes / first.value < 1.1 * timing.copy_ceiling().value


@needs_gpu
def test_a_sub_microsecond_kernel_is_told_from_the_resolution_of_events():
    x = torch.zeros(1, device="cuda")
    assert timing.measure(lambda: x.add_(1), flush=False, graph=True).value < 5e-6


@needs_gpu
def test_peak_memory_counts_what_the_function_allocates():
    assert timing.peak_memory(lambda: torch.empty(2**20, device="cuda")) == 2**22
