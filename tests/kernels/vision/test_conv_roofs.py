"""What convolutions cost by formula, against torch's own counts and a roofline worked out apart."""

import pytest

torch = pytest.importorskip("torch")

from torch.utils.flop_counter import FlopCounterMode

from kernels.library.vision.conv_blocks import BLOCKS, conv_blocks
from kernels.library.vision.conv_cost import block
from kernels.library.vision.conv_stack import conv_stack

PEAK, BANDWIDTH = 989.4e12, 3.352e12  # of an H100 SXM, by its data sheet


def modules(layers):
    return [torch.nn.Conv2d(c, out, k, stride, k // 2, groups=groups, bias=False, device="meta") for c, out, k, stride, groups in layers]


def roof(convolutions, x):
    """(seconds, FLOP): each layer the longer of torch's counted FLOP at peak and its tensors once, two bytes a value."""
    seconds, flops = 0.0, 0
    for layer in convolutions:
        with FlopCounterMode(display=False) as counter:
            y = layer(x)
        moved = 2 * (x.numel() + y.numel() + sum(p.numel() for p in layer.parameters()))
        seconds += max(counter.get_total_flops() / PEAK, moved / BANDWIDTH)
        flops += counter.get_total_flops()
        x = y
    return seconds, flops


@pytest.mark.parametrize("name", BLOCKS)
def test_blocks_at_their_roofs(name):
    found = conv_blocks(channels=256)
    layers = modules(block(name, 256))
    seconds, flops = roof(layers, torch.empty(32, 256, 56, 56, device="meta"))
    assert found[name] == sum(p.numel() for layer in layers for p in layer.parameters()) == flops / (2 * 32 * 56**2)
    assert found[f"{name}_time"] == pytest.approx(seconds, rel=2e-3)


@pytest.mark.parametrize(("k", "stride", "layers"), [(31, 1, 1), (3, 1, 1), (7, 2, 1), (3, 1, 3)])
def test_a_first_layer_at_its_roof(k, stride, layers):
    convolutions = modules([(3, 64, k, stride, 1), *[(64, 64, k, 1, 1)] * (layers - 1)])
    seconds, flops = roof(convolutions, torch.empty(1, 3, 216, 384, device="meta"))
    found = conv_stack(kernel_size=k, channels_in=3, stride=stride, layers=layers, height=216, width=384)
    assert found["flops"] == flops and found["time"] == pytest.approx(seconds, rel=2e-3)


def test_training_holds_every_tensor_and_its_gradient():
    x = torch.ones(2, 8, 16, 16, dtype=torch.bfloat16, requires_grad=True)
    layer = torch.nn.Conv2d(8, 8, 3, padding=1, bias=False, dtype=torch.bfloat16)
    y = layer(x)
    y.retain_grad()
    y.sum().backward()
    tensors = [x, y, layer.weight]
    assert conv_stack(kernel_size=3, channels_in=8, channels=8, height=16, width=16, batch=2)["training"] == sum(
        t.nbytes + t.grad.nbytes for t in tensors
    )
