import math

import pytest

torch = pytest.importorskip("torch")

from kernels import KernelError, plot
from kernels.library.serving import _serving
from kernels.library.serving.goodput_sweep import goodput_sweep
from kernels.library.serving.mg1_wait import mg1_wait
from kernels.library.serving.serving_queue import serving_queue
from kernels.library.serving.static_batch_slots import static_batch_slots

BANDWIDTH, WEIGHTS, CACHE = 5120 / 8 * 2 * 2619e6, 2 * (8_030_261_248 - 128_256 * 4096), 131_072  # H100 SXM, Llama 3 8B, by hand


def close(a, b, rel=1e-9):
    return a == pytest.approx(b, rel=rel)


def played(prompts, outputs, came, slots, policy, users=0):
    return _serving.play(_serving.server("llama-3-8b", "h100"), prompts, outputs, came, slots, policy, users)


def test_one_request_by_hand():
    """Weights are read for the prompt and for each further token, with the cache of what came before."""
    run = played([10], [4], [1.0], 8, "continuous")
    read = WEIGHTS / BANDWIDTH
    assert close(run.first[0], 1 + read)
    assert close(run.finished[0], 1 + 4 * read + (11 + 12 + 13) * CACHE / BANDWIDTH)


def test_a_long_prompt_takes_as_long_as_its_flop():
    made, p = _serving.server("llama-3-8b", "h100"), 8000
    flop = 2 * (8_030_261_248 - 2 * 128_256 * 4096) * p + 2 * 128_256 * 4096 + 4 * 32 * 32 * 128 * p * p / 2
    assert close(made.prefill([p]), flop / (132 * 4096 * 1830e6), rel=1e-3)


@pytest.mark.parametrize("policy", ["continuous", "static"])
def test_who_comes_late_waits_for_the_batch_only_where_it_is_static(policy):
    run = played([10, 10, 10], [100, 5, 5], [0.0, 0.0, 1e-3], 2, policy)
    assert run.first[1] < run.first[2]
    assert (run.first[2] > run.finished[0]) == (policy == "static")
    assert run.first[2] > run.finished[1]  # both slots were taken


def test_littles_law_by_counting():
    """The number in the system, looked at at a hundred thousand times, against rate times mean latency."""
    result = serving_queue(requests=300, rate=30.0, seed=1)
    random = torch.Generator().manual_seed(1)
    asked, answered = _serving.drawn(161, "geometric", 300, random), _serving.drawn(338, "geometric", 300, random)
    run = played(asked, answered, _serving.arrivals(30.0, 300, random), 64, "continuous")
    came, finished, end = torch.tensor(run.came), torch.tensor(run.finished), max(run.finished)
    times = (torch.arange(100_000) + 0.5) * (end / 100_000)
    there = torch.searchsorted(came, times.float()) - torch.searchsorted(finished.sort().values, times.float())
    assert close(there.double().mean().item(), result["in_system"], rel=1e-3)
    assert close(300 / end * sum(e - c for e, c in zip(run.finished, run.came)) / 300, result["in_system"])


@pytest.mark.parametrize("load", [0.3, 0.7])
def test_one_slot_is_pollaczeks_and_khinchines_queue(load):
    """One request at a time: the mean wait over many requests against the formula on the very times of service that were played."""
    waits, formula = [], []
    for seed in range(8):
        random = torch.Generator().manual_seed(seed)
        asked, answered = _serving.drawn(161, "geometric", 4000, random), _serving.drawn(40, "geometric", 4000, random)
        alone = played(asked, answered, [1e4 * k for k in range(4000)], 1, "static")
        service = [e - c for e, c in zip(alone.finished, alone.came)]
        mean = sum(service) / 4000
        cv = math.sqrt(sum((s - mean) ** 2 for s in service) / 4000) / mean
        run = played(asked, answered, _serving.arrivals(load / mean, 4000, random), 1, "continuous")
        waits.append(sum(e - c for e, c in zip(run.finished, run.came)) / 4000 - mean)
        formula.append(mg1_wait(rate=load / mean, service=mean, cv=cv)["wait"])
    assert close(sum(waits), sum(formula), rel=0.08)


