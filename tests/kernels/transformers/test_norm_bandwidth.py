import os
import re
import subprocess
import sys

import pytest

torch = pytest.importorskip("torch")

from triton_here import DEVICE, needs_triton

from kernels import KernelError, plot, precision, timing
from kernels.library.machines._devices import DEVICES
from kernels.library.transformers import norm_bandwidth as file
from kernels.library.transformers.norm_bandwidth import NORMS, WAYS, norm_bandwidth
from kernels.record import Result

pytest_plugins = ("pretended_gpu", "rehearsed")

functional = torch.nn.functional
ORACLES = {
    "layer": lambda x, weight, bias: functional.layer_norm(x, x.shape[-1:], weight, bias, file.EPSILON),
    "rms": lambda x, weight, bias: functional.rms_norm(x, x.shape[-1:], weight, file.EPSILON),
}


def made_up():  # not measured: numbers to draw with
    seconds = dict(zip([f"{n}_{w}" for n in NORMS for w in WAYS], (5.1e-4, 6.0e-5, 5.2e-5, 4.8e-5, 3.9e-4, 5.6e-5, 5.1e-5, 4.7e-5)))
    moved = 2 * 8192 * 4096 * 2
    return {
        **{name: timing.Spread(t, 0.99 * t, 1.02 * t) for name, t in seconds.items()},
        **{f"{name}_bandwidth": moved / t for name, t in seconds.items()},
        **{f"{name}_of_copy": 4.5e-5 / t for name, t in seconds.items()},
        **{f"{name}_error": 2e-3 for name in seconds},
        **{f"layer_over_rms_{way}": seconds[f"layer_{way}"] / seconds[f"rms_{way}"] for way in WAYS},
        "copy_time": 4.5e-5,
        "copy_bandwidth": moved / 4.5e-5,
        "moved": moved,
        "sweep": {"columns": [1024, 4096], **{name: [moved / t] * 2 for name, t in seconds.items()}, "copy": [2.9e12] * 2},
    }


@pytest.mark.parametrize("norm", NORMS)
@pytest.mark.parametrize("dtype", file.LIMITS)
@pytest.mark.parametrize("way", ["eager", "library"])
def test_each_way_is_the_norm(way, dtype, norm):
    x, weight, bias = file.inputs(33, 384, dtype, "cpu")
    exact = ORACLES[norm](x.double(), weight.double(), bias.double())
    precision.error_against(exact, file.prepared(way, norm, x, weight, bias)(), file.LIMITS[dtype])
    assert precision.error_against(exact, file.eager(norm, x.double(), weight.double(), bias.double())) < 1e-14  # the kernel's own reference


def test_without_mean_subtraction_it_is_not_layer_norm():
    x, weight, bias = file.inputs(33, 384, "fp32", "cpu")
    with pytest.raises(KernelError, match="off its reference"):
        precision.error_against(file.eager("layer", x, weight, bias), file.eager("rms", x, weight, bias), 0.1)


@needs_triton
@pytest.mark.parametrize("norm", NORMS)
@pytest.mark.parametrize("dtype", file.LIMITS)
@pytest.mark.parametrize(("rows", "columns", "programs"), [(3, 4096, 0), (7, 384, 0), (1, 256, 0), (40, 256, 2), (5, 8192, 2), (2, 5120, 0)])
def test_the_fused_kernel_computes_the_norm(norm, dtype, rows, columns, programs):
    x, weight, bias = file.inputs(rows, columns, dtype, DEVICE)
    out = torch.full_like(x, torch.nan)
    file.fused(norm, x, weight, bias, programs=programs, out=out)
    limit = file.LIMITS[dtype] * (2 if dtype == "bf16" and DEVICE == "cpu" else 1)  # the interpreter cuts to bf16 where a GPU rounds
    precision.error_against(ORACLES[norm](x.double(), weight.double(), bias.double()), out, limit)


COMPILE = """
from triton.backends.compiler import GPUTarget
from triton.compiler import ASTSource, compile
from kernels.library.transformers.norm_bandwidth import norm_rows

function = norm_rows()
tensors, sizes = ("x", "weight", "bias", "y"), ("COLUMNS", "BLOCK", "ROWS", "LAYER", "AHEAD")
signature = {**dict.fromkeys(tensors, "*bf16"), "rows": "i32", "epsilon": "fp32", **dict.fromkeys(sizes, "constexpr")}
aligned = {(function.arg_names.index(name),): [["tt.divisibility", 16]] for name in tensors}
for layer, ahead in ((True, True), (False, False)):
    source = ASTSource(function, signature, dict(zip(sizes, (4096, 4096, 1, layer, ahead))), aligned)
    print(compile(source, target=GPUTarget("cuda", 90, 32), options={"num_warps": 8}).asm["ptx"])
"""


@needs_triton
def test_the_fused_kernel_compiles_for_hopper_with_16_byte_accesses():
    environment = {name: value for name, value in os.environ.items() if name != "TRITON_INTERPRET"}
    ptx = subprocess.run([sys.executable, "-c", COMPILE], env=environment, capture_output=True, text=True, check=True).stdout
    assert ptx.count(".target sm_90") == 2
    accesses = re.findall(r"\b(?:ld|st)\.global\S*", ptx)
    assert accesses and all(".v4." in access for access in accesses), accesses


@pytest.mark.parametrize("norm", NORMS)
def test_the_compiled_norm_traces_whole(norm):
    explained = torch._dynamo.explain(file.eager)(norm, *file.inputs(4, 256, "bf16", "cpu"))
    assert explained.graph_count == 1 and explained.graph_break_count == 0


@needs_triton
def test_its_rehearsal(rehearse):
    result = rehearse.within_memory(norm_bandwidth)
    assert result["moved"] == 2 * 64 * 256 * 2
    assert rehearse.expected(norm_bandwidth, result, "h100") == DEVICES["h100"].bandwidth
    assert result["sweep"].x == (256,) and set(result["sweep"].lines) == {*(f"{n}_{w}" for n in NORMS for w in WAYS), "copy"}


def test_times_become_bandwidths_and_shares(pretended_gpu, monkeypatch):
    monkeypatch.setattr(file, "COLUMNS", (512,))
    monkeypatch.setattr(file, "fused", lambda norm, x, weight, bias, **_: file.eager(norm, x, weight, bias))
    monkeypatch.setattr(file, "compiled", lambda: file.eager)
    result = norm_bandwidth(rows=64, columns=256)
    assert result["rms_fused_of_copy"] == pytest.approx(result["rms_fused_bandwidth"] / result["copy_bandwidth"])
    assert result["rms_fused"] * result["rms_fused_bandwidth"] == pytest.approx(result["moved"])


def test_the_figure_of_a_made_up_record():
    drawn = plot.draw(norm_bandwidth, Result("norm_bandwidth", "measurement", norm_bandwidth.bind({}), norm_bandwidth.checked(made_up())))
    assert "RMS fused: 47 µs" in drawn.alt
