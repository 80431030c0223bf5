"""What a step holds in memory: every tensor's birth and death, counted while real torch modules run on meta tensors, which have a shape and no data.

A dispatch mode sees each operation and follows the storages that it makes by weak references. Counted are the bytes that tensors ask for. Not counted
is what no tensor holds: the allocator's rounding to 512 B and its holes, the workspaces of cuBLAS and those inside an operation (FlashAttention's
backward: see flash_workspace), the CUDA context, the collectives' buffers.

The device is "meta": a CPU build of torch makes fake CUDA tensors, but its autograd ends the process over them. What a GPU does otherwise is
put in its place: fused attention, which stores a number a row and no matrix, and dropout with a mask of one byte an element.

torch's own MemTracker agrees on every peak to the byte (the tests compare them), but keeps no timeline, refuses a second iteration, and books what an
optimizer's step needs for a moment as its state. This module imports torch inside functions only.
"""

from __future__ import annotations

import contextlib
import functools
import itertools
import weakref
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any


@dataclass
class Piece:
    """One storage: its bytes, what it holds, and the operations, counted from 0, after which it was there first and last."""

    size: int
    kind: str
    born: int
    died: int | None = None


@dataclass
class Memory:
    """The pieces of a trace; `clock` is the operations so far.

    A piece takes its kind from `kind_of`, where that names one; else what a forward pass makes, again in a checkpointed backward too, is
    "activations", and the rest "temporaries". `label` says afterwards what else it was.
    """

    device: str = "meta"
    kind_of: Callable[[Any], str | None] = lambda tensor: None
    pieces: list[Piece] = field(default_factory=list)
    clock: int = 0
    forward: bool = True
    _alive: dict[int, tuple[Piece, Any]] = field(default_factory=dict)

    def label(self, kind: str, tensors: Iterable[Any]) -> None:
        """Names what these tensors hold, whether the trace has seen them come or not."""
        for tensor in tensors:
            self._seen(tensor, kind).kind = kind

    def alive(self) -> dict[str, int]:
        """Bytes by kind, now."""
        return _sums(piece for piece in self.pieces if piece.died is None)

    def history(self) -> list[dict[str, int]]:
        """Bytes by kind after each operation, an operation's inputs included."""
        kinds = list(dict.fromkeys(piece.kind for piece in self.pieces))
        changes = [dict.fromkeys(kinds, 0) for _ in range(self.clock + 2)]
        for piece in self.pieces:
            changes[piece.born][piece.kind] += piece.size
            if piece.died is not None:
                changes[piece.died + 1][piece.kind] -= piece.size
        held, found = dict.fromkeys(kinds, 0), []
        for change in changes[: self.clock + 1]:
            held = {kind: held[kind] + change[kind] for kind in kinds}
            found.append(held)
        return found

    def peak(self) -> dict[str, int]:
        """Bytes by kind when their sum was largest, the first such moment."""
        return max(self.history(), key=lambda held: sum(held.values()))

    def _seen(self, tensor: Any, kind: str) -> Piece:
        """The piece behind a tensor, followed from now on if it was not yet."""
        storage = tensor.untyped_storage()
        key = storage._cdata
        if key not in self._alive:
            piece = Piece(storage.nbytes(), kind, self.clock)
            self.pieces.append(piece)

            def died(_: Any) -> None:
                piece.died = self.clock
                del self._alive[key]

            self._alive[key] = piece, weakref.ref(storage, died)
        return self._alive[key][0]

    def _operation(self, made: Iterable[Any], again: bool) -> None:
        self.clock += 1
        for tensor in made:
            if tensor.device.type == self.device and tensor.untyped_storage().nbytes():
                self._seen(tensor, self.kind_of(tensor) or ("activations" if self.forward or again else "temporaries"))


@contextlib.contextmanager
def memory(device: str = "meta", kind_of: Callable[[Any], str | None] = lambda tensor: None) -> Iterator[Memory]:
    """Traces what runs inside. device: whose tensors count; on "meta" attention and dropout are a GPU's."""
    found = Memory(device, kind_of)
    with as_on_a_gpu() if device == "meta" else contextlib.nullcontext(), _following()(found):
        yield found
    found._alive.clear()  # what dies later is no part of the trace


def flops(function: Callable[[], Any]) -> dict[str, int]:
    """FLOP of matrix products and of attention's (whole squares, though a causal kernel leaves half out), as torch counts them by operation."""
    from torch.utils.flop_counter import FlopCounterMode

    with as_on_a_gpu(), FlopCounterMode(display=False) as counter:
        function()
    counted = {str(operation): count for operation, count in counter.get_flop_counts()["Global"].items()}
    attention = sum(count for operation, count in counted.items() if "attention" in operation)
    return {"products": sum(counted.values()) - attention, "attention": attention}


