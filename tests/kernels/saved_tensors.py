"""What autograd keeps of a forward pass, counted by torch's own hooks: an oracle for formulas of activation memory."""

import torch


def saved_bytes(model, x) -> int:
    """The bytes of the storages that `model(x)` keeps for its backward pass, each once, without those of the parameters."""
    own, saved = {p.untyped_storage().data_ptr() for p in model.parameters()}, {}

    def pack(tensor):
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in own:
            saved[storage.data_ptr()] = storage.nbytes()
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
        kept = model(x)
    total = sum(saved.values())
    del kept  # no sooner: freed storages give their addresses to others
    return total
