"""The table of devices against the numbers that the vendors publish."""

import pytest

from kernels.library.machines._devices import DEVICES, MIB, pcie

# Dense TFLOP/s and TB/s as data sheets and white papers print them; sparse figures halved.
PUBLISHED = {
    "v100": {"fp32": 15.7, "fp16": 125, "memory": 0.9},
    "a100": {"fp32": 19.5, "tf32": 156, "fp16": 312, "bf16": 312, "int8": 624, "int4": 1248, "memory": 2.039},
    "h100": {"fp32": 66.9, "tf32": 494.7, "fp16": 989.4, "bf16": 989.4, "fp8": 1978.9, "int8": 1978.9, "memory": 3.35},
    "h100-pcie": {"fp32": 51.2, "tf32": 378, "fp16": 756, "bf16": 756, "fp8": 1513, "int8": 1513, "memory": 2},
    "h200": {"fp32": 67, "tf32": 494.7, "fp16": 989.4, "bf16": 989.4, "fp8": 1979, "int8": 1979, "memory": 4.8},
    "b200": {"fp32": 80, "tf32": 1125, "fp16": 2250, "bf16": 2250, "fp8": 4500, "int8": 4500, "fp4": 9000, "memory": 8},
    "rtx-4090": {"fp32": 82.6, "tf32": 82.6, "fp16": 165.2, "bf16": 165.2, "fp8": 330.3, "int8": 660.6, "int4": 1321.2, "memory": 1.008},
    "a100-40gb": {"fp32": 19.5, "tf32": 156, "fp16": 312, "bf16": 312, "int8": 624, "int4": 1248, "memory": 1.555},
    "rtx-a6000": {"fp32": 38.7, "tf32": 77.4, "fp16": 154.8, "bf16": 154.8, "int8": 309.7, "int4": 619.3, "memory": 0.768},
    "rtx-3090": {"fp32": 35.6, "tf32": 35.6, "fp16": 71.2, "bf16": 71.2, "int8": 284.7, "int4": 569.4, "memory": 0.936},
    "rtx-3060": {"fp32": 12.74, "tf32": 12.74, "fp16": 25.5, "bf16": 25.5, "int8": 101.9, "int4": 203.8, "memory": 0.36},
    "mi300x": {"fp32": 163.4, "tf32": 653.7, "fp16": 1307.4, "bf16": 1307.4, "fp8": 2614.9, "int8": 2614.9, "memory": 5.3},
}
ROUNDED = {("h100-pcie", "memory"): 0.02, ("mi300x", "memory"): 0.005}  # printed with fewer digits than the rest


@pytest.mark.parametrize("name", DEVICES)
def test_what_follows_from_clocks_is_what_is_published(name):
    device = DEVICES[name]
    ours = {**device.peak, "memory": device.bandwidth}
    assert ours.keys() == PUBLISHED[name].keys()
    for what, printed in PUBLISHED[name].items():
        assert ours[what] / 1e12 == pytest.approx(printed, rel=ROUNDED.get((name, what), 3e-3)), what


@pytest.mark.parametrize(
    ("name", "ridge"), [("v100", 139), ("a100", 153), ("h100", 295), ("h100-pcie", 371), ("h200", 206), ("b200", 281), ("mi300x", 246)]
)
def test_the_ridges(name, ridge):
    assert round(DEVICES[name].ridge) == ridge


@pytest.mark.parametrize(("generation", "gigabytes"), [(3, 15.75), (4, 31.5), (5, 63)])
def test_pcie_of_sixteen_lanes(generation, gigabytes):
    assert pcie(generation) / 1e9 == pytest.approx(gigabytes, rel=1e-3)


@pytest.mark.parametrize(("name", "gigabytes"), [("v100", 150), ("a100", 300), ("h100", 450), ("h200", 450), ("b200", 900), ("mi300x", 448)])
def test_links_of_one_direction(name, gigabytes):
    assert DEVICES[name].link == gigabytes * 1e9


def test_memory_is_what_the_driver_reports():
    mib = {name: device.memory / MIB for name, device in DEVICES.items()}
    assert (mib["h100"], mib["h100-pcie"], mib["h200"], mib["b200"], mib["rtx-4090"]) == (81559, 81559, 143771, 183359, 24564)
    assert (mib["a100"], mib["a100-40gb"], mib["rtx-a6000"], mib["rtx-3090"], mib["rtx-3060"]) == (81920, 40960, 49140, 24576, 12288)
    assert all(size.is_integer() for size in mib.values())
