"""The head against torch; the parameter counts that torchvision publishes stand in published.yml."""

from __future__ import annotations

import pytest

from kernels.library.finetuning.resnet_head import resnet_head


def test_the_head_of_ten_classes_is_a_linear_layer():
    torch = pytest.importorskip("torch")
    got = resnet_head()
    assert got["features"] == 2048
    assert got["head"] == sum(p.numel() for p in torch.nn.Linear(2048, 10).parameters())
    assert got["total"] - got["head"] == got["total_before"] - got["head_before"] == got["backbone"]
