"""What torch.optim.AdamW holds, and from when: its moments' format and bytes, before and after the first step.

The constructor notes the parameters and allocates nothing; the first step makes two moments by zeros_like, in the parameter's own format.
Nothing is drawn: torch's optimizer is run on the CPU and its tensors are counted.
"""

from typing import Literal

from kernels import kernel

PARAMETERS = 4096


@kernel(kind="simulation", outputs=dict.fromkeys(("moment", "before", "after"), "B"))
def adamw_state(dtype: Literal["bf16", "fp16", "fp32"] = "bf16"):
    """Bytes of one number of a moment, and bytes of state for each parameter before and after the first step, for parameters of that format."""
    import torch

    from kernels import precision

    weight = torch.nn.Parameter(torch.ones(PARAMETERS, dtype=precision.torch_dtype(dtype)))
    optimizer = torch.optim.AdamW([weight], foreach=False)
    before = held(optimizer)
    weight.grad = torch.ones_like(weight)
    optimizer.step()
    return {"moment": optimizer.state[weight]["exp_avg_sq"].element_size(), "before": before, "after": held(optimizer)}


@adamw_state.invariant
def the_state_is_two_moments(result) -> bool:
    """After a step the state is two numbers a parameter in the moments' format; before it there is none."""
    return result["before"] == 0 and result["after"] == 2 * result["moment"]


def held(optimizer) -> float:
    """Bytes of the state's tensors for each parameter; the step count, one number a tensor, is left out."""
    tensors = [value for state in optimizer.state.values() for name, value in state.items() if name != "step"]
    return sum(tensor.nbytes for tensor in tensors) / PARAMETERS
