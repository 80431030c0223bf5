"""Nodes of GPUs and the network between them: one row a system, two levels.

Inside a node every GPU reaches the others at its own link's rate (NVLink through switches). Between nodes a GPU has its share of the node's network
cards: a ring through one card is as slow as that card, and as many rings as there are cards, each with its part of the data, use them all.

DGX H100, H200 and B200: NVIDIA DGX BasePOD reference architecture, "Core Components" (eight single-port ConnectX-7 of up to 400 Gbit/s), opened on
28 November 2026. DGX A100: NVIDIA DGX A100 data sheet (eight single-port ConnectX-6 of 200 Gbit/s), as quoted elsewhere. Cards for storage and
management are left out.
"""

from dataclasses import dataclass

from kernels.library.machines._devices import DEVICES, Device

GBIT = 1e9 / 8  # B/s of a gigabit a second


@dataclass(frozen=True)
class Cluster:
    """Equal nodes. Bandwidths count one direction, in B/s."""

    device: Device
    gpus: int  # in a node
    cards: int  # network cards of a node, for traffic between GPUs
    card: float  # B/s of one card

    @property
    def inside(self) -> float:
        """Of one GPU, to the others of its node."""
        return self.device.link

    @property
    def across(self) -> float:
        """Of one GPU, to other nodes, when all GPUs of its node send and all cards are used."""
        return self.node / self.gpus

    @property
    def node(self) -> float:
        """Of a whole node, to other nodes, through all its cards."""
        return self.cards * self.card


CLUSTERS = {
    #                            GPUs of a node    cards, B/s of one
    "dgx-a100": Cluster(DEVICES["a100"], gpus=8, cards=8, card=200 * GBIT),
    "dgx-h100": Cluster(DEVICES["h100"], gpus=8, cards=8, card=400 * GBIT),
    "dgx-h200": Cluster(DEVICES["h200"], gpus=8, cards=8, card=400 * GBIT),
    "dgx-b200": Cluster(DEVICES["b200"], gpus=8, cards=8, card=400 * GBIT),
}