def flash_workspace(batch: int, heads: int, kv_heads: int, tokens: int, head: int, value_bytes: int = 2) -> int:
    """Bytes that FlashAttention's backward holds inside its operation, which no trace sees: dq in fp32 and a number a row, both over tokens in whole
    128s, and for grouped queries dk and dv of every head (torch 2.13, flash_api.cpp, mha_bwd)."""
    rows = batch * heads * -(-tokens // 128) * 128
    return 4 * rows * (head + 1) + (2 * batch * heads * tokens * head * value_bytes if kv_heads != heads else 0)


def sampled(history: Sequence[dict[str, int]], points: int = 100) -> dict[str, list[float]]:
    """A history as a curve over the share of the operations done: of each of so many stretches the moment when most is held."""
    edges = [len(history) * i // points for i in range(points + 1)]
    moments = [max(range(low, max(high, low + 1)), key=lambda at: sum(history[at].values())) for low, high in itertools.pairwise(edges)]
    return {"done": [(i + 1) / points for i in range(points)], **{kind: [history[at][kind] for at in moments] for kind in history[0]}}


def _sums(pieces: Iterable[Piece]) -> dict[str, int]:
    found: dict[str, int] = {}
    for piece in pieces:
        found[piece.kind] = found.get(piece.kind, 0) + piece.size
    return found


@dataclass
class Steps:
    """A trace of training iterations, whose phases are (name, iteration). held: the bytes by kind after a phase; until: the operations by then."""

    trace: Memory
    held: dict[tuple[str, int], dict[str, int]] = field(default_factory=dict)
    until: dict[tuple[str, int], int] = field(default_factory=dict)

    def within(self, phase: str, iteration: int) -> dict[str, int]:
        """Bytes by kind at the peak of a phase."""
        phases = list(self.until)
        at = phases.index((phase, iteration))
        history = self.trace.history()[self.until[phases[at - 1]] : self.until[phases[at]] + 1]
        return max(history, key=lambda held: sum(held.values()))


def training_steps(
    model: Any,
    loss: Callable[[], Any],
    optimizer: Any,
    state: Callable[[], dict[str, Iterable[Any]]],
    kind_of: Callable[[Any], str | None] = lambda tensor: None,
    iterations: int = 2,
    zeros: bool = False,
) -> Steps:
    """Traces iterations of forward, backward, step and zero_grad on meta tensors, from the loaded model on.

    state: the optimizer's tensors by kind, as they are by then. zeros: gradients are overwritten with zeros after a step, in place of being dropped.
    """
    import torch

    with memory(kind_of=kind_of) as trace:
        steps = Steps(trace)

        def over(phase: str, iteration: int) -> None:
            trace.label("weights", model.parameters())
            trace.label("gradients", (p.grad for p in model.parameters() if p.grad is not None))
            for kind, tensors in state().items():
                trace.label(kind, (tensor for tensor in tensors if tensor.device.type == trace.device))
            steps.held[phase, iteration], steps.until[phase, iteration] = trace.alive(), trace.clock

        over("loaded", 0)
        for iteration in range(iterations):
            trace.forward = True
            value = loss()
            over("forward", iteration)
            trace.forward = False
            value.backward()
            del value
            over("backward", iteration)
            with torch.no_grad():
                optimizer.step()
            over("stepped", iteration)
            for parameter in model.parameters():
                if parameter.grad is not None and zeros:
                    parameter.grad.zero_()
                else:
                    parameter.grad = None
            over("cleared", iteration)
    return steps


@functools.cache
def _following() -> Any:
    """The dispatch mode that tells a Memory of every operation; made on first use."""
    import torch
    from torch.utils._python_dispatch import TorchDispatchMode
    from torch.utils._pytree import tree_leaves

    class Following(TorchDispatchMode):
        def __init__(self, found: Memory) -> None:
            super().__init__()
            self.found = found

        def __torch_dispatch__(self, function, types, args=(), kwargs=None):
            made = function(*args, **(kwargs or {}))
            tensors = (leaf for leaf in tree_leaves(made) if isinstance(leaf, torch.Tensor))
            self.found._operation(tensors, again=torch.is_grad_enabled())  # within a backward pass only while something is computed again
            return made

    return Following


def as_on_a_gpu() -> contextlib.AbstractContextManager[Any]:
    """While it lasts, meta tensors get what CUDA's do: fused attention where there is no mask, dropout with a mask of bytes, a fused optimizer."""
    from unittest import mock

    import torch
    from torch.nn import functional

    def attention(query, key, value, attn_mask=None, dropout_p=0.0, is_causal=False, scale=None, enable_gqa=False):
        if attn_mask is not None:
            raise ValueError("fused attention takes no mask")
        return torch.ops.aten._scaled_dot_product_flash_attention(query, key, value, dropout_p, is_causal, scale=scale)[0]

    def dropout(input, p=0.5, training=True, inplace=False):
        return torch.native_dropout(input, p, training)[0] if training and p else input

    patches = contextlib.ExitStack()
    patches.enter_context(mock.patch.multiple(functional, scaled_dot_product_attention=attention, dropout=dropout))
    patches.enter_context(mock.patch("torch.optim.optimizer._get_fused_kernels_supported_devices", lambda: ["meta"]))
    return patches
