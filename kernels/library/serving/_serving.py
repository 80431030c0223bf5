"""One model on one GPU that serves requests from a queue, played out step by step.

A step lasts as long as its roofline: the longer of bytes over bandwidth and FLOP over peak, by the data sheet (machines/_devices.py), weights and
cache in bf16.

    decode of b sequences with C cached tokens together    weights + C * cache of a token         b * products + attention * C
    prefill of prompts of p tokens                         weights                                p * products + attention * p (p + 1) / 2

(Pope et al. 2022, arXiv 2211.05102, section 2.) The output head is multiplied once for each token that comes out. Launches, sampling and
the scheduler take no time here, so that rates are upper bounds, and times lower ones for the same batch.

    continuous    before each decode step whoever waits is prefilled, as long as there are slots; who is finished leaves at once
                  (iteration-level scheduling: Yu et al. 2022, Orca, OSDI; prefill goes first, as in vLLM without chunked prefill)
    static        a batch is taken from the queue when the one before is finished to its longest answer

In static batching too an answer leaves when it is finished, and what is finished costs no more bytes: what is held against it are the empty
slots alone.
"""

import heapq
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

from kernels import KernelError
from kernels.library.machines._devices import DEVICES
from kernels.library.models._models import SHAPES
from kernels.library.models._passes import attended, multiplied, read
from kernels.library.models.kv_cache import kv_cache

START = 0.002  # seconds between the first requests of one client and the next

Policy = Literal["continuous", "static"]
Lengths = Literal["geometric", "fixed"]


@dataclass(frozen=True)
class Server:
    """What the steps of a dense model on one GPU take."""

    weights: float
    per_token: float
    body: float
    head: float
    attention: float
    peak: float
    bandwidth: float
    room: float

    def decode(self, batch: int, cached: float) -> float:
        """Seconds of one token for each of the batch, `cached` tokens together."""
        moved = self.weights + cached * self.per_token
        return max(moved / self.bandwidth, (batch * (self.body + self.head) + self.attention * cached) / self.peak)

    def prefill(self, prompts: Sequence[int]) -> float:
        """Seconds in which the prompts are read and each has its first token."""
        work = sum(p * self.body + self.head + self.attention * p * (p + 1) / 2 for p in prompts)
        return max(self.weights / self.bandwidth, work / self.peak)


def server(model: str, gpu: str) -> Server:
    shape, device = SHAPES[model], DEVICES[gpu]
    if shape.experts > 1:
        raise KernelError(f"{model} routes tokens to experts: what a batch reads depends on the routes (choose a dense model)")
    weights, head = 2.0 * read(model), 2.0 * shape.vocab * shape.d_model
    if weights >= device.memory:
        raise KernelError(f"the weights of {model} take more than the memory of one {gpu} (choose a smaller model)")
    per_token = kv_cache(model=model, tokens=1)["per_token"]
    body = 2.0 * multiplied(shape) - head
    return Server(weights, per_token, body, head, attended(shape), device.half, device.bandwidth, device.memory - weights)


class Played(NamedTuple):
    """A run: by request, when it came, had its first token and was finished; by decode step, how many sequences
    had waited how long for a token, and when it ended with how many. emitted: tokens of either kind of step. fullest: cached tokens at most."""

    came: list[float]
    first: list[float]
    finished: list[float]
    gaps: list[tuple[float, int]]
    emitted: list[tuple[float, int]]
    decoded: list[tuple[float, int]]
    fullest: int


def play(made: Server, prompts: Sequence[int], outputs: Sequence[int], came: Sequence[float], limit: int, policy: Policy, users: int = 0) -> Played:
    """Every request served. With users, each of them sends the next request when its last one is finished, and `came` is not asked for; they
    begin shortly after one another."""
    count, static = len(prompts), policy == "static"
    users = min(users, count)
    at = [START * min(k, users) for k in range(count)] if users else list(came)
    coming = deque(range(users or count))
    following = users or count
    waiting: deque[int] = deque()
    first, finished = [0.0] * count, [0.0] * count
    running: list[tuple[int, int]] = []
    gaps, emitted, decoded = [], [], []
    time = last = 0.0
    step = cached = fullest = left = 0

    def leaves(i: int) -> None:
        nonlocal left, following
        finished[i] = time
        left += 1
        if following < count:
            at[following] = time
            coming.append(following)
            following += 1

    while left < count:
        while coming and at[coming[0]] <= time:
            waiting.append(coming.popleft())
        free = limit - len(running)
        new = [waiting.popleft() for _ in range(min(free, len(waiting)))] if free and not (static and running) else []
        if not new and not running:
            time = at[coming[0]]
            continue
        old = len(running)
        if new:
            time += made.prefill([prompts[i] for i in new])
            emitted.append((time, len(new)))
            for i in new:
                first[i] = time
                if outputs[i] == 1:
                    leaves(i)
                else:
                    heapq.heappush(running, (step + outputs[i] - 1, i))
                    cached += prompts[i] + 1
        if running:
            fullest = max(fullest, cached)
            batch, lasts = len(running), made.decode(len(running), cached)
            time += lasts
            step += 1
            if old:
                gaps.append((time - last, old))
            if batch > old:
                gaps.append((lasts, batch - old))
            emitted.append((time, batch))
            decoded.append((time, batch))
            cached += batch
            last = time
            while running and running[0][0] == step:
                _, i = heapq.heappop(running)
                cached -= prompts[i] + outputs[i]
                leaves(i)
    return Played(at, first, finished, gaps, emitted, decoded, fullest)


def in_system(played: Played) -> float:
    """How many requests are there on average from time 0 until the last is finished: the area under their number, over that time."""
    events = sorted([(t, 1) for t in played.came] + [(t, -1) for t in played.finished])
    area, there, before = 0.0, 0, 0.0
    for t, change in events:
        area += there * (t - before)
        there, before = there + change, t
    return area / before


def drawn(mean: int, lengths: Lengths, count: int, random) -> list[int]:
    """So many lengths of that mean, all alike or geometric, which is as wide as its mean."""
    import torch

    if lengths == "fixed" or mean == 1:
        return [mean] * count
    uniform = 1 - torch.rand(count, generator=random, dtype=torch.float64)
    return (1 + (uniform.log() / torch.log1p(torch.tensor(-1 / mean, dtype=torch.float64))).floor()).long().tolist()


def arrivals(rate: float, count: int, random) -> list[float]:
    """A Poisson process: exponential times between requests, whoever is still being served."""
    import torch

    uniform = 1 - torch.rand(count, generator=random, dtype=torch.float64)
    return (-uniform.log() / rate).cumsum(0).tolist()


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest value that at least that share of them does not exceed."""
    ordered = sorted(values)
    return ordered[max(0, -int(-share * len(ordered) // 1) - 1)]


def weighted(pairs: Sequence[tuple[float, int]], share: float) -> float:
    """The same of values that stand for many each."""
    total, so_far = sum(n for _, n in pairs), 0
    for value, n in sorted(pairs):
        so_far += n
        if so_far >= share * total:
            return value
    return 0.0
