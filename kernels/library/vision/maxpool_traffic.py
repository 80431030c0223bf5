"""The bytes that 2x2 max-pooling with stride 2 moves for each output, with and without stored positions of the maxima.

forward: 4 values read, 1 written, and the position, if it is stored. backward: the output's gradient and the position read, 4 gradients
written; without a position the 4 inputs are read again and the maximum found once more. What bounds time is memory, so bytes foretell it.
"""

from typing import Annotated

from kernels import Bound, Free, kernel

WAYS = {"int64": 8, "byte": 1, "none": 0}  # bytes of a stored position


@kernel(
    kind="formula",
    outputs={
        **{f"forward_{way}": "B" for way in WAYS},
        **{f"backward_{way}": "B" for way in WAYS},
        **{f"total_{way}": "B" for way in WAYS},
        "forward_saved": "",
        "index_over_output": "",
        "index_memory": "B",
        "input_memory": "B",
        "torch_keeps": "B",
        "bits_needed": "",
    },
)
def maxpool_traffic(
    value_bytes: Annotated[int, Bound("B", low=1, high=8), Free(2, 4)] = 2,
    outputs: Annotated[int, Bound(low=1)] = 32 * 64 * 112 * 112,
):
    """Bytes for each output of 2x2 max-pooling, for positions kept as int64 (torch), as a byte, or not at all.

    forward_saved: the share of the forward's bytes that leaving int64 positions out saves. index_over_output: int64 positions over the output's
    own size. index_memory: of int64 positions for so many outputs; input_memory: of the input for them; torch_keeps:
    both, which its autograd saves (maxpool_routing counts them). bits_needed: of a position
    in a window of four. Free: value_bytes, of 16 or 32 bits a value, as nobody names a format who says what positions cost.
    """
    forward = {way: 5 * value_bytes + size for way, size in WAYS.items()}
    backward = {way: 5 * value_bytes + (size or 4 * value_bytes) for way, size in WAYS.items()}
    return {
        **{f"forward_{way}": size for way, size in forward.items()},
        **{f"backward_{way}": size for way, size in backward.items()},
        **{f"total_{way}": forward[way] + backward[way] for way in WAYS},
        "forward_saved": 1 - forward["none"] / forward["int64"],
        "index_over_output": WAYS["int64"] / value_bytes,
        "index_memory": WAYS["int64"] * outputs,
        "input_memory": 4 * value_bytes * outputs,
        "torch_keeps": (WAYS["int64"] + 4 * value_bytes) * outputs,
        "bits_needed": 2,
    }


@maxpool_traffic.figure
def draw(result, ax):
    from kernels import plot

    names = {"int64": "int64 positions", "byte": "byte positions", "none": "found again"}
    rows = {said: {part: result[f"{part}_{way}"] for part in ("forward", "backward")} for way, said in names.items()}
    plot.stacked_bars(ax, rows, unit="B")
