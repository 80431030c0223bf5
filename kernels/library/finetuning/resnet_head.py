"""How much of a ResNet its classifier is: the parameters of backbone and head (He et al. 2015, arXiv 1512.03385, table 1).

A convolution of k x k from i to o channels has k k i o weights and no bias, its batch norm 2 o. A basic block has two of 3 x 3; a
bottleneck has 1 x 1, 3 x 3 and 1 x 1, its output four times as wide. A block whose width or resolution changes has a 1 x 1 projection
(option B, as in torchvision). The head is features x classes weights and a bias a class.
"""

from typing import Annotated, Literal

from kernels import Bound, kernel

BLOCKS = {18: (2, 2, 2, 2), 34: (3, 4, 6, 3), 50: (3, 4, 6, 3), 101: (3, 4, 23, 3), 152: (3, 8, 36, 3)}


@kernel(
    kind="formula",
    outputs=dict.fromkeys(("features", "backbone", "head", "total", "head_share", "head_before", "total_before", "head_share_before"), ""),
)
def resnet_head(depth: Literal[18, 34, 50, 101, 152] = 50, classes: Annotated[int, Bound(low=1)] = 10, before: Annotated[int, Bound(low=1)] = 1000):
    """Parameters of a ResNet's backbone and of its head, with a new head of `classes` and with the `before` classes of pretraining."""
    expansion = 1 if depth < 50 else 4
    backbone, channels = convolution(7, 3, 64), 64
    for stage, blocks in enumerate(BLOCKS[depth]):
        inner = 64 * 2**stage
        for block in range(blocks):
            backbone += block_parameters(channels, inner, expansion)
            if block == 0 and (channels != inner * expansion or stage):
                backbone += convolution(1, channels, inner * expansion)
            channels = inner * expansion
    head, head_before = (channels * n + n for n in (classes, before))
    return {
        "features": channels,
        "backbone": backbone,
        "head": head,
        "total": backbone + head,
        "head_share": head / (backbone + head),
        "head_before": head_before,
        "total_before": backbone + head_before,
        "head_share_before": head_before / (backbone + head_before),
    }


def convolution(size: int, inputs: int, outputs: int) -> int:
    """A convolution without bias and its batch norm."""
    return size * size * inputs * outputs + 2 * outputs


def block_parameters(inputs: int, inner: int, expansion: int) -> int:
    if expansion == 1:
        return convolution(3, inputs, inner) + convolution(3, inner, inner)
    return convolution(1, inputs, inner) + convolution(3, inner, inner) + convolution(1, inner, expansion * inner)
