import pytest

torch = pytest.importorskip("torch")

from triton_here import needs_triton

from kernels import KernelError, plot, timing
from kernels.library.machines._devices import DEVICES
from kernels.library.transformers import norm_bandwidth as norms
from kernels.library.transformers import norm_time_share as file
from kernels.library.transformers.norm_time_share import norm_time_share
from kernels.record import Result

pytest_plugins = ("pretended_gpu", "rehearsed")

SHARES = {
    "flops_share": (0.98, 0.019, 0.0001, 0.0009),
    "time_share": (0.62, 0.09, 0.11, 0.18),
    "time_share_fused": (0.69, 0.1, 0.015, 0.195),
}  # not measured: numbers to draw with


def made_up():
    shares = {f"{part}_{what}": share for what, shares in SHARES.items() for part, share in zip(file.PARTS, shares)}
    times = {"block_time": timing.Spread(6e-3, 5.9e-3, 6.1e-3), "block_time_fused": 5.4e-3, "parts_over_block": 1.02}
    return {**shares, **times, "ceiling": 7e14, "matmul_of_ceiling": 0.95}


def test_the_block_computes_and_counts():
    block = file.Block(tokens=96, width=256, dtype="fp32", device="cpu")
    assert (block.batch, block.length, block.ffn) == (1, 96, 768)
    norm = norms.prepared("eager", "rms", *norms.inputs(96, 256, "fp32", "cpu"))
    assert block.forward(norm).shape == (96, 256)
    assert set(block.parts(norm)) == set(file.PARTS) == set(file.block_flops(96, 256))
    from torch.utils.flop_counter import FlopCounterMode

    with FlopCounterMode(display=False) as counter:
        block.parts(norm)["matmul"]()
    assert counter.get_total_flops() == file.block_flops(96, 256)["matmul"]
    assert file.Block(8, 4096, "bf16", "meta").ffn == 11008  # Llama 7B


def test_rotary_turns_pairs_and_keeps_their_length():
    block = file.Block(tokens=16, width=256, dtype="fp32", device="cpu")
    turned = block.rotary(block.q)
    assert torch.allclose(turned.norm(dim=-1), block.q.norm(dim=-1), rtol=1e-5)
    assert torch.allclose(turned[:, :, 0], block.q[:, :, 0])  # the first position is not turned


@needs_triton
def test_its_rehearsal(rehearse):
    result = rehearse.within_memory(norm_time_share)
    assert result["norms_flops_share"] < 0.01
    assert (
        rehearse.expected(norm_time_share, result, "h100") > file.block_flops(128, 256)["matmul"] / DEVICES["h100"].half
        and rehearse.expected(norm_time_share, result, "gtx-0") is None
    )


def test_shares_add_up(pretended_gpu, monkeypatch):
    monkeypatch.setattr(norms, "fused", lambda norm, x, weight, bias, **_: norms.eager(norm, x, weight, bias))
    result = norm_time_share(tokens=128, width=256)
    for what in SHARES:
        assert sum(result[f"{part}_{what}"] for part in file.PARTS) == pytest.approx(1)
    assert result["norms_flops_share"] < 0.01


def test_a_width_without_whole_heads_is_refused(pretended_gpu):
    with pytest.raises(KernelError, match="multiple of 128"):
        norm_time_share(width=300)


def test_the_figure_of_a_made_up_record():
    drawn = plot.draw(norm_time_share, Result("norm_time_share", "measurement", norm_time_share.bind({}), norm_time_share.checked(made_up())))
    assert drawn.alt == "norms, of FLOP: 0.01 %; of time, op by op: 11 %; of time, fused: 1.5 %."
