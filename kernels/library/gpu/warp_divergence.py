"""Divergent branches on a GPU: one switch in CUDA C++, and the same work under different assignments of threads to its cases.

Each thread reads which of 32 paths it takes and does the same amount of arithmetic on any of them, path p being

    y <- a_p y + b_p    `steps` times,  a_p = 1 - (p + 1) / 4096,  b_p = p (p + 1) / 4096

so y ends at a_p^steps y_0 + (1 - a_p^steps) p. A warp runs every path that one of its 32 lanes takes (CUDA C++ Programming
Guide, SIMT architecture): the time should follow the number of different paths in a warp and nothing else. The code is one
and the same for every assignment, and arithmetic is what bounds it, until `steps` is so small that memory does.
"""

import functools
from typing import Annotated

from kernels import Bound, Series, kernel, nvrtc, precision, timing
from kernels.library.gpu.warp_divergence_cost import expected

WARP, PATHS, BLOCK, UNROLL = 32, 32, 256, 16
WAYS = (1, 2, 4, 8, 16, 32)
SHARES = (0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 0.5)
SHORT = 16  # steps: so few that memory bounds the kernel
LIMIT = 5e-4  # of the largest value: a sum that fp32 stops moving within 4096 half ulps of where it goes

CASE = """
    case {path}:
        for (int i = 0; i < steps; i += {unroll}) {{
            #pragma unroll
            for (int k = 0; k < {unroll}; ++k) v = v * {a!r}f + {b!r}f;
        }}
        break;"""

SOURCE = """
extern "C" __global__ void branch(const float* x, const int* path, float* y, int n, int steps) {
    int t = blockIdx.x * blockDim.x + threadIdx.x;
    if (t >= n) return;
    float v = x[t];
    switch (path[t]) {%s
    }
    y[t] = v;
}
"""


@kernel(
    kind="measurement",
    outputs={
        "uniform": "s",
        "by_warp": "s",
        "halves": "s",
        "alternating": "s",
        "random": "s",
        "sorted": "s",
        "short_uniform": "s",
        "short_alternating": "s",
        "by_warp_slowdown": "",
        "halves_slowdown": "",
        "alternating_slowdown": "",
        "random_slowdown": "",
        "sorted_slowdown": "",
        "short_slowdown": "",
        "four_ways_slowdown": "",
        "all_ways_slowdown": "",
        "rate": "FLOP/s",
        "short_bandwidth": "B/s",
        "short_of_copy": "",
        "ceiling": "B/s",
        "error": "",
        "ways": Series("ways", ""),
        "shares": Series("share", ""),
    },
    memory=lambda threads: 112 * threads,  # the paths of every assignment, and float64 to compare with
    rehearsal={"threads": 2**16, "steps": 64, "WAYS": (1, 2, 4, 32), "SHARES": (0.01, 0.5)},
    headline="rate",
    share="short_of_copy",
    seconds=30,
)
def warp_divergence(threads: Annotated[int, Bound(low=2**16, high=2**28)] = 2**22, steps: Annotated[int, Bound(low=64, high=2**16)] = 4096):
    """Time of the same arithmetic with one path for all, one per warp, two in each warp, up to 32, and two at random or sorted.

    uniform: every thread takes path 0. by_warp: neighbouring warps differ. halves, alternating: both in every warp. random:
    each thread throws a coin; sorted: the same coins, sorted. *_slowdown: over uniform; short_*: so little arithmetic that
    memory bounds it, whose ceiling is a copy. rate: FLOP/s of uniform, the ceiling of the others. ways, shares: slowdown over the number of paths in
    each warp and over the share of random threads that take the second path, measured and expected.
    """
    import torch

    device = timing.device()
    steps -= steps % UNROLL
    run = functools.partial(launch, nvrtc.function(source(), "branch"))
    x = torch.randn(threads, device=device)
    cases = {name: assigned(name, threads, device) for name in ("uniform", "by_warp", "halves", "alternating", "random", "sorted")}
    every = {ways: by_lane(ways, threads, device) for ways in WAYS}
    error = max(checked(run, x, path, steps) for path in (*cases.values(), *every.values()))
    turns = timing.in_turns(**timed(run, x, cases, steps))
    copying = timing.copying()
    short = timing.in_turns(graph=True, **timed(run, x, {name: cases[name] for name in ("uniform", "alternating")}, SHORT), copy=copying.function)
    moved = 12 * threads
    by_ways = timing.in_turns(**timed(run, x, {f"{ways} ways": path for ways, path in every.items()}, steps))
    ways = {count: by_ways.ratio(f"{count} ways", "1 ways") for count in WAYS}
    thrown = {f"{share} random": coins(share, threads, device) for share in SHARES}
    by_share = timing.in_turns(**timed(run, x, {"uniform": cases["uniform"], **thrown}, steps))
    shares = [by_share.ratio(name, "uniform") for name in thrown]
    return {
        **{name: turns[name] for name in cases},
        **{f"short_{name}": short[name] for name in ("uniform", "alternating")},
        **{f"{name}_slowdown": turns.ratio(name, "uniform") for name in cases if name != "uniform"},
        "short_slowdown": short.ratio("alternating", "uniform"),
        "four_ways_slowdown": ways[4],
        "all_ways_slowdown": ways[32],
        "rate": 2 * threads * steps / turns["uniform"],
        "short_bandwidth": moved / short["uniform"],
        "short_of_copy": moved / copying.work * short.ratio("copy", "uniform"),
        "ceiling": copying.work / short["copy"],
        "error": error,
        "ways": {"ways": list(WAYS), "measured": list(ways.values()), "expected": list(WAYS)},
        "shares": {"share": list(SHARES), "measured": shares, "expected": [expected(share, WARP, 1.0, 1.0) for share in SHARES]},
    }


