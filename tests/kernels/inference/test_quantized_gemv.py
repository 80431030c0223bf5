import os

import pytest

torch = pytest.importorskip("torch")

from triton_here import DEVICE, needs_triton

from kernels import KernelError, plot, precision
from kernels.library.inference import quantized_gemv as file
from kernels.library.inference.quantized_gemv import FORMATS, QUANTIZED, SHOWN, quantized_gemv
from kernels.record import Result

pytest_plugins = ("rehearsed",)


def made_up():  # not measured: numbers to draw with
    times = {"bf16": (3.2e-4, 3.4e-4), "int8": (1.7e-4, 3.0e-4), "int4": (1.0e-4, 2.8e-4)}
    sizes = {"bf16": 9.4e8, "int8": 4.8e8, "int4": 2.4e8}
    return {
        **{f"{name}_bytes": size for name, size in sizes.items()},
        **{f"{name}_time_{batch}": t for name in FORMATS for batch, t in zip(SHOWN, times[name])},
        **{f"{name}_speedup_{batch}": times["bf16"][i] / times[name][i] for name in QUANTIZED for i, batch in enumerate(SHOWN)},
        **{f"{name}_bandwidth": sizes[name] / times[name][0] for name in FORMATS},
        **{f"{name}_of_reading": 0.8 for name in FORMATS},
        **{f"{name}_error": 2e-3 for name in FORMATS},
        **{f"{name}_rounding": 0.1 for name in QUANTIZED},
        "ceiling": 3.0e12,
        "sweep": {"batch": [1, 16, 64, 256], **{name: [a, 1.1 * a, b, 2 * b] for name, (a, b) in times.items()}},
    }


