"""A model of torch's caching allocator under a workload of mixed sizes: how full memory is when a request fails.

The model keeps what matters of c10/cuda/CUDACachingAllocator.cpp (torch 2): a request above 1 MiB is rounded to 512 B and
served by the smallest cached block that fits, which is split and later merged with free neighbours of its own segment; where none
fits, a new segment is asked of the driver, 20 MiB or, from 10 MiB on, the request rounded to 2 MiB; where memory has no room
for it, the segments that are wholly free go back, and then the request fails. Expandable segments are one range of addresses,
mapped in pages of 20 MiB, whose free pages go back to the driver, used or not the rest of the range.

The workload: each step a sequence of random length makes `layers` activations of a size in proportion, all freed at its
end but one small result, which stays, as a loss kept with its graph or a cached output does.
"""

import random
from collections.abc import Iterator
from typing import Annotated

from kernels import Bound, Series, kernel

MIB = 2**20
STEP, SMALL, LARGE, ROUND = 2 * MIB, MIB, 10 * MIB, 512
BUFFER = 20 * MIB  # the segment of a request below LARGE
PAGE = BUFFER  # of an expandable segment; torch maps 2 MiB only for requests of 1 MiB or less
SHORTEST, LONGEST = 1280, 8192  # tokens
WIDTH = 8192  # bytes of an activation for each token: 4096 in bf16
KEPT = 1024  # bytes for each token of the result that stays; no request is of 1 MiB or less, which torch keeps apart
POINTS = 60  # of the curve
FOUND = {"live": "B", "reserved": "B", "largest_hole": "B", "request": "B", "live_share": "", "unused_share": "", "steps": ""}


@kernel(
    kind="simulation",
    outputs={
        "budget": "B",
        **{f"{name}{end}": unit for end in ("", "_expandable") for name, unit in FOUND.items()},
        "more_steps": "",
        "sweep": Series("step", "B"),
    },
)
def caching_allocator(
    budget: Annotated[float, Bound("B", low=2**28, high=2**40)] = 8 * 2**30,
    layers: Annotated[int, Bound(low=1, high=256)] = 48,
    seed: Annotated[int, Bound(low=0)] = 0,
):
    """Live, reserved and requested bytes at the first failed request, with and without expandable segments.

    live: in tensors; reserved: held from the driver; largest_hole: the largest free block inside what is reserved; request: what failed.
    live_share: live over budget; unused_share: (reserved - live) over budget; steps: done before the failure.
    more_steps: expandable over plain. sweep: live and reserved at the start of each step, until the plain one fails.
    """
    plain, expandable = (replay(Memory(int(budget), expandable=e), layers, seed) for e in (False, True))
    return {"budget": int(budget), **compared(plain, expandable, int(budget))}