@warp_divergence.predicted
def predict(result):
    """Without divergence: the ordinary cores' peak in fp32."""
    from kernels.library.machines._devices import DEVICES

    row = DEVICES.get(result.made["device_class"])
    return row.peak["fp32"] if row else None


def source() -> str:
    """The CUDA C++: a switch of 32 cases, each with constants and a loop of its own, so that no compiler makes them one."""
    cases = (CASE.format(path=p, unroll=UNROLL, a=coefficients(p)[0], b=coefficients(p)[1]) for p in range(PATHS))
    return SOURCE % "".join(cases)


def coefficients(path: int) -> tuple[float, float]:
    """a and b of a path, exact in fp32."""
    return 1 - (path + 1) / 4096, path * (path + 1) / 4096


def reference(x, path, steps: int):
    """What the kernel ought to give, in closed form and float64."""
    wide, p = x.double(), path.double()
    kept = (1 - (p + 1) / 4096) ** steps
    return kept * wide + (1 - kept) * p


def launch(branch, x, path, out, steps: int) -> None:
    branch(-(-x.numel() // BLOCK), BLOCK, x, path, out, x.numel(), steps)


def checked(run, x, path, steps: int) -> float:
    import torch

    out = torch.full_like(x, torch.nan)
    run(x, path, out, steps)
    return precision.error_against(reference(x, path, steps), out, LIMIT)


def timed(run, x, paths: dict, steps: int) -> dict:
    """A function for each assignment, that runs it."""
    import torch

    out = torch.empty_like(x)
    return {name: functools.partial(run, x, path, out, steps) for name, path in paths.items()}


# ------------------------------------------------------------------------------ which thread takes which path


def assigned(name: str, threads: int, device: str):
    """Paths of all threads: 0 or 1."""
    import torch

    thread = torch.arange(threads, device=device, dtype=torch.int32)
    if name in ("random", "sorted"):
        path = coins(0.5, threads, device)
        return path.sort().values if name == "sorted" else path
    return {"uniform": thread * 0, "by_warp": thread // WARP % 2, "halves": thread // (WARP // 2) % 2, "alternating": thread % 2}[name]


def by_lane(ways: int, threads: int, device: str):
    """Neighbouring lanes take different paths, `ways` of them in every warp."""
    import torch

    return torch.arange(threads, device=device, dtype=torch.int32) % ways


def coins(share: float, threads: int, device: str):
    """Path 1 with that probability, independently, from a CPU generator."""
    import torch

    thrown = torch.rand(threads, generator=torch.Generator().manual_seed(0))
    return (thrown < share).to(torch.int32).to(device)


@warp_divergence.figure
def draw(result, ax):
    from kernels import plot

    names = {
        "uniform": "one path for all",
        "by_warp": "every other warp",
        "sorted": "random, sorted",
        "random": "random",
        "halves": "half of each warp",
        "alternating": "every other lane",
    }
    plot.bars(ax, {said: result[name] for name, said in names.items()}, "s", highlight="every other lane")
