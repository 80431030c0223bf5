"""What a measurement asks of a device, and whether one gives it; how large it is in a rehearsal, and what a table says of it first.

In: what the decorator declares, a case's parameters, a Device. Out: the reason why that device cannot measure it, or none.
None of it moves a number, so none of it is part of a record's key.
"""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

On = Literal["gpu", "any"]
Asked = Any  # a value, or a function of some of the case's parameters by their names that gives it
SPARE = 0.95  # of a device's memory: the driver, torch's context and the libraries' workspaces keep the rest, half a GiB or more
CONTEXT = 2**30


@dataclass(frozen=True)
class Device:
    """A GPU, or a CPU, as measurements see it. memory: bytes. capability: CUDA's, as 9.0; 0 where there is none.

    formats: those that its matrix units multiply, as precision.DTYPES names them. where: "cuda" or "cpu", torch's word for it.
    """

    name: str
    device_class: str
    memory: int
    capability: float = 0.0
    formats: tuple[str, ...] = ()
    where: str = "cuda"


@dataclass(frozen=True)
class Demand:
    """memory: bytes at the peak. capability: the least compute capability, of CUDA devices. formats: the number formats that are multiplied.

    on: "any" where the effect is not a GPU's own. rehearsal: parameters, and constants of the kernel's module in capitals, as a
    rehearsal takes them. headline, share: the outputs that a table shows, the second being the share of a ceiling. seconds: that a
    process takes on a large GPU, about.
    """

    memory: Asked = 0
    capability: Asked = 0.0
    formats: Asked = ()
    on: On = "gpu"
    rehearsal: Mapping[str, Any] = field(default_factory=dict)
    headline: str = ""
    share: str = ""
    seconds: float = 20.0

    def of(self, asked: Asked, parameters: Mapping[str, Any]) -> Any:
        return asked(**{name: parameters[name] for name in arguments(asked)}) if callable(asked) else asked

    def obstacle(self, parameters: Mapping[str, Any], device: Device) -> str:
        """Why the device cannot measure this case; empty where it can."""
        if (least := self.of(self.capability, parameters)) > device.capability > 0:
            return f"it needs compute capability {least:.1f}, and {device.name} has {device.capability:.1f}"
        if lacking := [one for one in self.of(self.formats, parameters) if device.formats and one not in device.formats]:
            return f"it multiplies {' and '.join(lacking)}, which {device.name} does not"
        needed = math.ceil(self.of(self.memory, parameters))
        usable = device.memory - max(CONTEXT, round((1 - SPARE) * device.memory)) if device.where == "cuda" else device.memory
        if needed > usable:
            return f"it needs {needed / 2**30:.3g} GiB of memory, and {device.name} has {max(0, usable) / 2**30:.3g} to give"
        return ""


def arguments(asked: Callable[..., Any]) -> tuple[str, ...]:
    """The parameters that a function of them names."""
    return tuple(inspect.signature(asked).parameters)
