"""The roofline of one latent-attention step against FLOP counted by torch and bytes counted by hand."""

import pytest

from kernels import plot
from kernels.library.inference.mla_step import mla_step
from kernels.library.machines._devices import DEVICES

H100 = DEVICES["h100"]


def test_bytes_by_hand():
    got = mla_step()
    latents, projections = 8 * 4096 * 576 * 2, 2 * 128 * 128 * 512 * 2
    assert got["latents"] == latents and got["absorbed"] == pytest.approx((latents + projections) / H100.bandwidth)
    kept = 8 * 4096 * (2 * 128 * 128 + 64) * 2
    assert got["kept_bytes"] == kept and got["kept"] == pytest.approx(kept / H100.bandwidth)


@pytest.mark.oracle("mla_step", "torch's FLOP counter on the rebuilding")
def test_rebuilding_takes_the_flop_that_torch_counts():
    torch = pytest.importorskip("torch")
    from torch.utils.flop_counter import FlopCounterMode

    from kernels.library.inference.mla_absorb import Layer

    with torch.device("meta"):
        layer = Layer(4096, 8, 128, 128, 512, 64, "bf16", "meta")
        with FlopCounterMode(display=False) as counter:
            layer.expanded()
    assert mla_step()["rebuilt"] == pytest.approx(counter.get_total_flops() / H100.half)


def test_a_kernel_of_its_own_for_rebuilding_costs_more():
    for tokens in (64, 4096):
        got = mla_step(tokens=tokens)
        assert got["absorbed"] < got["rebuilt"] < got["rebuilt_apart"]


def test_the_figure():
    assert "absorbed" in plot.draw(mla_step, mla_step()).alt
