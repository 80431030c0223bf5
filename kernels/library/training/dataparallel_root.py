"""What torch's DataParallel keeps on GPU 0 and on every other GPU, in fp32.

    GPU 0    weights, gradients, optimizer states, its activations, the gathered outputs of the whole batch, and its inputs if they were put there
    others   a replica of the weights, its gradients, activations

DataParallel replicates the module at every step, scatters the batch, gathers the outputs on the first device and adds the
gradients up there; the optimizer sees the parameters of that device alone (torch.nn.DataParallel; Li et al. 2020, PyTorch
Distributed, arXiv 2006.15704, section 2). Passing buffers of the reduction are left out.
"""

from typing import Annotated

from kernels import Bound, Free, kernel

FP32 = 4


@kernel(
    kind="formula",
    outputs={
        "root": "B",
        "other": "B",
        "ratio": "",
        "root_states": "B",
        "other_states": "B",
        "states_ratio": "",
        "gathered": "B",
        "arriving": "B",
        "model": "B",
        "sent_copies": "B",
        "sent_chain": "B",
    },
)
def dataparallel_root(
    parameters: Annotated[int, Bound(low=1)],
    gpus: Annotated[int, Bound(low=2)],
    outputs: Annotated[float, Bound(low=0), Free(1e6, 3.3e9)] = 1_024_000.0,
    activations: Annotated[float, Bound("B", low=0)] = 0.0,
    inputs: Annotated[float, Bound("B", low=0)] = 0.0,
    moments: Annotated[int, Bound(low=0, high=4)] = 2,
):
    """Bytes on GPU 0 and on each other GPU under DataParallel, and their ratio.

    outputs: numbers that the model returns for the whole batch; from a classifier's scores of a thousand images to a language model's logits of 64
    thousand tokens, so it is free between these. activations: bytes on each GPU, with its own outputs. inputs: of the whole batch, if on GPU 0.
    states: weights, gradients and optimizer alone. gathered: the outputs on GPU 0, of which `arriving` come from the others.
    sent: bytes of weights that GPU 0 sends in a step, as copies one by one, or as the head of NCCL's chain, where each GPU passes them on.
    """
    replica = parameters * 2 * FP32
    states = replica + parameters * moments * FP32
    gathered = outputs * FP32
    root, other = states + activations + gathered + inputs, replica + activations
    return {
        "root": root,
        "other": other,
        "ratio": root / other,
        "root_states": states,
        "other_states": replica,
        "states_ratio": states / replica,
        "gathered": gathered,
        "arriving": gathered * (gpus - 1) / gpus,
        "model": parameters * FP32,
        "sent_copies": parameters * FP32 * (gpus - 1),
        "sent_chain": parameters * FP32,
    }


@dataparallel_root.figure
def draw(result, ax):
    from kernels import plot

    activations = result.parameters["activations"]
    rows = {
        "GPU 0": {"states": result["root_states"], "activations": activations, "outputs": result["gathered"]},
        "each other": {"states": result["other_states"], "activations": activations, "outputs": 0.0},
    }
    plot.stacked_bars(ax, rows, unit="B", fills={"states": plot.STONE, "activations": plot.SAND, "outputs": plot.ACCENT})
