"""ResNets against the parameter counts that torchvision publishes for its pretrained weights."""

from __future__ import annotations

import pytest

from kernels.library.finetuning.resnet_head import resnet_head


@pytest.mark.parametrize("depth, parameters", [(18, 11_689_512), (34, 21_797_672), (50, 25_557_032), (101, 44_549_160), (152, 60_192_808)])
def test_parameters_with_1000_classes(depth, parameters):
    assert resnet_head(depth=depth)["total_before"] == resnet_head(depth=depth, classes=1000)["total"] == parameters


def test_the_head_of_ten_classes_is_a_linear_layer():
    torch = pytest.importorskip("torch")
    got = resnet_head()
    assert got["features"] == 2048
    assert got["head"] == sum(p.numel() for p in torch.nn.Linear(2048, 10).parameters())
    assert got["total"] - got["head"] == got["total_before"] - got["head_before"] == got["backbone"]
