"""What the data sheets say of memory, caches and links; peaks and bandwidths are test_devices.py's."""

import pytest

from kernels.library.machines._clusters import CLUSTERS
from kernels.library.machines._devices import DEVICES, MIB

# GPU: MiB as the driver prints them, MB of last-level cache, GB/s of all links one way, PCI Express generation with 16 lanes (the white papers)
PRINTED = {
    "v100": (32768, 6, 150, 3),
    "a100": (81920, 40, 300, 4),
    "a100-40gb": (40960, 40, 300, 4),
    "h100": (81559, 50, 450, 5),
    "h100-pcie": (81559, 50, 300, 5),
    "h200": (143771, 50, 450, 5),
    "b200": (183359, 126, 900, 5),
    "rtx-4090": (24564, 72, 31.5, 4),
    "rtx-a6000": (49140, 6, 56.25, 4),
    "rtx-3090": (24576, 6, 56.25, 4),
    "rtx-3060": (12288, 3, 31.5, 4),
    "mi300x": (196592, 256, 448, 5),
}
LANES = {3: 15.75, 4: 31.5, 5: 63.0}  # GB/s, one way


@pytest.mark.parametrize("name", DEVICES)
def test_memory_cache_and_links(name):
    device, (memory, cache, link, generation) = DEVICES[name], PRINTED[name]
    assert device.memory == memory * MIB
    assert device.cache / MIB == pytest.approx(cache, abs=0.5)
    assert device.link / 1e9 == pytest.approx(link, rel=1e-3)
    assert device.bus / 1e9 == pytest.approx(LANES[generation], rel=1e-3)


def test_a_node_s_cards_carry_what_its_gpus_share():
    for cluster in CLUSTERS.values():
        assert cluster.across * cluster.gpus == cluster.node == cluster.cards * cluster.card
