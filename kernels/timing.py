"""How a measurement times a device and meets its ceilings: functions in, seconds, rates or bytes with their spread out.

    time        measure, in_turns, fastest                  ceilings    copying, reading, multiplying; copy_ceiling, read_ceiling, matmul_ceiling
    memory      peak_memory, account, allocator             right?      error_under_load (precision.error_against)
    device      use, device, free_memory, processors, cache_size, synchronize, release, streams, pinned        record      samples

What is timed is warmed up until its time and the clock of the GPU stand still; then samples are taken until they agree. Between two
events on the GPU's stream stands the function alone: its launches are hidden behind the reading that empties the L2, or a sleep. What
is to be compared is measured in turns (A B B A), so that a clock that drifts moves both. Nothing is timed on a GPU that is too hot or shared.

Apart from the kernels because this code is part of every measurement's key: a change here makes every record stale. device.py
has what differs between a GPU and the CPU, nvml.py the state of the card.
"""

from __future__ import annotations

import functools
import importlib
import math
import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, NamedTuple

from kernels.device import Cpu, Gpu
from kernels.nvml import SLOWED
from kernels.precision import error_against, matrix_precision, torch_dtype
from kernels.results import KernelError, Spread

Function = Callable[[], Any]

BAND = 0.02  # samples agree where the 20 to 80 % band is no wider, as a share of the median
BROAD = 0.1  # a wider band is said
KEPT = 30  # samples of a function in the record
HOST_BOUND = 0.95  # of the device's time: from there on the host cannot keep it busy


# ---------------------------------------------------------------------------------------------------------------------- the device

_device: Any = None  # a Gpu or a Cpu, once one is used
_rehearsal = False


def use(device: Literal["cuda", "cpu"], rehearsal: bool = False) -> None:
    """Chooses the device of all that follows and forgets what was measured. Raises KernelError where torch sees no GPU and one is asked for.

    rehearsal: to run all the code of a measurement: a few calls of each function, small ceilings, nothing refused, and no number means anything.
    """
    global _device, _rehearsal
    _device, _rehearsal = (Cpu(rehearsal) if device == "cpu" else Gpu()), rehearsal
    _turns_taken.clear()
    _best_shape.cache_clear()


def _here() -> Any:
    if _device is None:
        use("cuda")
    return _device


def device() -> str:
    """The device of every measurement, "cuda" unless `use` says otherwise. Raises KernelError where torch sees no GPU."""
    return _here().name


def free_memory() -> int:
    """Bytes of the device that are free; what torch's allocator keeps for reuse is not, before `release`."""
    return _here().free_memory()


def processors() -> int:
    """Streaming multiprocessors, compute units, or cores."""
    return _here().processors()


def cache_size() -> int:
    """Bytes of the last-level cache: a GPU's L2."""
    return _here().cache_size()


def synchronize() -> None:
    """Waits until the device has done all that it was asked for."""
    _here().synchronize()


def release() -> None:
    """Gives back to the driver what torch's allocator keeps unused."""
    _here().release()


def streams() -> Any:
    """The module with the device's Stream, Event, stream, current_stream: torch.cuda, or torch.cpu, whose streams run at once."""
    return _here().streams()


def pinned(x: Any) -> Any:
    """A copy of a tensor of the host that the GPU's copy engine can read by itself; on the CPU just a copy."""
    return _here().pinned(x)


# ------------------------------------------------------------------------------------------------------------------------- time


@dataclass(frozen=True)
class Turns:
    """Seconds of a call of each function, two in every round: one on the way there, one on the way back."""

    rounds: Mapping[str, list[tuple[float, float]]]

    def __getitem__(self, name: str) -> Spread:
        """Seconds: the median of the samples with 20th and 80th percentile."""
        return spread([seconds for pair in self.rounds[name] for seconds in pair])

    def ratio(self, a: str, b: str) -> Spread:
        """The time of a over that of b, by rounds: what drifts in a round (A B B A) moves both alike."""
        return spread([sum(one) / sum(other) for one, other in zip(self.rounds[a], self.rounds[b])])


