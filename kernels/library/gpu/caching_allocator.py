"""A model of torch's caching allocator under a workload of mixed sizes: how full memory is when a request fails.

The model keeps what matters of c10/cuda/CUDACachingAllocator.cpp (torch 2). A request is rounded to 512 B. One of up to 1 MiB comes from the small
pool, any other from the large one; in either it takes the smallest cached block that fits, which is split and later merged with free neighbours of
its own segment. The rest of a large block of up to 1 MiB is not split off: the request then holds it as well. Where no block fits, a new segment is
asked of the driver: 2 MiB in the small pool; in the large one 20 MiB or, from 10 MiB on, the request rounded to 2 MiB. Where memory has no room for
it, the segments that are wholly free go back, and then the request fails. Expandable segments are one range of addresses a pool, mapped in pages of
2 or 20 MiB, whose free pages go back to the driver, used or not the rest of the range.

The workload: each step a sequence of random length makes `layers` activations of a size in proportion, all freed at its
end but one result, which stays, as a loss kept with its graph or a cached output does.
"""

import random
from bisect import bisect_left, insort
from collections.abc import Iterator
from typing import Annotated

from kernels import Bound, Free, KernelError, Series, kernel

MIB = 2**20
STEP, SMALL, LARGE, ROUND = 2 * MIB, MIB, 10 * MIB, 512
BUFFER = 20 * MIB  # the segment of a request between SMALL and LARGE; a page of an expandable one
LONGEST = 8192  # tokens
WIDTH = 8192  # bytes of an activation for each token: 4096 in bf16
POINTS = 60  # of the curve
FOUND = {"live": "B", "requested": "B", "cached": "B", "reserved": "B", "largest_hole": "B", "request": "B"}
SHARES = {"live_share": "", "unused_share": "", "steps": ""}
LARGEST = 2.0**31  # so that a replay ends within seconds


@kernel(
    kind="simulation",
    outputs={
        "budget": "B",
        **{f"{name}{end}": unit for end in ("", "_expandable") for name, unit in (FOUND | SHARES).items()},
        "more_steps": "",
        "sweep": Series("share of the steps", "B"),
    },
)
def caching_allocator(
    budget: Annotated[float, Bound("B", low=2**28, high=2**40), Free(4 * 2**30, 16 * 2**30)] = 8 * 2**30,
    layers: Annotated[int, Bound(low=1, high=256), Free(24, 80)] = 48,
    shortest: Annotated[int, Bound("token", low=1, high=LONGEST), Free(256, 4096)] = 1280,
    kept: Annotated[int, Bound("B", low=1, high=WIDTH), Free(256, 4096)] = 1024,
    seed: int = 0,
):
    """Live, reserved and requested bytes at the first failed request, with and without expandable segments.

    live: in blocks that tensors hold, as torch.cuda.memory_allocated counts; requested: what these tensors asked for; cached: in free blocks;
    reserved: held from the driver; largest_hole: the largest free block inside what is reserved; request: what failed. live_share: live over
    budget; unused_share: (reserved - live) over budget; steps: done before the failure. more_steps: expandable over plain.
    sweep: live and reserved against the share of the plain one's steps.

    Free: budget, for what counts is its ratio to the activations of 2 to 67 MB; layers, of models between 1 and 100 billion parameters; shortest,
    the least length, where the longest is 8,192; kept, bytes for each token of the result that stays, from a vector of 128 to one of half the width.
    Below that most results are of 1 MiB or less, and the small pool takes them: that is a case, not an end.
    """
    if budget * layers / kept > LARGEST:
        raise KernelError(
            f"caching_allocator: budget * layers / kept is {budget * layers / kept:.3g}, but must be at most {LARGEST:.3g}: it fills too slowly"
        )
    plain, expandable = (replay(Memory(int(budget), expandable=e), layers, shortest, kept, seed) for e in (False, True))
    return {"budget": int(budget), **compared(plain, expandable, int(budget))}


@caching_allocator.invariant
def every_reserved_byte_is_in_a_block(result):
    """Bytes in tensors and bytes in free blocks add up to those that the driver gave, and these stay within the budget."""
    return all(result[f"live{end}"] + result[f"cached{end}"] == result[f"reserved{end}"] <= result["budget"] for end in ("", "_expandable"))


