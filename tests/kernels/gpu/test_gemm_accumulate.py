import os
import subprocess
import sys

import pytest

torch = pytest.importorskip("torch")

from triton_here import DEVICE, needs_triton

from kernels import KernelError, plot, precision, timing
from kernels.library.gpu import gemm_accumulate as file
from kernels.library.gpu.gemm_accumulate import WAYS, gemm_accumulate
from kernels.library.machines._devices import DEVICES
from kernels.record import Result

pytest_plugins = ("rehearsed",)


def made_up():  # not measured: numbers to draw with
    return {
        "fp32_error": 1e-6,
        "fp16_error": 2e-2,
        "bf16_error": 0.3,
        "library_error": 5e-4,
        "fp16_over_fp32": 2e4,
        **{f"{way}_time": timing.Spread(1e-4, 0.9e-4, 1.1e-4) for way in WAYS},
        "half_rate": 6e14,
        "single_rate": 5e13,
        "rate_gain": 12.0,
        "ceiling": 6.5e14,
        "of_ceiling": 0.92,
        "sweep": {"terms": [256, 4096, 65536], "fp32": [3e-7, 6e-7, 3e-6], "fp16": [1e-3, 4e-3, 0.3], "bf16": [6e-3, 3e-2, 0.8]},
    }


@pytest.mark.parametrize("way", WAYS)
def test_the_plain_sums_err_as_their_format_does(way):
    left, right = file.typed(*file.inputs(64, 2048, "fp16", "cpu"), way)
    error = precision.error_against(left.double() @ right.double(), file.summed(left, right, way))
    assert 2.0 ** -(24 if way == "fp32" else 12 if way == "fp16" else 9) < error < {"fp32": 2e-6, "fp16": 1e-2, "bf16": 5e-2}[way]


def test_a_bf16_sum_falls_behind():
    left, right = file.typed(*file.inputs(64, 65536, "fp16", "cpu"), "bf16")
    exact = left.double() @ right.double()
    assert precision.error_against(exact, file.summed(left, right, "bf16")) > 0.05
    assert precision.error_against(exact, file.summed(left, right, "fp32")) < 1e-5


@needs_triton
@pytest.mark.parametrize("way", WAYS)
def test_the_kernel_sums_as_plain_torch_does(way):
    left, right = file.typed(*file.inputs(128, 512, "fp16", DEVICE), way)
    limit = {"fp32": 1e-6, "fp16": 1e-2, "bf16": 1e-2 if DEVICE == "cuda" else 5e-2}[way]  # the interpreter cuts to bf16 where a GPU rounds
    assert precision.error_against(file.summed(left, right, way), file.product(left, right, way)) < limit


COMPILE = """
import re
import triton.language as tl
from triton.backends.compiler import GPUTarget
from triton.compiler import ASTSource, compile
from kernels.library.gpu.gemm_accumulate import program

function = program()
sizes = ("WAY", "BLOCK_M", "BLOCK_N", "BLOCK_K", "UNITS")
aligned = {(function.arg_names.index(name),): [["tt.divisibility", 16]] for name in ("a", "b", "c", "n", "k")}
for way, dtype in enumerate(("fp16", "fp16", "bf16")):
    signature = {"a": f"*{dtype}", "b": f"*{dtype}", "c": "*fp32", "n": "i32", "k": "i32", **dict.fromkeys(sizes, "constexpr")}
    source = ASTSource(function, signature, dict(zip(sizes, (way, 64, 64, 64, tl.bfloat16))), aligned)
    ptx = compile(source, target=GPUTarget("cuda", 90, 32), options={"num_warps": 4}).asm["ptx"]
    print(*sorted(set(re.findall(r"mma\\S*?k16[.](\\S+)", ptx))))
"""


@needs_triton
def test_on_hopper_the_tensor_cores_keep_the_sums_in_fp32_and_in_fp16():
    environment = {name: value for name, value in os.environ.items() if name != "TRITON_INTERPRET"}
    printed = subprocess.run([sys.executable, "-c", COMPILE], env=environment, capture_output=True, text=True, check=True).stdout
    assert printed.split() == ["f32.f16.f16", "f16.f16.f16", "f32.bf16.bf16"]


def test_its_numbers_follow_from_the_times(rehearse, monkeypatch):
    monkeypatch.setattr(file, "product", file.summed)
    result, _ = rehearse(gemm_accumulate)
    assert result["sweep"].x == (128, 256, 512)
    assert result["fp32_error"] < result["fp16_error"] < result["bf16_error"]
    assert result["of_ceiling"] == pytest.approx(result["half_rate"] / result["ceiling"])
    assert result["rate_gain"] == pytest.approx(result["half_rate"] / result["single_rate"])
    assert rehearse.expected(gemm_accumulate, result, "h100") == DEVICES["h100"].half and rehearse.expected(gemm_accumulate, result, "gtx-0") is None


@pytest.mark.parametrize(("k", "size", "terms"), [(16384, 64, (256,)), (128, 1024, (1024,))])
def test_it_needs_the_memory_that_it_declares(rehearse, monkeypatch, k, size, terms):
    monkeypatch.setattr(file, "product", lambda a, b, way: file.summed(a, b, way) if a.shape[1] <= file.CHECKED else a.float() @ b.float())
    result, peak = rehearse(gemm_accumulate, k=k, size=size, TERMS=terms)
    assert peak / 1.1 < rehearse.needed(gemm_accumulate, result) < 2.2 * peak


def test_terms_that_fill_no_block_are_refused():
    with pytest.raises(KernelError, match="multiples of 64 and 64"):
        gemm_accumulate(k=100)


def test_the_figure_of_a_made_up_record():
    drawn = plot.draw(gemm_accumulate, Result("gemm_accumulate", "measurement", gemm_accumulate.bind({}), gemm_accumulate.checked(made_up())))
    assert "at 16,384 terms" in drawn.alt
