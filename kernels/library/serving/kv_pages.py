"""How much of the memory that a KV cache is given holds tokens: the longest sequence reserved, the final length, or pages as they are needed.

A request with a prompt of p tokens makes o of them, one a step; at its step j it holds p + j. With S(j) = P(o >= j), the mean over the steps is

    held    sum_j S(j) (p + j)                  longest   L sum_j S(j)
    final   sum_j S(j) (p + 2 j - 1)            pages     B sum_j S(j) ceil((p + j) / B)

each over sum_j S(j), which is the mean output: sums over all lengths, exactly (those of final are E[o (p + o)]). Between held and longest lie
the slots that the request will fill later (reservation) and those that it never will (internal fragmentation): Kwon et al. 2023, PagedAttention,
arXiv 2309.06180, section 3.1. Gaps between reservations, external fragmentation, are left out. The output is log-normal, rounded up, cut at L - p,
and of the mean that is given, the cut counted.
"""

import math
from typing import Annotated

from kernels import Bound, Free, KernelError, Series, kernel

SIZES = tuple(2**k for k in range(12))


def survival(mean: float, spread: float, longest: int) -> list[float]:
    """P(o >= j) for j = 1 to `longest`: o = min(longest, max(1, ceil(log-normal))), with the median that gives the mean."""

    def tail(middle: float) -> list[float]:
        return [1.0, *(0.5 * math.erfc((math.log(j) - middle) / (spread * math.sqrt(2))) for j in range(1, longest))]

    low, high = -10.0, 30.0
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if sum(tail(middle)) < mean else (low, middle)
    return tail((low + high) / 2)


def paged(tail: list[float], prompt: int, page: int) -> float:
    """The slots that a request's pages have, summed over its steps."""
    return sum(s * page * -(-(prompt + j) // page) for j, s in enumerate(tail, 1))


@kernel(
    kind="formula",
    outputs={
        "held": "token",
        "longest_used": "",
        "reserved": "",
        "never": "",
        "final_used": "",
        "pages_used": "",
        "page_waste": "token",
        "requests_longest": "",
        "requests_pages": "",
        "gain": "",
        "sweep": Series("page", "", "token"),
    },
)
def kv_pages(
    page: Annotated[int, Bound("token", low=1, high=4096)] = 16,
    prompt: Annotated[int, Bound("token", low=1, high=4096)] = 161,
    output: Annotated[float, Bound("token", low=1, high=4096)] = 338.0,
    spread: Annotated[float, Bound(low=0.05, high=3.0), Free(0.5, 1.2)] = 0.9,
    longest: Annotated[int, Bound("token", low=2, high=8192)] = 2048,
    slots: Annotated[int, Bound("token", low=1, high=10**12)] = 15_728,
):
    """The share of KV-cache slots that hold tokens, and the requests that share them, with reservations and with pages.

    Averages over steps of decoding. longest_used, final_used: with the longest sequence, or the final length, reserved; pages_used: with pages.
    reserved, never: shares of the longest sequence that are filled later, or never. page_waste: empty slots of a request's last page. requests_:
    that fit `slots` on average; gain: their ratio. sweep: the used share by page size.

    spread: the standard deviation of the output's logarithm, which the published mean lengths (figure 11: 161 and 338 tokens in ShareGPT) do not
    fix; between 0.5 and 1.2 the 90th percentile is 1.9 to 4.7 times the median.
    """
    room = longest - prompt
    if room < 1 or output > room:
        raise KernelError(f"kv_pages: {prompt} + {output:g} tokens are more than longest, {longest} (give a longest that has room for both)")
    tail = survival(output, spread, room)
    steps = sum(tail)
    held = sum(s * (prompt + j) for j, s in enumerate(tail, 1)) / steps
    final = prompt + sum((2 * j - 1) * s for j, s in enumerate(tail, 1)) / steps
    pages = paged(tail, prompt, page) / steps
    sizes = [size for size in SIZES if size <= longest]
    return {
        "held": held,
        "longest_used": held / longest,
        "reserved": (final - held) / longest,
        "never": (longest - final) / longest,
        "final_used": held / final,
        "pages_used": held / pages,
        "page_waste": pages - held,
        "requests_longest": slots // longest,
        "requests_pages": slots / pages,
        "gain": longest / pages,
        "sweep": {"page": sizes, "used": [held * steps / paged(tail, prompt, size) for size in sizes]},
    }


@kv_pages.figure
def draw(result, ax):
    from kernels import plot

    plot.lines(ax, result["sweep"], xlog=True, labels={"used": ""}, unit="percent", x_label="tokens in a page", y_label="slots that hold a token")
    page, used = result.parameters["page"], result["pages_used"]
    plot.mark(ax, page, used, f"{page} tokens, {100 * used:.0f} %", plot.ACCENT, "below")
