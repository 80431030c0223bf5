"""Convolutions on a GPU: time and memory of 1x1, 3x3, bottleneck and separable blocks, and of large kernels in the first layer.

The arithmetic is that of conv_blocks and conv_stack (9x fewer FLOP for a 1x1, 8.5x for a bottleneck), and the times say how much of
it arrives: a block with little arithmetic for each value that it reads is bound by memory, and several layers write
what one would not. Library calls (cuDNN through torch), without biases, norms and activations.
"""

from functools import partial
from typing import Annotated, Any, Literal

from kernels import Bound, KernelError, Series, kernel, precision, timing
from kernels.library.vision.conv_blocks import BLOCKS, conv_blocks
from kernels.library.vision.conv_stack import conv_stack

FIRST = {"3": (3, 1), "7": (7, 1), "15": (15, 1), "31": (31, 1), "7_stride_2": (7, 2)}  # kernel size and stride of a first layer from RGB
WIDTH = 64  # channels that the first layer makes
CHECKED = (34, 38)  # height and width of the image compared with float64
LIMITS = {"bf16": 2e-2, "fp16": 4e-3}  # of the largest output; a block rounds between its layers too


def memory(batch: int, channels: int, size: int, height: int, width: int) -> int:
    """Bytes of the blocks' maps, forward and backward; of the maps of the first layers, with half as much again for cuDNN; of images unfolded."""
    blocks, first = 2 * 7 * batch * channels * size**2, 2 * 3 * WIDTH * height * width
    unfolded = 2 * 8 * (CHECKED[0] * CHECKED[1] * max(9 * channels, 3 * 31**2) + WIDTH * 3 * 31**2)
    return max(blocks, first, unfolded) + 8 * 3 * 9 * channels**2


@kernel(
    kind="measurement",
    outputs={
        **{f"{name}_time": "s" for name in BLOCKS},
        **{f"{name}_nchw_time": "s" for name in BLOCKS},
        **{f"{name}_training_memory": "B" for name in BLOCKS},
        **{f"{name}_rate": "FLOP/s" for name in BLOCKS},
        **{f"{name}_of_peak": "" for name in BLOCKS},
        **{f"{name}_speedup": "" for name in BLOCKS[1:]},
        **{f"first_{name}_time": "s" for name in FIRST},
        "first_31_rate": "FLOP/s",
        "first_31_slowdown": "",
        "first_stack_time": "s",
        "first_memory": "B",
        "matmul_ceiling": "FLOP/s",
        "error": "",
        "first": Series("kernel", "s"),
    },
    timeout=300,
    memory=memory,
    formats=lambda dtype: (dtype,),
    rehearsal={"batch": 2, "channels": 32, "size": 16, "height": 64, "width": 64, "CHECKED": (9, 11)},
    headline="plain_rate",
    share="plain_of_peak",
    seconds=45,
)
def conv_cost(
    batch: Annotated[int, Bound(low=1, high=4096)] = 32,
    channels: Annotated[int, Bound(low=16, high=4096)] = 256,
    size: Annotated[int, Bound(low=4, high=1024)] = 56,
    height: Annotated[int, Bound(low=32, high=8192)] = 2160,
    width: Annotated[int, Bound(low=32, high=8192)] = 3840,
    dtype: Literal["bf16", "fp16"] = "bf16",
):
    """Time, rate and memory of four blocks of the same width, and the time of the first layer on one frame by its kernel size.

    time: forward, channels last; nchw_time: in torch's default layout; all in turns, launched from a graph. training_memory: peak of forward and
    backward beyond the input and the weights. of_peak: the rate (FLOP of the formula over time) over that of the fastest matrix product.
    speedup: the plain block's time over this one's. first_K: from 3 to 64 channels on a frame of height and width; first_stack: fifteen 3x3
    layers, which see as far as one 31x31. first_memory: peak of the 31x31 layer's forward. error: largest of all, over the largest
    output, against float64 by unfolding.
    """
    if channels % 4:
        raise KernelError(f"conv_cost: channels is {channels}, but must be a multiple of 4 for the bottleneck")
    device = timing.device()
    blocks = {name: block(name, channels) for name in BLOCKS}
    firsts = {f"first_{name}": [(3, WIDTH, *k, 1)] for name, k in FIRST.items()}
    firsts["first_stack"] = [(3 if i == 0 else WIDTH, WIDTH, 3, 1, 1) for i in range(15)]
    error = max(checked(layers, dtype, device) for layers in (*blocks.values(), *firsts.values()))
    ceiling = timing.multiplying(dtype)
    x, weights = image(batch, channels, size, size, dtype, device), {name: parameters(layers, dtype, device) for name, layers in blocks.items()}
    plainly = x.contiguous()
    timed: dict[str, Any] = {name: partial(forward, x, layers, weights[name]) for name, layers in blocks.items()}
    for name, layers in blocks.items():
        timed[f"{name}_nchw"] = partial(forward, plainly, layers, [w.contiguous() for w in weights[name]])
    turns = timing.in_turns(graph=True, **timed, ceiling=ceiling.function)
    memory = {name: timing.peak_memory(partial(trained, x, layers, weights[name])).bytes for name, layers in blocks.items()}
    frame = image(1, 3, height, width, dtype, device)
    ways: dict[str, Any] = {name: partial(forward, frame, layers, parameters(layers, dtype, device)) for name, layers in firsts.items()}
    first = timing.in_turns(**ways)
    counted = conv_blocks(channels=channels)
    flops = {name: 2 * batch * size**2 * counted[name] for name in BLOCKS}
    large = conv_stack(kernel_size=31, channels_in=3, channels=WIDTH, height=height, width=width)
    odd = {k: first[f"first_{name}"] for name, (k, stride) in FIRST.items() if stride == 1}
    return {
        **{f"{name}_time": turns[name] for name in BLOCKS},
        **{f"{name}_nchw_time": turns[f"{name}_nchw"] for name in BLOCKS},
        **{f"{name}_training_memory": memory[name] for name in BLOCKS},
        **{f"{name}_rate": flops[name] / turns[name] for name in BLOCKS},
        **{f"{name}_of_peak": turns.ratio("ceiling", name) * (flops[name] / ceiling.work) for name in BLOCKS},
        **{f"{name}_speedup": turns.ratio("plain", name) for name in BLOCKS[1:]},
        **{f"{name}_time": first[name] for name in firsts},
        "first_31_rate": large["flops"] / first["first_31"],
        "first_31_slowdown": first.ratio("first_31", "first_3"),
        "first_memory": timing.peak_memory(ways["first_31"]).bytes,
        "matmul_ceiling": ceiling.work / turns["ceiling"],
        "error": error,
        "first": {"kernel": list(odd), "measured": list(odd.values())},
    }