def measure(function: Function, *, flush: bool = True, graph: bool = False, hidden: bool = True) -> Spread:
    """Seconds that one call of `function` takes on the device: the median of the samples with 20th and 80th percentile.

    flush: each sample is one call that starts with none of its inputs in the L2, which something else is read into before it.
    Without it the caller rotates the inputs or means them to be cached, and a sample is as many calls as last two milliseconds.
    graph: the calls of a sample are replayed from a CUDA graph, which leaves the gaps between launches out; a call below 20 us is in any case.
    hidden: the host is ahead of the GPU when a sample begins; without it the time is that of whichever is slower.
    Raises KernelError for what cannot be captured, and where the GPU is shared or too hot.
    """
    name = _name(function)
    return _timed({name: function}, flush, graph, hidden, _pace())[name]


def in_turns(*, flush: bool = True, graph: bool = False, hidden: bool = True, **functions: Function) -> Turns:
    """The seconds of several functions, measured in turns; otherwise as `measure`. For a rate and its ceiling, or two ways of one thing."""
    return _timed(functions, flush, graph, hidden, _pace())


def fastest(functions: Sequence[Function]) -> int:
    """The number of the quickest of several ways to do the same, by a short look at each: to choose what is measured, and never a result."""
    looks = [_look(function) for function in functions]
    return looks.index(min(looks))


def _look(function: Function) -> float:
    return _timed({"look": function}, True, False, True, _pace(LOOK))["look"].value


def spread(samples: Sequence[float]) -> Spread:
    """The median of at least two samples with their 20th and 80th percentile."""
    cuts = statistics.quantiles(samples, n=5, method="inclusive")
    return Spread(statistics.median(samples), cuts[0], cuts[-1])


@dataclass(frozen=True)
class Pace:
    """How long to warm up and how many samples to take."""

    window: float  # seconds of calls without a wait between them, during the warm-up
    warm: float  # seconds of warm-up at least
    warm_limit: float  # and at most, should time and clock not come to rest
    looks: int  # single calls, whose median tells what a call takes, and how long the host is about it
    sample: float  # seconds that the calls of a sample last together, where nothing is flushed: less than fills the driver's queue of 1,024 launches
    rounds: int  # at least, of two samples
    seconds: float  # of samples, for each function, after which no more are taken though they do not agree
    noted: bool  # in the record
    strict: bool  # whether what should not be timed is refused


FULL = Pace(window=0.05, warm=0.5, warm_limit=3.0, looks=5, sample=2e-3, rounds=10, seconds=2.0, noted=True, strict=True)
LOOK = Pace(window=0.02, warm=0.04, warm_limit=0.1, looks=3, sample=2e-3, rounds=3, seconds=0.0, noted=False, strict=False)
REHEARSAL = Pace(window=0.0, warm=0.0, warm_limit=0.0, looks=1, sample=0.0, rounds=2, seconds=0.0, noted=True, strict=False)
HIDDEN = 0.1  # seconds that the stream sleeps at most for the host to get ahead


def _pace(usual: Pace = FULL) -> Pace:
    return REHEARSAL if _rehearsal else usual


def _timed(functions: Mapping[str, Function], flush: bool, graph: bool, hidden: bool, pace: Pace) -> Turns:
    here = _here()
    settled, before = _warmed_up(here, functions, pace)
    empty = here.flusher() if flush else lambda: None
    ways = {name: _Way(here, function, empty, flush, graph, hidden, pace) for name, function in functions.items()}
    turns, start = Turns({name: [] for name in ways}), here.clock()
    while True:
        batch = [([way.sampled() for way in ways.values()], [way.sampled() for way in reversed(ways.values())][::-1]) for _ in range(pace.rounds)]
        after = here.state()  # while the device is still at it
        here.synchronize()
        for there, back in batch:
            for name, one, other in zip(ways, there, back):
                turns.rounds[name].append((ways[name].seconds(one), ways[name].seconds(other)))
        if pace.strict:
            _undisturbed(after)
        if all(_band(turns[name]) <= BAND for name in ways) or here.clock() - start >= pace.seconds * len(ways):
            break
    if pace.strict and hidden and not graph and any(turns[name].value * way.calls < here.shortest for name, way in ways.items()):
        return _timed(functions, flush, True, hidden, pace)
    if pace.noted:
        _note(turns, ways, here.shortest, {"flush": flush, "graph": graph, "hidden": hidden, "settled": settled, "before": before, "after": after})
    return turns


