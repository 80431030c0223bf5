import pytest

from kernels.library.machines._devices import DEVICES
from kernels.library.machines.data_sheet import data_sheet


@pytest.mark.parametrize("gpu", DEVICES)
def test_every_gpu_has_a_sheet(gpu):
    sheet = data_sheet(gpu=gpu)
    assert sheet["ridge"] == pytest.approx(sheet["half"] / sheet["bandwidth"]) and sheet["bus"] <= sheet["link"]


def test_an_h100_as_it_is_printed():
    """NVIDIA's data sheet: 989 and 67 TFLOP/s, 3.35 TB/s, 900 GB/s of NVLink in both directions, 50 MB of L2; nvidia-smi: 81,559 MiB."""
    sheet = data_sheet()
    assert (sheet["half"], sheet["fp32"]) == (pytest.approx(989e12, rel=1e-3), pytest.approx(67e12, rel=3e-3))
    assert sheet["bandwidth"] == pytest.approx(3.35e12, rel=1e-3) and 2 * sheet["link"] == 900e9
    assert sheet["memory"] == 81559 * 2**20 and sheet["cache"] == 50 * 2**20