def block(name: str, channels: int) -> list[tuple]:
    """The layers of a block: (channels in, channels out, kernel size, stride, groups) each."""
    c, narrow = channels, channels // 4
    return {
        "plain": [(c, c, 3, 1, 1)],
        "pointwise": [(c, c, 1, 1, 1)],
        "bottleneck": [(c, narrow, 1, 1, 1), (narrow, narrow, 3, 1, 1), (narrow, c, 1, 1, 1)],
        "separable": [(c, c, 3, 1, c), (c, c, 1, 1, 1)],
    }[name]


def image(batch: int, channels: int, height: int, width: int, dtype: str, device: str):
    """Random values [batch, channels, height, width], the channels of a pixel side by side in memory."""
    import torch

    return torch.randn(batch, channels, height, width, device=device).to(precision.torch_dtype(dtype), memory_format=torch.channels_last)


def parameters(layers, dtype: str, device: str) -> list:
    """Random weights of the layers, scaled so that values keep their size."""
    import torch

    return [
        (torch.randn(out, c // groups, k, k, device=device) / (k * (c // groups) ** 0.5)).to(
            precision.torch_dtype(dtype), memory_format=torch.channels_last
        )
        for c, out, k, _, groups in layers
    ]


def forward(x, layers, weights):
    """The layers in a row by the library, each padded so that it keeps the size."""
    import torch
    from torch.nn import functional

    with torch.no_grad():
        return through(functional.conv2d, x, layers, weights)


def trained(x, layers, weights):
    """Forward and backward: the gradients of the weights, with what a training step keeps on the way."""
    import torch
    from torch.nn import functional

    x, weights = x.detach().requires_grad_(), [w.detach().requires_grad_() for w in weights]
    y = through(functional.conv2d, x, layers, weights)
    return torch.autograd.grad(y, [x, *weights], torch.ones_like(y))


def through(convolve, x, layers, weights):
    for (_, _, k, stride, groups), w in zip(layers, weights):
        x = convolve(x, w, stride=stride, padding=k // 2, groups=groups)
    return x


def unfolded(x, w, stride: int, padding: int, groups: int):
    """A convolution as the matrix product that it is: each patch a column, each filter a row."""
    import torch
    from torch.nn import functional

    out, _, k, _ = w.shape
    columns = functional.unfold(x, k, padding=padding, stride=stride).unflatten(1, (groups, -1))  # [batch, groups, c k k / groups, pixels]
    y = torch.einsum("goc,bgcp->bgop", w.reshape(groups, out // groups, -1), columns).flatten(1, 2)
    return y.unflatten(-1, ((x.shape[2] + 2 * padding - k) // stride + 1, -1))


def checked(layers, dtype: str, device: str) -> float:
    """The library's error on a small image against the float64 product of the same (rounded) values."""
    x, weights = image(1, layers[0][0], *CHECKED, dtype, device), parameters(layers, dtype, device)
    exact = through(unfolded, x.double(), layers, [w.double() for w in weights])
    return precision.error_against(exact, forward(x, layers, weights), LIMITS[dtype])


@conv_cost.predicted
def predict(result):
    from kernels.library.machines._devices import DEVICES

    gpu, shape = result.made["device_class"], {name: result.parameters[name] for name in ("channels", "size", "batch")}
    if gpu not in DEVICES:
        return None
    counted = conv_blocks(**shape, gpu=gpu)
    return 2 * shape["batch"] * shape["size"] ** 2 * counted["plain"] / counted["plain_time"]


@conv_cost.figure
def draw(result, ax):
    from kernels import plot

    names = {"plain": "plain 3×3", "bottleneck": "bottleneck", "separable": "separable", "pointwise": "1×1 alone"}
    plot.bars(ax, {said: result[f"{name}_time"] for name, said in names.items()}, "s", highlight="bottleneck")
