"""What training a ResNet holds in memory, with 3 x 3 convolutions and with 1 x 1 in their place: parameters with their states, and activations.

    state        parameters * bytes of each (mixed-precision AdamW: 16)        activations    values that autograd saves * 2 bytes * images

A convolution saves its input, a batch norm its input, a ReLU its output, which the next convolution saves as well and which counts once. The
max-pool also saves an int64 position for each output. Kernel sizes appear in none of these, and in the parameters as a square (He et al. 2015,
arXiv 1512.03385, table 1: two convolutions a basic block, the first convolution 7 x 7, projections 1 x 1). Saved means and variances of the batch
norms, the loss and the libraries' workspaces are left out.
"""

from typing import Annotated, Literal

from kernels import Bound, Free, kernel
from kernels.library.finetuning.resnet_head import BLOCKS, convolution

BYTES, POSITION = 2, 8  # of a value in 16 bits; of a max-pool's position in torch
CLASSES = 1000


@kernel(
    kind="formula",
    outputs={
        "parameters": "",
        "parameters_1x1": "",
        "state": "B",
        "state_1x1": "B",
        "activations": "B",
        "total": "B",
        "saving": "",
    },
)
def convnet_memory(
    depth: Literal[18, 34] = 34,
    batch: Annotated[int, Bound(low=1), Free(32, 512)] = 256,
    size: Annotated[int, Bound(low=32)] = 224,
    parameter_bytes: Annotated[int, Bound("B", low=2, high=32)] = 16,
):
    """Bytes of parameters with gradients and optimizer states, of saved activations in 16 bits, and the share that 1 x 1 convolutions would save.

    Free: batch, the images on one GPU, between what a small and a large card take. size: of the square images. parameter_bytes: 16 is bf16 weight
    and gradient, fp32 master copy and two fp32 moments.
    """
    three, one = parameters(depth, 3), parameters(depth, 1)
    kept = batch * saved(depth, size)
    state, state_1x1 = three * parameter_bytes, one * parameter_bytes
    return {
        "parameters": three,
        "parameters_1x1": one,
        "state": state,
        "state_1x1": state_1x1,
        "activations": kept,
        "total": state + kept,
        "saving": (state - state_1x1) / (state + kept),
    }


def parameters(depth: int, kernel: int) -> int:
    """With batch norms and a head of 1,000 classes."""
    count, channels = convolution(7, 3, 64), 64
    for stage, blocks in enumerate(BLOCKS[depth]):
        width = 64 * 2**stage
        count += convolution(kernel, channels, width) + (2 * blocks - 1) * convolution(kernel, width, width)
        if stage:
            count += convolution(1, channels, width)  # the projection
        channels = width
    return count + channels * CLASSES + CLASSES


def saved(depth: int, size: int) -> int:
    """Bytes for one image: the image, then what each layer adds."""
    half = -(-size // 2)
    side = -(-half // 2)
    values = 3 * size**2 + 2 * 64 * half**2  # the image; the first convolution's output and its ReLU's
    values += 64 * side**2  # the max-pool's output, the first block's input
    positions = 64 * side**2
    for stage, blocks in enumerate(BLOCKS[depth]):
        side = -(-side // 2) if stage else side
        each = 64 * 2**stage * side**2
        values += 4 * blocks * each  # two convolutions' outputs, which the norms save, and two ReLUs'
        values += each if stage else 0  # the projection's output, which its norm saves
    return BYTES * (values + 64 * 2**3) + POSITION * positions  # at last the pooled features, which the head saves