def compared(plain: dict, expandable: dict, budget: int) -> dict:
    """What two replays found, as outputs; the measurement on a GPU gives the same."""
    found: dict = {}
    for end, ran in (("", plain), ("_expandable", expandable)):
        found |= {f"{name}{end}": ran[name] for name in ("live", "reserved", "largest_hole", "request", "steps")}
        found[f"live_share{end}"] = ran["live"] / budget
        found[f"unused_share{end}"] = (ran["reserved"] - ran["live"]) / budget
    every = max(1, len(plain["history"]) // POINTS)
    steps = range(0, len(plain["history"]), every)
    return {
        **found,
        "more_steps": expandable["steps"] / max(1, plain["steps"]),
        "sweep": {
            "step": list(steps),
            "live": [plain["history"][s][0] for s in steps],
            "reserved": [plain["history"][s][1] for s in steps],
            "expandable": [expandable["history"][s][1] if s < len(expandable["history"]) else None for s in steps],
        },
    }


def workload(layers: int, seed: int) -> Iterator[tuple[str, int, int]]:
    """For ever: ("allocate", name, bytes), ("free", name, 0), and ("step", number, 0) at the start of each step."""
    lengths, name = random.Random(seed), 0
    for step in range(10**6):
        yield "step", step, 0
        length = lengths.randint(SHORTEST, LONGEST)
        activations = []
        for layer in range(layers):
            activations.append(name)
            yield "allocate", name, length * WIDTH
            name += 1
            if layer == layers // 2:
                yield "allocate", name, length * KEPT
                name += 1
        for activation in activations:
            yield "free", activation, 0


def replay(memory, layers: int, seed: int) -> dict:
    """Runs the workload until a request fails. `memory` has allocate(name, size) -> bool, free(name), live, reserved, largest_hole()."""
    steps, history = 0, []
    for what, name, size in workload(layers, seed):
        if what == "step":
            steps = name
            history.append((memory.live, memory.reserved))
        elif what == "free":
            memory.free(name)
        elif not memory.allocate(name, size):
            here = {"live": memory.live, "reserved": memory.reserved, "largest_hole": memory.largest_hole()}
            return {**here, "request": size, "steps": steps, "history": history}
    raise AssertionError("the workload has an end only where memory has one")


class Memory:
    """The allocator's model. A segment is a list of [start, size, name], name None for a free block, neighbours in order."""

    def __init__(self, budget: int, expandable: bool) -> None:
        self.budget, self.expandable = budget, expandable
        self.segments: list[list[list]] = []
        self.where: dict[int, list[list]] = {}
        self.live = self.reserved = 0

    def allocate(self, name: int, size: int) -> bool:
        size = -(-size // ROUND) * ROUND
        if not (self._from_cache(name, size) or self._from_driver(name, size)):
            self._give_back()
            if not self._from_driver(name, size):
                return False
        self.live += size
        return True

    def free(self, name: int) -> None:
        segment = self.where.pop(name)
        at = next(i for i, block in enumerate(segment) if block[2] == name)
        segment[at][2] = None
        self.live -= segment[at][1]
        for left in (at, at - 1):
            if not 0 <= left < len(segment) - 1:
                continue
            (start, size, one), (next_start, _, other) = segment[left : left + 2]
            if one is None and other is None and start + size == next_start:  # not across pages that went back
                segment[left][1] += segment.pop(left + 1)[1]

    def largest_hole(self) -> int:
        return max((block[1] for segment in self.segments for block in segment if block[2] is None), default=0)

    def _from_cache(self, name: int, size: int) -> bool:
        fitting = [
            (block[1], s, b) for s, segment in enumerate(self.segments) for b, block in enumerate(segment) if block[2] is None and block[1] >= size
        ]
        if not fitting:
            return False
        _, s, b = min(fitting)
        self._take(self.segments[s], b, name, size)
        return True

    def _take(self, segment: list[list], at: int, name: int, size: int) -> None:
        start, whole, _ = segment[at]
        segment[at] = [start, size, name]
        rest = whole - size
        if rest > SMALL or (self.expandable and rest):
            segment.insert(at + 1, [start + size, rest, None])
        else:
            segment[at][1] = whole
        self.where[name] = segment

    def _from_driver(self, name: int, size: int) -> bool:
        if self.expandable:
            return self._extended(name, size)
        wanted = BUFFER if size < LARGE else -(-size // STEP) * STEP
        if self.reserved + wanted > self.budget:
            return False
        self.reserved += wanted
        segment = [[0, wanted, None]]
        self.segments.append(segment)
        self._take(segment, 0, name, size)
        return True

    def _extended(self, name: int, size: int) -> bool:
        """Maps pages at the end of the one range, behind or into its last free block; holes that were unmapped stay unmapped."""
        if not self.segments:
            self.segments.append([])
        segment = self.segments[0]
        tail = segment[-1] if segment and segment[-1][2] is None else None  # a free block that more pages can lengthen
        have = tail[1] if tail else 0
        pages = -(-(size - have) // PAGE) * PAGE
        if self.reserved + pages > self.budget:
            return False
        self.reserved += pages
        if tail:
            tail[1] += pages
        else:
            end = sum(segment[-1][:2]) if segment else 0
            segment.append([end, pages, None])
        self._take(segment, len(segment) - 1, name, size)
        return True

    def _give_back(self) -> None:
        """Returns wholly free segments to the driver, or in the expandable one every whole page of its free blocks."""
        if self.expandable:
            for segment in self.segments:
                for at in reversed(range(len(segment))):
                    start, size, name = segment[at]
                    first, last = -(-start // PAGE) * PAGE, (start + size) // PAGE * PAGE
                    if name is None and last > first:
                        self.reserved -= last - first
                        edges = [[start, first - start, None], [last, start + size - last, None]]
                        segment[at : at + 1] = [edge for edge in edges if edge[1]]
            return
        kept = [segment for segment in self.segments if len(segment) > 1 or segment[0][2] is not None]
        self.reserved = sum(block[1] for segment in kept for block in segment)
        self.segments = kept


@caching_allocator.figure
def draw(result, ax):
    from kernels import plot

    labels = {"live": "allocated\nbetween steps", "reserved": "reserved", "expandable": "reserved,\nexpandable"}
    plot.lines(ax, result["sweep"], labels=labels, x_label="step", y_label="memory")
    plot.hline(ax, result["budget"], f"all of it: {plot.show(result['budget'], 'B')}")
