import pytest

from kernels import plot
from kernels.library.inference.decode_roofline import decode_roofline
from kernels.library.inference.speculative_roofline import speculative_roofline
from kernels.library.inference.speculative_speedup import speculative_speedup


def test_checking_five_positions_reads_the_same_bytes():
    got = speculative_roofline()
    assert got["verify_ratio"] == 1  # memory sets both
    assert got["verify_arithmetic"] == pytest.approx(5 * got["target_arithmetic"]) and got["verify_arithmetic"] < got["target_time"] / 50


@pytest.mark.oracle("speculative_roofline", "Leviathan et al. 2023, arXiv 2211.17192, theorem 3.8")
@pytest.mark.parametrize("gpus", [1, 2, 8])
def test_with_its_cost_ratio_it_is_theorem_3_8(gpus):
    got = speculative_roofline(target_gpus=gpus, acceptance=0.7)
    plain = speculative_speedup(acceptance=0.7, draft_tokens=4, cost_ratio=got["cost_ratio"])
    assert got["speedup"] == pytest.approx(plain["speedup"]) and got["break_even"] == pytest.approx(plain["break_even"])


def test_the_cost_ratio_by_hand():
    """Bytes of weights and of 1,024 tokens of cache: 80 layers, 8 key-value heads of 128; 16 layers, 8 heads of 64."""
    large = 2 * (70_553_706_496 - 128_256 * 8192) + 1024 * 2 * 80 * 8 * 128 * 2
    small = 2 * 1_235_814_400 + 1024 * 2 * 16 * 8 * 64 * 2
    got = speculative_roofline()
    assert got["cost_ratio"] == pytest.approx(small / large, rel=1e-6)
    assert speculative_roofline(target_gpus=8)["cost_ratio"] == pytest.approx(8 * got["cost_ratio"])


def test_what_a_pass_takes_beyond_bytes_counts_for_both():
    slow = speculative_roofline(overhead=1e-3)
    step = decode_roofline(model="llama-3-70b", context=1024)["time"]
    assert slow["target_time"] == pytest.approx(step + 1e-3) and slow["cost_ratio"] > 2 * speculative_roofline()["cost_ratio"]


def test_the_figure():
    assert "break-even" in plot.draw(speculative_roofline, speculative_roofline(target_gpus=8)).alt