def _warmed_up(here: Any, functions: Mapping[str, Function], pace: Pace) -> tuple[bool, dict[str, Any]]:
    """Calls all functions in turns till their time and the SM clock are at rest: whether they came to it, and the card's state."""

    def turn() -> None:
        for function in functions.values():
            function()

    turn()  # which loads or compiles code
    here.synchronize()
    start, count = here.clock(), 1
    windows: list[tuple[float, float]] = []
    while True:
        began = here.clock()
        for _ in range(count):
            turn()
        state = here.state()  # while the device is still at it
        here.synchronize()
        now = here.clock()
        windows.append(((now - began) / count, state.get("sm_clock", 1.0)))
        settled = len(windows) > 4 and all(_at_rest(series[1:][-10:]) for series in zip(*windows))  # the first was a single call
        if (settled and now - start >= pace.warm) or now - start >= pace.warm_limit:
            break
        count = max(1, math.ceil(pace.window * count / (now - began)))
    if pace.strict:
        _undisturbed(state)
    return settled, state


def _at_rest(series: Sequence[float]) -> bool:
    """Whether it drifts no longer, jitter as it may (a clock does at its power cap): its halves, a quarter of a second each, have the same mean."""
    half = len(series) // 2
    one, other = statistics.fmean(series[:half]), statistics.fmean(series[-half:])
    return abs(one - other) <= BAND * min(one, other)


class _Way:
    """A function as it is timed: `calls` of it in a sample, which the host launches in `host` seconds, hidden behind a `cover`.

    A sample in the stream:  event - sleep - flush - event - calls - event.
    """

    def __init__(self, here: Any, function: Function, empty: Function, flush: bool, graph: bool, hidden: bool, pace: Pace) -> None:
        self._here, self._empty = here, empty
        self.calls = 1 if flush else max(1, min(1000, math.ceil(pace.sample / _looked_at(here, function, pace)[1])))
        self._run = here.captured(function, self.calls) if graph else _loop(function, self.calls)
        self.host = _looked_at(here, self._run, pace)[0] if here.asynchronous else 0.0
        self.covers: list[float] = []
        self._sleep = 0.0
        if hidden and here.asynchronous:
            empty()
            start, end = here.event(), here.event()
            start.record()
            empty()
            end.record()
            here.synchronize()
            self._sleep = min(HIDDEN, max(0.0, 1.5 * self.host - here.between(start, end)))

    def sampled(self) -> tuple[Any, Any, Any]:
        """Launches a sample: its events."""
        before, start, end = self._here.event(), self._here.event(), self._here.event()
        before.record()
        if self._sleep:
            self._here.sleep(self._sleep)
        self._empty()
        start.record()
        self._run()
        end.record()
        return before, start, end

    def seconds(self, sample: tuple[Any, Any, Any]) -> float:
        """Of one call, once the device has done it."""
        before, start, end = sample
        self.covers.append(self._here.between(before, start))
        return self._here.between(start, end) / self.calls


def _loop(function: Function, calls: int) -> Function:
    def run() -> None:
        for _ in range(calls):
            function()

    return run


