"""Two kinds of requests before one server against Lindley's recursion and the formula in its other form."""

import math
import random

import pytest

from kernels import KernelError, plot
from kernels.library.serving.mg1_wait import mg1_wait
from kernels.library.serving.mixed_wait import mixed_wait


@pytest.mark.oracle("mixed_wait", "Lindley's recursion on drawn arrivals and services")
@pytest.mark.parametrize(("rate", "short", "long", "share"), [(10.0, 0.02, 0.2, 0.1), (2.0, 0.1, 0.5, 0.3)])
def test_the_wait_of_drawn_requests(rate, short, long, share):
    dice, total, wait, n = random.Random(1), 0.0, 0.0, 300_000
    for _ in range(n):
        total += wait
        service = long if dice.random() < share else short
        wait = max(0.0, wait + service - dice.expovariate(rate))
    assert mixed_wait(rate=rate, short=short, long=long, share=share)["wait"] == pytest.approx(total / n, rel=0.05)


@pytest.mark.parametrize("share", [0.0, 0.02, 0.5, 1.0])
def test_the_other_form(share):
    mean, square = 0.9 * share + 0.1 * (1 - share), 0.81 * share + 0.01 * (1 - share)
    got = mixed_wait(rate=0.6, short=0.1, long=0.9, share=share)
    assert got["wait"] == pytest.approx(mg1_wait(rate=0.6, service=mean, cv=math.sqrt(square / mean**2 - 1) if 0 < share < 1 else 0.0)["wait"])
    assert got["utilisation"] == pytest.approx(0.6 * mean)


def test_overload_is_refused():
    with pytest.raises(KernelError, match="below 1"):
        mixed_wait(rate=40.0)


def test_the_figure():
    assert "long" in plot.draw(mixed_wait, mixed_wait()).alt
