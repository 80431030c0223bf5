import pytest

torch = pytest.importorskip("torch")

from kernels import KernelError, plot, timing
from kernels.library.machines import matmul_rate as file
from kernels.library.machines._devices import DEVICES
from kernels.library.machines.matmul_rate import matmul_rate
from kernels.record import Result

pytest_plugins = ("pretended_gpu", "rehearsed")

MADE_UP = {  # not measured: numbers to draw with
    "rate": timing.Spread(7.9e14, 7.7e14, 8.0e14),
    "time": 1.39e-3,
    "ceiling": 8.1e14,
    "of_ceiling": 0.975,
    "error": 2e-3,
    "sweep": {"n": [256, 512, 1024, 2048, 4096, 8192], "bf16": [5e12, 3e13, 1.8e14, 5.2e14, 7.2e14, timing.Spread(7.9e14, 7.7e14, 8.0e14)]},
}


@pytest.mark.parametrize("dtype", file.LIMITS)
def test_the_product_is_right_to_the_dtypes_rounding(pretended_gpu, dtype):
    assert file.checked(128, dtype) <= file.LIMITS[dtype]


def test_a_wrong_product_is_not_timed(pretended_gpu, monkeypatch):
    monkeypatch.setattr(torch, "mm", lambda a, b, out: out.copy_(a))
    with pytest.raises(KernelError, match="off its reference"):
        file.checked(128, "fp32")


def test_its_rehearsal(rehearse):
    result = rehearse.within_memory(matmul_rate, dtype="fp32")
    assert result["error"] < 1e-5
    assert rehearse.expected(matmul_rate, result, "h100") == DEVICES["h100"].peak["fp32"] and rehearse.expected(matmul_rate, result, "gtx-0") is None


def test_times_become_rates(pretended_gpu):
    result = matmul_rate(n=300, dtype="fp32")
    assert result["sweep"].x == (256, 300) and set(result["sweep"].lines) == {"fp32"}
    assert result["rate"] * result["time"] == pytest.approx(2 * 300**3)
    assert result["of_ceiling"] == pytest.approx(result["rate"] / result["ceiling"])


def test_the_figure_of_a_made_up_record():
    drawn = plot.draw(matmul_rate, Result("matmul_rate", "measurement", matmul_rate.bind({}), matmul_rate.checked(MADE_UP)))
    assert "790\N{NO-BREAK SPACE}TFLOP/s at n = 8192" in drawn.alt
