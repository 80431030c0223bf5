"""The activations that a transformer layer keeps for its backward pass: fully trained, and frozen with LoRA adapters.

Counted with torch's hooks for saved tensors on a small GPT block (pre-norm, fused attention, GELU MLP of four times the width, no dropout) in bf16:
bytes a token and unit of width. A frozen product y = W x needs no input for the backward pass, an adapter y = B A x does. The GELU, the norms and the
attention keep theirs in any case, so that adapters on every matrix free nothing, and adapters on the attention alone free the inputs of the MLP's two
products: by hand 2 + 8 of 32 bytes (Korthikanti et al. 2022, arXiv 2205.05198, section 4.1, without the masks).
"""

from typing import Annotated, Any

from kernels import Bound, Free, KernelError, kernel
from kernels.library.models._transformer import HEAD

MATRICES = {"all": ("qkv", "out", "up", "down"), "attention": ("qkv",)}


@kernel(kind="simulation", outputs={**dict.fromkeys(("full", "all", "attention"), "B"), **dict.fromkeys(("all_share", "attention_share"), "")})
def lora_activations(
    rank: Annotated[int, Bound(low=1, high=256)] = 16,
    width: Annotated[int, Bound(low=64, high=4096), Free(512, 2048)] = 1024,
    tokens: Annotated[int, Bound("token", low=16, high=2048)] = 128,
):
    """Bytes that a layer keeps for each token and unit of width: trained in full, and with adapters on all matrices or on those for q, k and v.

    *_share: over what full training keeps. The width is free from 512 to 2,048; the adapters' own activations, `rank` numbers each, shrink beside it.
    """
    if width % HEAD:
        raise KernelError(f"lora_activations: width is {width}, but must be a multiple of {HEAD}, the width of a head")
    kept = {"full": per_layer((), rank, width, tokens)} | {name: per_layer(names, rank, width, tokens) for name, names in MATRICES.items()}
    return {**kept, **{f"{name}_share": kept[name] / kept["full"] for name in MATRICES}}


@lora_activations.invariant
def the_count_is_the_one_by_hand(result) -> bool:
    """Full training keeps 32 bytes, but for the attention's statistics; the attention's adapters free the MLP's two inputs, 10 of them."""
    adapters = 2 * result.parameters["rank"] / result.parameters["width"]
    return abs(result["full"] - 32) < 0.3 and abs(result["full"] - result["attention"] - 10 + adapters) < 0.3


def per_layer(names: tuple[str, ...], rank: int, width: int, tokens: int) -> float:
    """Of one layer more: the first layer's input needs no gradient where it is frozen."""
    three, two = (saved(layers, names, rank, width, tokens) for layers in (3, 2))
    return (three - two) / (tokens * width)


def saved(layers: int, names: tuple[str, ...], rank: int, width: int, tokens: int) -> int:
    """Bytes of the tensors that a forward pass keeps, each piece of memory once and parameters not at all."""
    import torch

    from kernels.library.models import _transformer

    model: Any = _transformer.transformer(width, layers, dtype=torch.bfloat16, device="cpu")
    if names:
        model.requires_grad_(False)
        for block in model.blocks:
            for name in names:
                setattr(block, name, adapted(getattr(block, name), rank))
    own = {parameter.untyped_storage().data_ptr() for parameter in model.parameters()}
    pieces: dict[int, int] = {}
    alive = []

    def pack(tensor):
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in own:
            pieces[storage.data_ptr()] = storage.nbytes()
            alive.append(tensor.detach())  # so that no other tensor takes the same place
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
        output = model(torch.zeros(1, tokens, width, dtype=torch.bfloat16))
    del output
    return sum(pieces.values())


def adapted(linear, rank: int) -> Any:
    """The layer with a bypass B A x beside it, in its own format."""
    import torch
    from torch import nn
    from torch.nn import functional

    class Adapted(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.linear = linear
            self.a = nn.Parameter(torch.zeros(rank, linear.in_features, dtype=linear.weight.dtype))
            self.b = nn.Parameter(torch.zeros(linear.out_features, rank, dtype=linear.weight.dtype))

        def forward(self, x):
            return self.linear(x) + functional.linear(functional.linear(x, self.a), self.b)

    return Adapted()
