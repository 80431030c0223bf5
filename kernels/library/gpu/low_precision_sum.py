"""Adding many small numbers one after another in 16 bits: where the sum stops growing, and which orders of adding do not stop.

A sum s in a format of p significant bits has neighbours 2^(floor(log2 s) + 1 - p) apart; an addend below half of that is
rounded away ("swamping"). With ones that happens at 2^p: 2,048 in fp16 (p = 11), 256 in bf16 (p = 8). The bound for
sequential addition grows as n u, for pairwise addition as u log2 n (Higham 2002, Accuracy and Stability of Numerical
Algorithms, section 4.2; u = 2^-p). The arithmetic is IEEE's, so every device gives these sums.
"""

from typing import Annotated

from kernels import Bound, Series, kernel

FORMATS = ("fp16", "bf16", "fp32")


@kernel(
    kind="simulation",
    outputs={
        "exact": "",
        **dict.fromkeys(FORMATS, ""),
        **{f"{name}_error": "" for name in FORMATS},
        **{f"{name}_pairwise": "" for name in FORMATS[:2]},
        **{f"{name}_in_fp32": "" for name in FORMATS[:2]},
        "sweep": Series("terms", ""),
    },
    tolerance=1e-6,
)
def low_precision_sum(n: Annotated[int, Bound(low=2, high=100_000)] = 10_000, addend: Annotated[float, Bound(low=1e-6, high=1e4)] = 1.0):
    """The sum of n equal numbers, added one by one in fp16, bf16 and fp32, pairwise, and in 16 bits with an fp32 accumulator.

    error: relative to n times the addend. in_fp32: 16-bit addends, an fp32 accumulator, one rounding at the end. sweep: the running sums.
    """
    sums = {name: running(addend, n, name) for name in FORMATS}
    shown = sorted({round(n * share / 50) for share in range(1, 51)} | {1})
    shown = [terms for terms in shown if terms >= 1]
    exact = n * addend
    return {
        "exact": exact,
        **{name: sums[name][-1] for name in FORMATS},
        **{f"{name}_error": abs(sums[name][-1] / exact - 1) for name in FORMATS},
        **{f"{name}_pairwise": pairwise(addend, n, name) for name in FORMATS[:2]},
        **{f"{name}_in_fp32": wide(addend, n, name) for name in FORMATS[:2]},
        "sweep": {"terms": shown, "exact": [terms * addend for terms in shown]} | {f: [sums[f][t - 1] for t in shown] for f in FORMATS[:2]},
    }


@low_precision_sum.invariant
def ones_stop_at_two_to_the_p(result):
    """Ones add up to their number, or to 2^p, beyond which the next number is two away: 2,048 in fp16, 256 in bf16, 2^24 in fp32."""
    stops = {"fp16": 2**11, "bf16": 2**8, "fp32": 2**24}
    return result.parameters["addend"] != 1 or all(result[name] == min(result.parameters["n"], stop) for name, stop in stops.items())


@low_precision_sum.invariant
def running_sums_never_fall(result):
    """Adding a positive number never makes a rounded sum smaller."""
    lines = [[point.value for point in result["sweep"].lines[name]] for name in FORMATS[:2]]
    return all(before <= after for line in lines for before, after in zip(line, line[1:]))


def running(addend: float, n: int, format: str) -> list[float]:
    """The n partial sums, each rounded to the format; beyond its largest number they stay there, as finite as a record must be."""
    import torch

    from kernels import precision

    dtype = precision.torch_dtype(format)
    total, one, sums, largest = torch.zeros((), dtype=dtype), torch.tensor(addend, dtype=dtype), [], torch.finfo(dtype).max
    for _ in range(n):
        total += one
        sums.append(min(total.item(), largest))
    return sums


def pairwise(addend: float, n: int, format: str) -> float:
    """Neighbours added, then their sums, and so on: the tree of a parallel reduction, every node rounded to the format."""
    import torch

    from kernels import precision

    parts = torch.zeros(2 ** (n - 1).bit_length(), dtype=precision.torch_dtype(format))
    parts[:n] = addend
    while len(parts) > 1:
        parts = parts[0::2] + parts[1::2]
    return min(parts.item(), torch.finfo(parts.dtype).max)


def wide(addend: float, n: int, format: str) -> float:
    """What a library's reduction and a tensor core do: the addends in 16 bits, their sum in fp32, the result rounded once."""
    import torch

    from kernels import precision

    rounded = torch.tensor(addend, dtype=precision.torch_dtype(format))
    total = torch.tensor(running(rounded.item(), n, "fp32")[-1])
    return min(total.to(rounded.dtype).item(), torch.finfo(rounded.dtype).max)


@low_precision_sum.figure
def draw(result, ax):
    from kernels import plot

    plot.lines(ax, result["sweep"], x_label="numbers added", y_label="sum", labels={"exact": "exact"})
    n, added = result.parameters["n"], plot.show(result.parameters["addend"], "")
    return (
        f"Running sum of {n:,} numbers of {added}, added one by one: exact {plot.show(result['exact'], '')}, "
        f"fp16 ends at {result['fp16']:,.6g}, bf16 at {result['bf16']:,.6g}."
    )
