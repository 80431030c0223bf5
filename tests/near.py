"""Kernels that a test declares for itself, where the compiler looks for those of a library: they are executed in the process of the test."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from kernels import plot, remote
from kernels.declare import Kernel
from kernels.plot import Drawing
from kernels.remote import Remote
from kernels.results import Result


@dataclass(frozen=True, eq=False)
class Near(Remote):
    kernel: Any = None

    def run(self, given: Mapping[str, Any], timeout: float | None = None) -> Result:
        return self.kernel(**given)

    def instead(self, given: Mapping[str, Any]) -> Result:
        return self.run(self.bind(given))

    def drawn(self, result: Result, measured: Result | None = None, without: str = "", with_parts: bool = False) -> Drawing:
        return plot.draw(self.kernel, result, measured, without, with_parts)


def near(kernels: Mapping[str, Kernel]) -> Callable[[str], Remote]:
    """What `remote.find` is to be for them."""
    found = {name: Near(**vars(remote.without_code(kernel)), kernel=kernel) for name, kernel in kernels.items()}
    return found.__getitem__
