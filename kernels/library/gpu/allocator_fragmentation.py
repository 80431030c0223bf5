"""torch's caching allocator on a GPU under mixed sizes: how full memory is when a request fails, with and without expandable segments.

The workload is that of the model beside (caching_allocator): steps of random sequence length, whose activations come and go
while one small result a step stays and pins the segment that it was cut from. torch is allowed `budget` bytes of the GPU
(set_per_process_memory_fraction), so that the failure comes soon and at the same place on GPUs of any size. Nothing is computed:
what counts is where the allocator puts things, which does not depend on the GPU's speed.
"""

from typing import Annotated

from kernels import Bound, KernelError, Series, kernel, timing
from kernels.library.gpu import caching_allocator as model


@kernel(
    kind="measurement",
    outputs={
        "budget": "B",
        **{f"{name}{end}": unit for end in ("", "_expandable") for name, unit in (model.FOUND | model.SHARES).items()},
        "more_steps": "",
        "predicted_live_share": "",
        "predicted_live_share_expandable": "",
        "returned": "B",
        "sweep": Series("share of the steps", "B"),
    },
    memory=lambda budget: budget,
    rehearsal={"budget": 2**28, "layers": 4},
    headline="live_share",
    seconds=10,
)
def allocator_fragmentation(
    budget: Annotated[float, Bound("B", low=2**28, high=2**40)] = 8 * 2**30,
    layers: Annotated[int, Bound(low=1, high=256)] = 48,
    shortest: Annotated[int, Bound("token", low=1, high=model.LONGEST)] = 1280,
    kept: Annotated[int, Bound("B", low=1, high=model.WIDTH)] = 1024,
    seed: Annotated[int, Bound(low=0)] = 0,
):
    """Live, reserved and requested bytes at the first OutOfMemoryError, with and without expandable segments, and what the model predicts.

    The outputs of caching_allocator, measured; predicted_*: that model's. returned: bytes that empty_cache gave back to the
    driver right after the failure without expandable segments, everything live still held.
    """
    budget, work = int(budget), (layers, shortest, kept, seed)
    plain, expandable = (on_device(budget, *work, expandable=e) for e in (False, True))
    predicted = [model.replay(model.Memory(budget, expandable=e), *work)["live"] / budget for e in (False, True)]
    return {
        "budget": budget,
        **model.compared(plain, expandable, budget),
        "predicted_live_share": predicted[0],
        "predicted_live_share_expandable": predicted[1],
        "returned": plain["returned"],
    }


@allocator_fragmentation.predicted
def predict(result):
    """By the model, which knows torch's allocator and asks for no data sheet."""
    return result["predicted_live_share"]


def on_device(budget: int, layers: int, shortest: int, kept: int, seed: int, expandable: bool) -> dict:
    """Replays the workload in torch's allocator until it fails. Raises KernelError where the device has less than the budget left."""
    timing.release()
    if (free := timing.free_memory()) < budget:
        raise KernelError(f"allocator_fragmentation: the budget is {budget} bytes, but {free} are free on this device")
    memory = Tensors()
    memory.allocator.expandable(expandable)
    memory.allocator.limit(budget)
    try:
        found = model.replay(memory, layers, shortest, kept, seed)
        if {segment["is_expandable"] for segment in memory.allocator.segments()} != {expandable}:
            raise KernelError(f"torch's allocator did not take the setting expandable_segments:{expandable}")
        held = memory.reserved
        timing.release()
        return {**found, "returned": held - memory.reserved}
    finally:
        memory.tensors.clear()
        timing.release()
        memory.allocator.limit(None)
        memory.allocator.expandable(False)


class Tensors:
    """Memory as the workload uses it: tensors of bytes by name, from the device's allocator."""

    def __init__(self) -> None:
        self.allocator = timing.allocator()
        self.tensors: dict[int, object] = {}

    def allocate(self, name: int, size: int) -> bool:
        import torch

        try:
            self.tensors[name] = self.allocator.allocate(size)
        except torch.OutOfMemoryError:
            return False
        return True

    def free(self, name: int) -> None:
        del self.tensors[name]

    @property
    def live(self) -> int:
        return self.allocator.live

    @property
    def reserved(self) -> int:
        return self.allocator.reserved

    def cached(self) -> int:
        return sum(self._holes())

    def largest_hole(self) -> int:
        return max(self._holes(), default=0)

    def _holes(self) -> list[int]:
        return [block["size"] for segment in self.allocator.segments() for block in segment["blocks"] if block["state"] == "inactive"]


@allocator_fragmentation.figure
def draw(result, ax):
    model.draw(result, ax)