def _looked_at(here: Any, run: Function, pace: Pace) -> tuple[float, float]:
    """(seconds until a call returns, seconds until it is done) with nothing else to do: medians of a few calls."""
    found = []
    for _ in range(pace.looks):
        here.synchronize()
        start = here.clock()
        run()
        returned = here.clock()
        here.synchronize()
        found.append((returned - start, here.clock() - start))
    host, whole = zip(*found)
    return statistics.median(host), statistics.median(whole)


def _band(found: Spread) -> float:
    return (found.high - found.low) / found.value if found.value else 0.0


def _undisturbed(state: Mapping[str, Any]) -> None:
    """Raises KernelError where the GPU is slowed down by heat or its supply, or another process is on it."""
    if state.get("others"):
        raise KernelError(f"other processes are on this GPU ({', '.join(map(str, state['others']))}), so nothing is timed")
    slowed = [reason for reason in state.get("slowed_by", ()) if reason in SLOWED]
    if slowed:
        raise KernelError(f"this GPU is slowed down ({', '.join(slowed)}, {state.get('temperature', '?')} degrees Celsius), so nothing is timed")


def _name(function: Function) -> str:
    """What it is called; of a lambda the file and the line."""
    inner = getattr(function, "func", function)
    name = getattr(inner, "__name__", "call")
    return f"{Path(inner.__code__.co_filename).stem}:{inner.__code__.co_firstlineno}" if name == "<lambda>" else name


# ----------------------------------------------------------------------------------------------------------------------- the record

_turns_taken: list[dict[str, Any]] = []


def samples() -> dict[str, Any]:
    """What this process has measured so far, for its record: plain values that become JSON.

    card: driver, power limit and so on, where NVML answers; between_events: seconds between two events with nothing between them.
    turns: of each measurement its functions with `seconds` (at most thirty of the `number` of samples, four digits), `calls` in a sample,
    `host`: seconds that launching a call takes (0 on the CPU), `host_bound`; flush, graph, hidden, settled; the card before and after.
    doubts: what speaks against these numbers, in words.
    """
    here = _here()
    return {
        "card": here.card(),
        "between_events": _rounded(_between_events(here)),
        "turns": list(_turns_taken),
        "doubts": sorted({doubt for turns in _turns_taken for doubt in turns["doubts"]}),
    }


def _note(turns: Turns, ways: Mapping[str, _Way], shortest: float, how: Mapping[str, Any]) -> None:
    functions: dict[str, dict[str, Any]] = {}
    doubts = []
    for name, way in ways.items():
        seconds = [second for pair in turns.rounds[name] for second in pair]
        functions[name] = {
            "seconds": [_rounded(second) for second in seconds[:: math.ceil(len(seconds) / KEPT)]],
            "number": len(seconds),
            "calls": way.calls,
            "host": _rounded(way.host / way.calls),
            "host_bound": way.host > HOST_BOUND * turns[name].value * way.calls,
        }
        if functions[name]["host_bound"] and how["hidden"]:
            seen = way.host > statistics.median(way.covers)
            doubts.append(f"{name} is bound by the host ({functions[name]['host']:g} s a call){', which shows in its time' if seen else ''}")
        if turns[name].value * way.calls < shortest:
            doubts.append(f"{name} takes {_rounded(turns[name].value):g} s, of which some are of the events around it")
        if _band(turns[name]) > BROAD:
            doubts.append(f"{name} scatters by {_band(turns[name]):.0%} of its median")
    if not how["settled"]:
        doubts.append(f"{', '.join(functions)}: not at rest after {FULL.warm_limit:g} s of warm-up")
    _turns_taken.append({"functions": functions, **how, "doubts": doubts})


def _between_events(here: Any) -> float:
    """Seconds from an event to the next, which every sample has in it."""
    found = []
    for _ in range(5):
        start, end = here.event(), here.event()
        here.sleep(1e-4)  # so that both are there before the first one passes
        start.record()
        end.record()
        here.synchronize()
        found.append(here.between(start, end))
    return statistics.median(found)


def _rounded(seconds: float) -> float:
    return float(f"{seconds:.4g}")


