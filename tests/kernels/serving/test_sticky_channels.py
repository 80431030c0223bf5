"""Idle servers against every way in which the connections can fall."""

import itertools

import pytest

from kernels import plot
from kernels.library.serving.sticky_channels import sticky_channels


@pytest.mark.oracle("sticky_channels", "all ways in which connections can fall, listed")
@pytest.mark.parametrize(("clients", "servers"), [(1, 1), (3, 4), (6, 4), (5, 3), (7, 2)])
def test_every_way_to_fall(clients, servers):
    ways = list(itertools.product(range(servers), repeat=clients))
    idle = [servers - len(set(way)) for way in ways]
    got = sticky_channels(clients=clients, servers=servers)
    assert got["idle"] == pytest.approx(sum(idle) / len(ways)) and got["all_busy"] == pytest.approx(idle.count(0) / len(ways))


def test_the_ends():
    assert sticky_channels(clients=1, servers=1)["idle"] == 0 and sticky_channels(clients=100_000, servers=1)["all_busy"] == 1
    assert sticky_channels(clients=100_000, servers=1000)["all_busy"] == pytest.approx(1, abs=1e-9)


def test_the_figure():
    assert "one connection each" in plot.draw(sticky_channels, sticky_channels()).alt