@caching_allocator.invariant
def bytes_in_tensors_are_those_of_the_blocks_in_use(result):
    """What tensors hold is what they asked for, rounded to 512 B, and at most a rest of 1 MiB more each; with expandable segments no rest."""
    tensors = result.parameters["layers"] + result["steps"] + 1
    rounding = ROUND * (result.parameters["layers"] + result["steps_expandable"] + 1)
    plain, expandable = (result[f"live{end}"] - result[f"requested{end}"] for end in ("", "_expandable"))
    return 0 <= plain <= (SMALL + ROUND) * tensors and 0 <= expandable <= rounding


@caching_allocator.invariant
def kept_results_only_pile_up(result):
    """Between steps only kept results are live, and none of them goes: the curve never falls."""
    live = [point.value for point in result["sweep"].lines["live"]]
    return all(before <= after for before, after in zip(live, live[1:]))


def compared(plain: dict, expandable: dict, budget: int) -> dict:
    """What two replays found, as outputs; the measurement on a GPU gives the same."""
    found: dict = {}
    for end, ran in (("", plain), ("_expandable", expandable)):
        found |= {f"{name}{end}": ran[name] for name in (*FOUND, "steps")}
        found[f"live_share{end}"] = ran["live"] / budget
        found[f"unused_share{end}"] = (ran["reserved"] - ran["live"]) / budget
    last = len(plain["history"]) - 1
    steps = [round(last * point / POINTS) for point in range(POINTS + 1)]
    return {
        **found,
        "more_steps": expandable["steps"] / max(1, plain["steps"]),
        "sweep": {
            "share of the steps": [point / POINTS for point in range(POINTS + 1)],
            "live": [plain["history"][s][0] for s in steps],
            "reserved": [plain["history"][s][1] for s in steps],
            "expandable": [expandable["history"][min(s, len(expandable["history"]) - 1)][1] for s in steps],
        },
    }


def workload(layers: int, shortest: int, kept: int, seed: int) -> Iterator[tuple[str, int, int]]:
    """For ever: ("allocate", name, bytes), ("free", name, 0), and ("step", number, 0) at the start of each step."""
    lengths, name = random.Random(seed), 0
    for step in range(10**6):
        yield "step", step, 0
        length = lengths.randint(shortest, LONGEST)
        activations = []
        for layer in range(layers):
            activations.append(name)
            yield "allocate", name, length * WIDTH
            name += 1
            if layer == layers // 2:
                yield "allocate", name, length * kept
                name += 1
        for activation in activations:
            yield "free", activation, 0


def replay(memory, layers: int, shortest: int, kept: int, seed: int) -> dict:
    """Runs the workload until a request fails. `memory` has allocate(name, size) -> bool, free(name), live, reserved, cached(), largest_hole()."""
    sizes: dict[int, int] = {}
    steps, history = 0, []
    for what, name, size in workload(layers, shortest, kept, seed):
        if what == "step":
            steps = name
            history.append((memory.live, memory.reserved))
        elif what == "free":
            memory.free(name)
            del sizes[name]
        elif memory.allocate(name, size):
            sizes[name] = size
        else:
            here = {"live": memory.live, "reserved": memory.reserved, "cached": memory.cached(), "largest_hole": memory.largest_hole()}
            return {**here, "requested": sum(sizes.values()), "request": size, "steps": steps, "history": history}
    raise AssertionError("the workload has an end only where memory has one")


class Block:
    """Neighbouring addresses of one segment; name is None where they are free."""

    __slots__ = ("after", "before", "name", "size", "start")

    def __init__(self, start: int, size: int, before: "Block | None" = None, after: "Block | None" = None) -> None:
        self.start, self.size, self.before, self.after = start, size, before, after
        self.name: int | None = None