@pytest.mark.oracle("mg1_wait", "Lindley's recursion on drawn arrivals and services")
@pytest.mark.parametrize("cv", [0.0, 1.0])
def test_waits_by_lindleys_recursion(cv):
    random = torch.Generator().manual_seed(3)
    n, rate, service = 400_000, 0.35, 2.0
    between = (-(1 - torch.rand(n, generator=random, dtype=torch.float64)).log() / rate).tolist()
    served = (-(1 - torch.rand(n, generator=random, dtype=torch.float64)).log() * service).tolist() if cv else [service] * n
    wait = total = 0.0
    for gap, last in zip(between, served):
        wait = max(0.0, wait + last - gap)
        total += wait
    assert close(total / n, mg1_wait(rate=rate, service=service, cv=cv)["wait"], rel=0.05)


def test_a_queue_without_end_is_refused():
    with pytest.raises(KernelError, match="below 1"):
        mg1_wait(rate=0.5, service=2.0)


@pytest.mark.oracle("static_batch_slots", "the longest of drawn lengths, by torch")
@pytest.mark.parametrize("batch", [1, 2, 64])
def test_the_longest_of_a_batch_by_drawing(batch):
    random = torch.Generator().manual_seed(5)
    lengths = torch.tensor(_serving.drawn(338, "geometric", 20_000 * batch, random)).view(-1, batch).double()
    got = static_batch_slots(batch=batch)
    assert close(lengths.amax(1).mean().item(), got["longest"], rel=0.02)
    assert close(lengths.sum().item() / (batch * lengths.amax(1).sum().item()), got["used"], rel=0.02)


def test_a_saturated_static_batch_uses_one_in_h_n_slots():
    """Decode steps come to one less than the tokens, which leaves the shares as they are."""
    runs = [serving_queue(users=128, policy="static", requests=4000, seed=seed)["taken"] for seed in range(6)]
    assert close(sum(runs) / 6, static_batch_slots()["used"], rel=0.05)


def test_full_slots_are_as_fast_as_the_roofline():
    """Ten waves of 64 equal answers, all there at the start: each step reads the weights and 64 caches, which grow by a token a step."""
    run = played([1] * 640, [1000] * 640, [0.0] * 640, 64, "continuous")
    wave = 1000 * WEIGHTS + 64 * CACHE * sum(1 + k for k in range(1, 1000))
    assert close(max(run.finished), 10 * wave / BANDWIDTH) and {batch for _, batch in run.decoded} == {64}


def test_a_queue_that_never_empties_keeps_its_slots_full():
    """What is served lies between the roofline of full steps with a prefill of one prompt for each answer, and without any."""
    got = serving_queue(users=200, prompt=1, prompts="fixed", lengths="fixed", output=1000, requests=4000)
    step, prefill = (WEIGHTS + 64 * 501 * CACHE) / BANDWIDTH, WEIGHTS / BANDWIDTH
    assert got["taken"] > 0.995 and 64 / (step + 64 / 1000 * prefill) * 0.995 < got["throughput"] < 64 / step * 1.005


def test_equal_answers_leave_continuous_batching_nothing_to_fill():
    both = [serving_queue(users=128, lengths="fixed", policy=policy)["throughput"] for policy in ("continuous", "static")]
    assert close(*both, rel=0.05)


def test_a_cache_beyond_the_memory_is_refused():
    with pytest.raises(KernelError, match="lower slots"):
        serving_queue(users=1024, slots=1024, prompt=4000, output=500, requests=1500)


@pytest.mark.parametrize(("share", "value"), [(0.5, 2), (0.51, 3), (0.99, 4), (0.25, 1), (1.0, 4)])
def test_a_percentile(share, value):
    assert _serving.percentile([4, 2, 3, 1], share) == value == _serving.weighted([(4, 5), (2, 5), (3, 5), (1, 5)], share)


def test_lengths_have_their_mean():
    drawn = _serving.drawn(338, "geometric", 200_000, torch.Generator().manual_seed(0))
    assert min(drawn) >= 1 and close(sum(drawn) / len(drawn), 338, rel=0.02)


def test_goodput_falls_beyond_the_capacity_and_what_is_finished_does_not():
    got = goodput_sweep(requests=800)
    finished = got["sweep"].values("finished")
    assert got["over_of_best"] < 0.5 and got["over_of_capacity"] > 0.9 and finished[-1] > 2 * finished[1]


def test_the_figures():
    assert "capacity" in plot.draw(goodput_sweep, goodput_sweep(requests=400)).alt
    assert "0.9" in plot.draw(mg1_wait, mg1_wait()).alt or "90" in plot.draw(mg1_wait, mg1_wait()).alt
    assert "64" in plot.draw(static_batch_slots, static_batch_slots()).alt