# ------------------------------------------------------------------------------------------------------------------------ right?


def error_under_load(reference: Any, function: Function, limit: float = math.inf, seconds: float = 0.1) -> float:
    """`error_against` of the last result of calls one right after the other, as they are timed: a race shows that a first call had not."""
    here = _here()
    here.synchronize()
    start = here.clock()
    result = function()
    here.synchronize()
    for _ in range(1 if _rehearsal else max(1, min(1000, math.ceil(seconds / (here.clock() - start))))):
        result = function()
    return error_against(reference, result, limit)


# ------------------------------------------------------------------------------------------------------------------------ memory


class Peak(NamedTuple):
    """Bytes held at most while a function ran, beyond those before; and what its first call left behind, such as a library's workspace."""

    bytes: int
    workspace: int


def peak_memory(function: Function) -> Peak:
    """What `function` holds at most, its result included, by torch's allocator; on the CPU by the storages that operations make.

    It is called twice: what the first call leaves for all later ones (cuBLAS takes 32 MiB on an H100) is told apart.
    """
    with account() as first:
        function()
    workspace = first.held
    with account() as second:
        kept = function()
    del kept
    return Peak(second.peak, workspace)


def account() -> Any:
    """A context that counts: `held` and `peak` are the bytes beyond those held at its begin, at any time while it lasts, and `peak` after it."""
    return _here().account()


def allocator() -> Any:
    """torch's caching allocator (device.GpuAllocator); on the CPU one that neither rounds nor caches."""
    return _here().allocator()


# ---------------------------------------------------------------------------------------------------------------------- ceilings


class Work(NamedTuple):
    """A function that reaches a ceiling, for `in_turns`, and what one call does: bytes or FLOP."""

    function: Function
    work: float

    def rate(self) -> Spread:
        return self.work / measure(self.function)


def copying() -> Work:
    """The faster of two ways to copy a gibibyte of random numbers; bytes read and written ones counted. The ceiling of what reads and writes."""
    copies = _copies()
    return copies[fastest([copy.function for copy in copies])]


def copy_ceiling() -> Spread:
    """Bytes per second, read and written ones counted, of the faster of two ways to copy."""
    copied, scaled = _copies()
    turns = in_turns(copy=copied.function, scale=scaled.function)
    return max(copied.work / turns["copy"], scaled.work / turns["scale"], key=float)