class Pool:
    """Free blocks of the small or of the large requests, the smallest first, and of those of one size the one at the lowest address."""

    def __init__(self, small: bool) -> None:
        self.small, self.page = small, STEP if small else BUFFER
        self.free: list[tuple[int, int]] = []  # size, start
        self.last: Block | None = None  # of an expandable range

    def segment(self, size: int) -> int:
        """Bytes of the segment that the driver is asked for."""
        if self.small:
            return STEP
        return BUFFER if size < LARGE else -(-size // STEP) * STEP


class Memory:
    """The allocator's model. Segments lie one behind the other, with a gap between them."""

    def __init__(self, budget: int, expandable: bool) -> None:
        self.budget, self.expandable = budget, expandable
        self.pools = Pool(small=True), Pool(small=False)
        self.blocks: dict[int, Block] = {}  # all of them by address
        self.held: dict[int, tuple[Block, Pool]] = {}
        self.live = self.reserved = 0
        self.end = 0  # of all addresses so far

    def allocate(self, name: int, size: int) -> bool:
        size = -(-size // ROUND) * ROUND
        pool = self.pools[size > SMALL]
        block = self._cached_block(pool, size) or self._fresh_block(pool, size)
        if block is None:
            self._give_back()
            block = self._fresh_block(pool, size)
        if block is None:
            return False
        rest = block.size - size
        if rest and (rest > SMALL or pool.small or self.expandable):
            behind = Block(block.start + size, rest, block, block.after)
            if behind.after:
                behind.after.before = behind
            if pool.last is block:
                pool.last = behind
            block.size, block.after = size, behind
            self._add_free(pool, behind)
        block.name = name
        self.held[name] = block, pool
        self.live += block.size
        return True

    def free(self, name: int) -> None:
        block, pool = self.held.pop(name)
        block.name = None
        self.live -= block.size
        for left, right in ((block, block.after), (block.before, block)):
            if left and right and left.name is None and right.name is None and left.start + left.size == right.start:  # not across unmapped pages
                for merged in (left, right):
                    if merged is not block:
                        self._drop_free(pool, merged)
                left.size, left.after = left.size + right.size, right.after
                if right.after:
                    right.after.before = left
                if pool.last is right:
                    pool.last = left
                self.blocks.pop(right.start, None)
                block = left
        self._add_free(pool, block)

    def cached(self) -> int:
        """Bytes in free blocks."""
        return sum(size for pool in self.pools for size, _ in pool.free)

    def largest_hole(self) -> int:
        return max((pool.free[-1][0] for pool in self.pools if pool.free), default=0)

    def _add_free(self, pool: Pool, block: Block) -> None:
        self.blocks[block.start] = block
        insort(pool.free, (block.size, block.start))

    def _drop_free(self, pool: Pool, block: Block) -> None:
        del pool.free[bisect_left(pool.free, (block.size, block.start))]

    def _cached_block(self, pool: Pool, size: int) -> Block | None:
        at = bisect_left(pool.free, (size, -1))
        return self.blocks[pool.free.pop(at)[1]] if at < len(pool.free) else None

    def _fresh_block(self, pool: Pool, size: int) -> Block | None:
        if self.expandable:
            return self._extended(pool, size)
        wanted = pool.segment(size)
        if self.reserved + wanted > self.budget:
            return None
        self.reserved += wanted
        block = self.blocks[self.end] = Block(self.end, wanted)
        self.end += wanted + ROUND
        return block

    def _extended(self, pool: Pool, size: int) -> Block | None:
        """Maps pages at the end of the pool's range, behind or into its last free block; holes that were unmapped stay unmapped."""
        last = pool.last
        tail = last if last and last.name is None else None  # a free block that more pages can lengthen
        pages = -(-(size - (tail.size if tail else 0)) // pool.page) * pool.page
        if self.reserved + pages > self.budget:
            return None
        self.reserved += pages
        if tail:
            self._drop_free(pool, tail)
            tail.size += pages
            return tail
        start = last.start + last.size if last else 2**60 * (not pool.small)
        block = pool.last = self.blocks[start] = Block(start, pages, last)
        if last:
            last.after = block
        return block

    def _give_back(self) -> None:
        """Returns wholly free segments to the driver, or in the expandable ones every whole page of their free blocks."""
        for pool in self.pools:
            for size, start in tuple(pool.free):
                block = self.blocks[start]
                if self.expandable:
                    self._unmap(pool, block)
                elif not (block.before or block.after):
                    self.reserved -= size
                    self._drop_free(pool, block)
                    del self.blocks[start]

    def _unmap(self, pool: Pool, block: Block) -> None:
        start, end, page = block.start, block.start + block.size, pool.page
        first, last = -(-start // page) * page, end // page * page
        if first >= last:
            return
        self.reserved -= last - first
        self._drop_free(pool, block)
        del self.blocks[start]
        before, after = block.before, block.after
        for edge, size in ((start, first - start), (last, end - last)):
            if size:
                kept = Block(edge, size, before, after)
                self._add_free(pool, kept)
                if before:
                    before.after = kept
                before = kept
        if before:
            before.after = after
        if after:
            after.before = before
        if pool.last is block:
            pool.last = before


@caching_allocator.figure
def draw(result, ax):
    from kernels import plot

    rows = {
        said: {"allocated": result[f"live{end}"], "reserved, not allocated": result[f"reserved{end}"] - result[f"live{end}"]}
        for said, end in (("when a request fails:", ""), ("with expandable segments:", "_expandable"))
    }
    plot.stacked_bars(ax, rows, unit="B", limit=(result["budget"], f"all of it: {plot.show(result['budget'], 'B')}"))
