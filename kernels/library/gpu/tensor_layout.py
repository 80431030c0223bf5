"""Which of torch's rearrangements move data: asked of real tensors, by whether storage is shared.

A tensor is a storage, a shape and a stride for each axis: element (i, j) lies at i s_0 + j s_1. Transposing swaps shape and
strides and moves nothing; a view needs strides that some single walk over the storage explains (torch.Tensor.view), and
what is not so explained has to be copied, which reshape and contiguous do unasked (PyTorch docs, Tensor Views).
"""

from typing import Annotated, Literal

from kernels import Bound, kernel, precision


@kernel(
    kind="simulation",
    outputs={
        "size": "B",
        "transpose_copied": "B",
        "reshape_copied": "B",
        "contiguous_copied": "B",
        "reshape_of_original_copied": "B",
        "merged_axes_copied": "B",
        "transpose_contiguous": "",
        "view_refused": "",
        "lost_writes": "",
        "stride": "",
    },
)
def tensor_layout(
    rows: Annotated[int, Bound(low=2, high=2**15)] = 8192,
    columns: Annotated[int, Bound(low=2, high=2**15)] = 8192,
    dtype: Literal["fp32", "bf16", "fp16"] = "fp32",
):
    """Bytes that torch newly allocates for a [rows, columns] matrix transposed, reshaped and made contiguous.

    *_copied: new storage, 0 for a view. reshape_copied, contiguous_copied: of the transpose, flattened or kept as a matrix.
    reshape_of_original_copied: of the matrix itself. merged_axes_copied: of a transposed batch, flattened over the two axes that
    still lie next to each other. view_refused: 1 where .view() on the transpose raises. lost_writes: 1 where writing into the
    reshaped transpose leaves the matrix as it was. stride: between neighbours in the transpose's last axis, in elements.
    """
    import torch

    x = torch.empty(rows, columns, dtype=precision.torch_dtype(dtype))
    turned = x.t()
    flat = turned.reshape(-1)
    x[0, 0] = 1
    flat[0] = 2
    batch = x.view(rows // 2, 2, columns) if rows % 2 == 0 else x.view(rows, 1, columns)
    return {
        "size": x.untyped_storage().nbytes(),
        "transpose_copied": copied(x, turned),
        "reshape_copied": copied(x, flat),
        "contiguous_copied": copied(x, turned.contiguous()),
        "reshape_of_original_copied": copied(x, x.reshape(-1)),
        "merged_axes_copied": copied(x, batch.permute(2, 0, 1).reshape(columns, -1)),
        "transpose_contiguous": int(turned.is_contiguous()),
        "view_refused": int(refuses_view(turned)),
        "lost_writes": int(x[0, 0].item() == 1),
        "stride": turned.stride(-1),
    }


@tensor_layout.invariant
def what_is_copied_is_copied_whole(result):
    """A rearrangement shares all of the storage or has as much of its own; the transpose shares it, and so does what is already contiguous."""
    copies = [result[name] for name in ("reshape_copied", "contiguous_copied", "merged_axes_copied")]
    return set(copies) <= {0, result["size"]} and result["transpose_copied"] == result["reshape_of_original_copied"] == 0


def copied(original, result) -> int:
    """Bytes of storage that the result has to itself."""
    new = result.untyped_storage()
    return 0 if new.data_ptr() == original.untyped_storage().data_ptr() else new.nbytes()


def refuses_view(x) -> bool:
    try:
        x.view(-1)
    except RuntimeError:
        return True
    return False
