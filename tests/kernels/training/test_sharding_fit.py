"""Oracle: 16 bytes a parameter by hand, and the ZeRO paper's figure 1 through zero_memory."""

import pytest

from kernels.library.training.sharding_fit import sharding_fit
from kernels.library.training.zero_memory import zero_memory


def test_70b():
    got = sharding_fit(parameters=70e9, gpus=8)
    assert got["total"] == 1120e9 and got["per_gpu"] == 140e9 and got["least_gpus"] == 14
    assert got["weights"] == 140e9 and got["weights_gpus"] == 2
    assert got["largest"] == 8 * 81559 * 2**20 / 16
    assert list(got["sizes"].values("state")) == [14e9, 26e9, 60e9, 140e9]


@pytest.mark.parametrize("parameters, gpus", [(7.5e9, 64), (13e9, 4), (70e9, 1024)])
def test_it_is_zero_3(parameters, gpus):
    got = sharding_fit(parameters=int(parameters), gpus=gpus)
    assert got["per_gpu"] == pytest.approx(zero_memory(parameters=int(parameters), gpus=gpus, stage=3)["per_gpu"])


@pytest.mark.oracle("sharding_fit", "Rajbhandari et al. 2019, ZeRO, arXiv 1910.02054, figure 1")
def test_the_figure_1_of_the_paper():
    assert sharding_fit(parameters=7.5e9, gpus=64)["per_gpu"] == pytest.approx(1.9e9, rel=0.02)


def test_the_largest_just_fits():
    largest = sharding_fit(parameters=1, gpus=8)["largest"]
    assert sharding_fit(parameters=int(largest), gpus=8)["least_gpus"] == 8
    assert sharding_fit(parameters=int(largest) + 1000, gpus=8)["least_gpus"] == 9
