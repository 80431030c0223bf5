"""The laboratory: kernels that make every number and figure of the deck.

    catalogue   which file of the library holds which kernel
    declare     what a kernel is: its parameters, outputs, units; evaluates formulas and predictions
    parameters  what a case may set, and values checked against it
    demand      what a measurement asks of a device
    results     what a run gives: numbers and curves
    draws       what many draws of a simulation come to
    record      results as JSON in git: their names, their digests, whether they are stale
    parts       what is not whole yet: files on their way to the disk, and what Ctrl-C does
    key         what its numbers depend on: the reduced source of the kernel and of what it imports
    timing      how a measurement times and meets its ceiling (part of a measurement's key)
    precision   number formats, and how far a result is off its reference
    device      what timing asks of the device: a GPU's answers, and the CPU's
    nvml        what the driver says of a card: clocks, power, who else is there
    nvrtc       compiles a measurement's CUDA C++ at run time
    tracing     counts the bytes and FLOP of real torch modules on tensors without memory (part of a trace's key)
    gpu         whether a GPU may be here
    remote      kernels as the compiler and the laboratory have them: declared here, executed in a worker
    worker      a process that executes what is asked of it, and what it leaves behind
    packed      values as bytes between the two
    lab         runs kernels: chooses the device, a fresh worker for a run
    limits      how long a run may take
    machine     describes the machine: its devices and their classes, versions, commit
    recording   brings the records up to date, verifies them, rehearses measurements
    cluster     the same by the GPUs of many hosts
    summary     the table at the end of measurements: headline, prediction, doubts
    progress    what a person sees meanwhile
    listing     what `kernels list` says
    oracles     what each closed form is held against, by the tests
    plot        draws figures from results, light and dark
    anatomy     the parts of a figure, by names and places, and what goes with one that is left out
    library/    one file per kernel, in a folder for each area; the file's name is the kernel's name

Nothing here imports torch at the top of a module, and nothing here imports the generator.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from kernels.declare import Lower, Series, Upper, kernel
    from kernels.parameters import Bound, Free
    from kernels.results import AtLeast, KernelError, Spread

__all__ = ["AtLeast", "Bound", "Free", "KernelError", "Lower", "Series", "Spread", "Upper", "kernel"]


def __getattr__(name: str) -> Any:
    """What a kernel's file imports from here, loaded when it asks: the compiler asks whether a GPU is here each time it is called."""
    from importlib import import_module

    if name in ("Bound", "Free"):
        return getattr(import_module("kernels.parameters"), name)
    if name in ("Lower", "Series", "Upper", "kernel"):
        return getattr(import_module("kernels.declare"), name)
    if name in ("AtLeast", "KernelError", "Spread"):
        return getattr(import_module("kernels.results"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
