import pytest

from kernels import plot
from kernels.library.machines._devices import DEVICES
from kernels.library.machines.roofline import OPERATIONS, roofline, work


def test_the_ridges_of_the_data_sheets():
    ridges = {gpu: round(roofline(operation="add", gpu=gpu)["ridge"]) for gpu in ("v100", "a100", "h100", "h200", "b200", "mi300x")}
    assert ridges == {"v100": 139, "a100": 153, "h100": 295, "h200": 206, "b200": 281, "mi300x": 246}


def test_work_against_counts_made_otherwise():
    torch = pytest.importorskip("torch")
    from torch.utils.flop_counter import FlopCounterMode

    with FlopCounterMode(display=False) as counter:
        torch.empty(16, 256, device="meta") @ torch.empty(256, 256, device="meta")
    assert counter.get_total_flops() == work("gemm_16", 64, 256)[0]
    tensors = [torch.empty(shape, dtype=torch.bfloat16) for shape in ((16, 256), (256, 256), (16, 256))]
    assert sum(t.nbytes for t in tensors) == work("gemm_16", 64, 256)[1]
    q, k = torch.empty(2, 2, 32, 128, device="meta"), torch.empty(2, 2, 32, 128, device="meta")
    with FlopCounterMode(display=False) as counter:
        (q @ k.transpose(-2, -1)) @ k
    assert counter.get_total_flops() == 2 * work("prefill_attention", 64, 256)[0]  # causal: half


def test_intensities_that_the_text_books_give():
    assert roofline(operation="decode_attention")["intensity"] == 1  # multi-head, two bytes
    assert roofline(operation="gemv")["intensity"] == pytest.approx(1, rel=1e-3)
    assert roofline(operation="add")["intensity"] == pytest.approx(1 / 6)
    assert roofline(operation="gemm_8192")["intensity"] == pytest.approx(8192 / 3)
    assert roofline(operation="gemm_8192")["of_peak"] == 1
    assert roofline(operation="gemv")["time"] == pytest.approx(2 * 8192**2 / 3.35e12, rel=1e-3)
    assert all(roofline(operation=name)["attainable"] <= DEVICES["h100"].half for name in OPERATIONS)


def test_heads_that_share_a_cache_raise_its_intensity():
    """FLOP of a torch attention with repeated heads, bytes of the cache as it lies."""
    torch = pytest.importorskip("torch")
    from torch.utils.flop_counter import FlopCounterMode

    heads, shared, positions, head = 64, 8, 256, 128
    q = torch.empty(1, heads // shared, shared, head, device="meta")
    k, v = (torch.empty(1, heads // shared, positions, head, device="meta", dtype=torch.float32) for _ in range(2))
    with FlopCounterMode(display=False) as counter:
        (q @ k.transpose(-2, -1)) @ v
    assert counter.get_total_flops() / (k.numel() + v.numel()) / 2 == shared  # bytes are two a value
    assert roofline(operation="decode_attention", shared=shared)["intensity"] == shared
    c, q = torch.empty(positions, 576, device="meta"), torch.empty(128, 576, device="meta")
    with FlopCounterMode(display=False) as counter:
        (q @ c.t()) @ c[:, :512]
    assert roofline(operation="mla_attention")["intensity"] == pytest.approx(counter.get_total_flops() / (2 * c.numel()))


def test_the_figure():
    assert "295 FLOP/B" in plot.draw(roofline, roofline(operation="softmax")).alt.replace("\xa0", " ")