@pytest.mark.parametrize("name", QUANTIZED)
def test_packing_loses_nothing_and_puts_weights_where_it_says(name):
    bits = QUANTIZED[name]
    q = torch.randint(-(2 ** (bits - 1)), 2 ** (bits - 1), (3, 1024), dtype=torch.int16)
    words = file.packed(q, bits)
    assert words.shape == (3, 1024 * bits // 32) and torch.equal(file.unpacked(words, bits), q)
    word = int(words[1, 4 * bits + 5]) & 0xFFFFFFFF  # word 5 of the second group
    assert [(word >> bits * i & (2**bits - 1)) - 2 ** (bits - 1) for i in range(32 // bits)] == [
        int(q[1, 128 + 5 + 4 * bits * i]) for i in range(32 // bits)
    ]


@pytest.mark.parametrize("name", QUANTIZED)
def test_no_weight_moves_further_than_half_a_step(name):
    w = torch.randn(16, 1024).bfloat16()
    words, scale = file.quantize(w, QUANTIZED[name])
    step = scale.double().repeat_interleave(file.GROUP, 1)
    assert ((file.dequantized(name, (words, scale)) - w.double()).abs() <= 0.51 * step).all()  # the scale itself is rounded to fp16


@needs_triton
@pytest.mark.parametrize("name", QUANTIZED)
@pytest.mark.parametrize(("batch", "tile", "warps"), [(1, 64, 4), (1, 32, 2), (1, 16, 4), (3, 64, 4), (65, 64, 4)])
def test_the_triton_product_is_the_product_with_the_stored_weights(name, batch, tile, warps):
    w, x = torch.randn(128, 1024, device=DEVICE).bfloat16() / 32, torch.randn(batch, 1024, device=DEVICE).bfloat16()
    stored = file.quantize(w, QUANTIZED[name])
    out = torch.full((batch, 128), torch.nan, dtype=x.dtype, device=DEVICE)
    file.product(name, x, *stored, tile=tile, warps=warps, out=out)
    precision.error_against(x.double() @ file.dequantized(name, stored).T, out, 2 * file.LIMIT)  # the interpreter cuts to bf16 where a GPU rounds


COMPILE = """
from triton.backends.compiler import GPUTarget
from triton.compiler import ASTSource, compile
from kernels.library.inference import quantized_gemv as file

one, many = file.one_row(), file.many_rows()
kinds = {"x": "*bf16", "y": "*bf16", "words": "*i32", "scale": "*fp16"}
for bits in (4, 8):
    for function, sizes in (
        (one, {"TILE": 64, "GROUPS": 16 // bits, "BITS": bits}),
        (many, {"TILE": 64, "BATCH": 64, "BITS": bits, "UNITS": file.tl.bfloat16}),
    ):
        names = function.arg_names
        signature = {n: kinds.get(n) or ("constexpr" if n in sizes else "i32") for n in names}
        aligned = {(names.index(n),): [["tt.divisibility", 16]] for n in names if n not in sizes and n != "batch"}
        ptx = compile(ASTSource(function, signature, sizes, aligned), target=GPUTarget("cuda", 90, 32), options={"num_warps": 4}).asm["ptx"]
        print(ptx)
"""


@needs_triton
def test_the_kernels_compile_for_hopper_and_read_weights_16_bytes_at_a_time():
    import re
    import subprocess
    import sys

    environment = {name: value for name, value in os.environ.items() if name != "TRITON_INTERPRET"}
    ptx = subprocess.run([sys.executable, "-c", COMPILE], env=environment, capture_output=True, text=True, check=True).stdout
    assert ptx.count(".target sm_90") == 4
    one_row = [part for part in ptx.split(".target sm_90") if "evict_first" in part]
    assert len(one_row) == 2 and all(re.search(r"evict_first\S*\.v4\.b32|evict_first.*v4", part) for part in one_row)


def test_a_size_that_does_not_divide_is_refused():
    with pytest.raises(KernelError, match="multiple of 1024"):
        quantized_gemv(rows=128, columns=1100)


def plain(name, x, words, scale, out=None, **_):
    return (x.double() @ file.dequantized(name, (words, scale)).T).to(x.dtype)


def test_its_numbers_follow_from_the_times(rehearse, monkeypatch):
    monkeypatch.setattr(file, "product", plain)
    result, _ = rehearse(quantized_gemv, rows=256, LIMIT=file.LIMIT)
    assert result["bf16_bytes"] == 256 * 1024 * 2
    assert result["int4_bytes"] == 256 * 1024 * (0.5 + 2 / 128) and result["int8_bytes"] == 256 * 1024 * (1 + 2 / 128)
    assert 0.005 < result["int8_rounding"] < 0.01 < 0.1 < result["int4_rounding"] < 0.14  # Gaussian groups of 128
    assert result["int4_of_reading"] == pytest.approx(result["int4_bandwidth"] / result["ceiling"]) and result["int4_speedup_64"] == 1
    assert rehearse.expected(quantized_gemv, result, "h100") == 16 / 4.125 and rehearse.expected(quantized_gemv, result, "gtx-0") is None


@pytest.mark.parametrize(("part", "checked"), [(512, 512), (2048, 512), (512, 4096)])
def test_it_needs_the_memory_that_it_declares(rehearse, monkeypatch, part, checked):
    monkeypatch.setattr(file, "product", lambda name, x, words, scale, out=None, **_: x.new_zeros(len(x), len(words)) if out is None else out.zero_())
    monkeypatch.setattr(file, "PART", part)
    monkeypatch.setattr(file, "CHECKED", checked)
    result, peak = rehearse(quantized_gemv, rows=4096, columns=2048, LIMIT=float("inf"))
    assert peak / 1.1 < rehearse.needed(quantized_gemv, result) < 2.2 * peak


def test_the_figure_of_a_made_up_record():
    drawn = plot.draw(quantized_gemv, Result("quantized_gemv", "measurement", quantized_gemv.bind({}), quantized_gemv.checked(made_up())))
    assert "int4" in drawn.alt and "100 µs" in drawn.alt
