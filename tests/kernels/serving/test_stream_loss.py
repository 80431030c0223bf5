"""Head-of-line blocking against packets that are sent, lost and sent again one by one."""

import random

import pytest

from kernels import plot
from kernels.library.serving.stream_loss import stream_loss


def played(streams, rate, loss, repair, packets=200_000):
    """Packets of all streams at random times on one connection; each is handed on when all before it are there."""
    dice, sent, ready, late = random.Random(5), 0.0, 0.0, 0
    for _ in range(packets):
        sent += dice.expovariate(streams * rate)
        there = sent + (repair if dice.random() < loss else 0.0)
        ready = max(ready, there)
        late += ready > sent + 1e-12
    return late / packets


@pytest.mark.oracle("stream_loss", "packets handed on in order, drawn one by one")
@pytest.mark.parametrize(("streams", "rate", "loss", "repair"), [(100, 50.0, 0.004, 0.05), (10, 50.0, 0.01, 0.1), (1, 50.0, 0.02, 0.05)])
def test_packets_in_order(streams, rate, loss, repair):
    got = stream_loss(streams=streams, rate=rate, loss=loss, repair=repair)
    assert got["shared"] == pytest.approx(played(streams, rate, loss, repair), rel=0.1)
    assert got["own"] == pytest.approx(stream_loss(streams=1, rate=rate, loss=loss, repair=repair)["shared"])


def test_the_ends():
    assert stream_loss(loss=0)["shared"] == 0 and stream_loss(loss=0.5, streams=100_000, rate=1e5)["shared"] == 1
    assert stream_loss(streams=1)["times"] == 1


def test_the_figure():
    assert "shared" in plot.draw(stream_loss, stream_loss()).alt
