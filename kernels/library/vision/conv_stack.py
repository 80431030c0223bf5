"""What a convolution costs on paper: parameters, FLOP, memory of its output, and the pixels that one output sees.

    parameters = k^2 c_in c_out / groups          FLOP = 2 parameters h_out w_out batch          receptive field = 1 + sum (k - 1) stride

(Dumoulin and Visin 2016, arXiv 1603.07285; the stack of 3x3 in place of one large kernel: Simonyan and Zisserman 2014, arXiv 1409.1556, section 2.3.)
Padding keeps the size; without biases. By the data sheet a layer takes at least max(FLOP / peak, bytes / bandwidth, launch), where its bytes are its
input, its weights and its output once each (Williams et al. 2009, CACM 52(4)).
"""

from typing import Annotated

from kernels import Bound, KernelError, Lower, Series, kernel
from kernels.library.machines._devices import DEVICES, Gpu
from kernels.library.machines._reach import least

Count = Annotated[int, Bound(low=1)]


@kernel(
    kind="prediction",
    outputs={
        "parameters": "",
        "weights": "B",
        "flops": "FLOP",
        "output": "B",
        "activations": "B",
        "training": "B",
        "receptive_field": "",
        "over_first": "",
        "arithmetic": Lower("s"),
        "time": Lower("s"),
        "kernels": Series("kernel", "FLOP"),
    },
)
def conv_stack(
    kernel_size: Count,
    channels_in: Count = 64,
    channels: Count = 64,
    layers: Count = 1,
    height: Count = 56,
    width: Count = 56,
    stride: Count = 1,
    groups: Count = 1,
    batch: Count = 1,
    value_bytes: Annotated[int, Bound("B", low=1, high=8)] = 2,
    gpu: Gpu = "h100",
    launch: Annotated[float, Bound("s", low=0, high=1e-3)] = 0.0,
):
    """Parameters, FLOP, memory and receptive field of `layers` k x k convolutions in a row, the first from channels_in and with the stride.

    weights, output (of the last layer), activations (the outputs of all layers): at value_bytes each. training: input, outputs and
    weights with the gradients of all of them. over_first: parameters over those of one layer. arithmetic: all FLOP at the peak in 16 bits; time:
    that, the bytes' time or a launch, whichever is longest, layer by layer. kernels: the FLOP of the same stack by kernel size, odd sizes to 31.
    """
    if channels_in % groups or channels % groups:
        raise KernelError(f"conv_stack: {channels_in} and {channels} channels do not divide into {groups} groups: groups must be a divisor of both")
    rows, columns = -(-height // stride), -(-width // stride)
    first, later = (k * channels // groups for k in (channels_in, channels))
    taps = first + (layers - 1) * later
    parameters, output = kernel_size**2 * taps, batch * channels * rows * columns * value_bytes
    flops = 2 * batch * rows * columns
    sizes = range(1, 32, 2)
    inputs = batch * channels_in * height * width * value_bytes
    device = DEVICES[gpu]

    def time(read: int, taps: int) -> float:
        """Of one layer."""
        return least(gpu, flops * kernel_size**2 * taps, read + output + kernel_size**2 * taps * value_bytes, launch)

    return {
        "parameters": parameters,
        "weights": parameters * value_bytes,
        "flops": flops * parameters,
        "output": output,
        "activations": layers * output,
        "training": 2 * (inputs + layers * output + parameters * value_bytes),
        "receptive_field": kernel_size + (layers - 1) * (kernel_size - 1) * stride,
        "over_first": parameters / (kernel_size**2 * first),
        "arithmetic": flops * parameters / device.half,
        "time": time(inputs, first) + (layers - 1) * time(output, later),
        "kernels": {"kernel": list(sizes), "flops": [flops * k**2 * taps for k in sizes]},
    }


@conv_stack.figure
def draw(result, ax):
    from kernels import plot

    plot.lines(ax, result["kernels"], labels={"flops": ""}, x_label="kernel size", y_label="FLOP")
    size = result.parameters["kernel_size"]
    marked = sorted({3, size}) if size <= 31 else [3]
    for k in marked:
        flops = result["kernels"].lines["flops"][k // 2].value
        if k % 2:
            plot.mark(ax, k, flops, f"{k}×{k}: {plot.show(flops, 'FLOP')}", where="left above" if k > 8 else "above")