def _copies() -> list[Work]:
    import torch

    x = torch.randn(_fitting(tensors=2) // 4, device=device())
    out = torch.empty_like(x)
    return [Work(functools.partial(way, x, out), 2 * x.nbytes) for way in (copy, scale)]


def copy(x: Any, out: Any) -> None:
    """STREAM's copy: the driver's own transfer from device to device."""
    out.copy_(x)


def scale(x: Any, out: Any) -> None:
    """STREAM's scale: an elementwise kernel that reads each element once and writes it once."""
    import torch

    torch.mul(x, 2.0, out=out)


def reading() -> Work:
    """Adding up a gibibyte of random numbers: the ceiling of what only reads, which can be faster than a copy."""
    import torch

    x = torch.randn(_fitting(tensors=1) // 4, device=device())
    out = torch.empty((), device=x.device)
    return Work(lambda: torch.sum(x, dim=0, out=out), x.nbytes)


def read_ceiling() -> Spread:
    """Bytes per second of a sum of random numbers."""
    return reading().rate()


# Rows, columns and terms of products, among them those that are the fastest known on H100 (2048 x 2048 x 13312) and A100 (1024 x 10240 x 5120):
# github.com/stas00/ml-engineering, compute/accelerator, "Maximum Achievable Matmul FLOPS".
SHAPES = (
    (8192, 8192, 8192),
    (2048, 2048, 13312),
    (1024, 10240, 5120),
    (4096, 4096, 4096),
    (6144, 6144, 6144),
    (4096, 4096, 16384),
    (8192, 8192, 2048),
    (2048, 8192, 8192),
    (8192, 2048, 8192),
    (16384, 4096, 4096),
    (4864, 4096, 4096),
    (6912, 16384, 2048),
)
PLAUSIBLE = (0.5, 1.05)  # shares of the data sheet's peak: MI300X reaches 0.54 (708 TFLOP/s, same source)


def multiplying(dtype: str = "bf16") -> Work:
    """The fastest of a dozen shapes of matrix product, each with the second matrix as it is and transposed: the ceiling of what arithmetic bounds.

    Random values; a dtype of DTYPES.
    """
    return _product(*_best_shape(dtype), dtype)


def matmul_ceiling(dtype: str = "bf16") -> Spread:
    """FLOP per second of the fastest matrix product found, a dtype of DTYPES. Raises KernelError where the data sheet makes it implausible."""
    rate, peak = multiplying(dtype).rate(), _data_sheet().get(dtype)
    if peak and not _rehearsal and not PLAUSIBLE[0] <= rate.value / peak <= PLAUSIBLE[1]:
        raise KernelError(f"the fastest {dtype} product runs at {rate.value:.3g} FLOP/s, {rate.value / peak:.2f} of this GPU's peak, which cannot be")
    return rate


def matmul_rate(n: int, dtype: str) -> Spread:
    """FLOP per second, 2 n^3 over the time, of the library's product of two n x n matrices of random values."""
    return _product(n, n, n, False, dtype).rate()


@functools.cache
def _best_shape(dtype: str) -> tuple[int, int, int, bool]:
    """(rows, columns, terms, transposed): the three best by a short look, then the best of these, in turns."""
    smaller = 64 if _rehearsal else _here().smaller
    shapes = [(m // smaller, n // smaller, k // smaller) for m, n, k in SHAPES]
    size, free = torch_dtype(dtype).itemsize, free_memory()
    fitting = [(m, n, k) for m, n, k in shapes if 2 * size * (m * n + m * k + k * n) < free]
    candidates = [(*shape, transposed) for shape in fitting for transposed in (False, True)]
    if not candidates:
        raise KernelError(f"no matrix product fits in the {free} bytes that are free")
    rates = {}
    for one in candidates:
        product = _product(*one, dtype)
        rates[one] = product.work / _look(product.function)
    best = {f"{dtype} product of {one}": one for one in sorted(candidates, key=lambda one: -rates[one])[:3]}
    products = {name: _product(*one, dtype) for name, one in best.items()}
    turns = _timed({name: product.function for name, product in products.items()}, True, False, True, _pace())
    return best[max(products, key=lambda name: products[name].work / turns[name].value)]


def _product(m: int, n: int, k: int, transposed: bool, dtype: str) -> Work:
    import torch

    def random(rows: int, columns: int) -> Any:
        return torch.randn(rows, columns, device=device()).to(torch_dtype(dtype))

    a, b = random(m, k), random(n, k).T if transposed else random(k, n)
    out = a.new_empty(m, n)

    def product() -> None:
        with matrix_precision(dtype):
            torch.mm(a, b, out=out)

    return Work(product, 2 * m * n * k)


def _data_sheet() -> Mapping[str, float]:
    """Peak FLOP/s by dtype of the GPU here, where its row is known. Imported by name: the table checks a ceiling and makes none,
    so that another row leaves every record fresh."""
    from kernels.machine import device_class_of

    row = importlib.import_module("kernels.library.machines._devices").DEVICES.get(device_class_of(_here().model()))
    return row.peak if row else {}


def fresh_compiler() -> None:
    """Forgets what torch.compile compiled: past eight shapes of one function it would silently run uncompiled."""
    import torch

    torch.compiler.reset()


def _fitting(tensors: int) -> int:
    """A gibibyte, or what lets that many such tensors fill no more than half of the free memory, in whole mebibytes; one in a rehearsal."""
    return 2**20 if _rehearsal else min(2**30, free_memory() // 2 // tensors // 2**20 * 2**20)
