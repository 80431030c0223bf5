"""A protocol's gain on a whole request against partial_speedup, which reads Amdahl's law backwards."""

import pytest

from kernels import plot
from kernels.library.gpu.partial_speedup import partial_speedup
from kernels.library.serving.serialisation_share import serialisation_share


@pytest.mark.oracle("serialisation_share", "Amdahl's law read backwards: from the gain back to the protocol's share of the time")
@pytest.mark.parametrize(("slow", "fast", "model"), [(1e-3, 2e-4, 0.5), (0.02, 1e-3, 0.001), (1e-3, 5e-4, 0.01)])
def test_backwards_to_the_share(slow, fast, model):
    got = serialisation_share(slow=slow, fast=fast, model=model)
    assert partial_speedup(faster=slow / fast, overall=got["gain"])["share"] == pytest.approx(slow / (slow + model))
    assert 1 / (1 - got["saved_share"]) == pytest.approx(got["gain"])


def test_the_ends():
    assert serialisation_share(model=0)["gain"] == pytest.approx(5) and serialisation_share(model=1e4)["gain"] == pytest.approx(1, abs=1e-6)
    two = serialisation_share()["doubles_below"]
    assert serialisation_share(model=two)["gain"] == pytest.approx(2)
    assert serialisation_share(slow=1e-3, fast=1e-3)["doubles_below"] == 0


def test_the_figure():
    assert "no gain" in plot.draw(serialisation_share, serialisation_share()).alt
