"""A ResNet's memory against what torch's autograd saves of one, and against the published parameter count."""

import pytest

torch = pytest.importorskip("torch")

from torch import nn

from kernels.library.finetuning.resnet_head import BLOCKS
from kernels.library.vision.convnet_memory import convnet_memory, parameters, saved


class Block(nn.Module):
    def __init__(self, inputs, width, stride, kernel):
        super().__init__()
        self.first = nn.Sequential(nn.Conv2d(inputs, width, kernel, stride, kernel // 2, bias=False), nn.BatchNorm2d(width), nn.ReLU())
        self.second = nn.Sequential(nn.Conv2d(width, width, kernel, 1, kernel // 2, bias=False), nn.BatchNorm2d(width))
        projection = nn.Sequential(nn.Conv2d(inputs, width, 1, stride, bias=False), nn.BatchNorm2d(width))
        self.skip = projection if inputs != width else nn.Identity()

    def forward(self, x):
        return torch.relu(self.second(self.first(x)) + self.skip(x))


def resnet(depth, kernel):
    layers, channels = [nn.Conv2d(3, 64, 7, 2, 3, bias=False), nn.BatchNorm2d(64), nn.ReLU(), nn.MaxPool2d(3, 2, 1)], 64
    for stage, blocks in enumerate(BLOCKS[depth]):
        for block in range(blocks):
            layers.append(Block(channels, 64 * 2**stage, 2 if stage and not block else 1, kernel))
            channels = 64 * 2**stage
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(channels, 1000)).bfloat16()


@pytest.mark.parametrize("kernel", [3, 1])
@pytest.mark.parametrize("depth", [18, 34])
def test_parameters_and_saved_tensors_are_those_of_a_network(depth, kernel):
    model = resnet(depth, kernel)
    assert parameters(depth, kernel) == sum(p.numel() for p in model.parameters())
    own, kept = {p.data_ptr() for p in model.parameters()} | {b.data_ptr() for b in model.buffers()}, {}

    def keep(tensor):
        if tensor.data_ptr() not in own and tensor.dim() > 1:  # means and variances have one axis
            kept[tensor.data_ptr()] = tensor
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        model(torch.randn(2, 3, 64, 64, dtype=torch.bfloat16))
    assert sum(tensor.nbytes for tensor in kept.values()) == 2 * saved(depth, 64)


def test_a_resnet_34_has_the_published_parameters():
    found = convnet_memory()
    assert found["parameters"] == 21_797_672
    assert found["state"] == 16 * 21_797_672


def test_what_is_saved_shrinks_as_the_batch_grows():
    savings = [convnet_memory(batch=batch)["saving"] for batch in (1, 32, 256, 512)]
    assert savings == sorted(savings, reverse=True) and savings[0] > 0.7 and savings[-1] < 0.05
    found = convnet_memory(batch=32)
    assert found["saving"] == pytest.approx(1 - (found["state_1x1"] + found["activations"]) / found["total"])
