"""CUDA C++ compiled at run time; it needs NVRTC, which comes with torch's CUDA wheels, and to launch it a GPU."""

import shutil

import pytest

torch = pytest.importorskip("torch")

from kernels import KernelError, nvrtc

pytest_plugins = ("rehearsed",)

ADD = 'extern "C" __global__ void add(float* x, int n) { int t = blockIdx.x * blockDim.x + threadIdx.x; if (t < n) x[t] += n; }'


def has_nvrtc():
    try:
        return bool(nvrtc.library())
    except KernelError:
        return False


needs_nvrtc = pytest.mark.skipif(not has_nvrtc(), reason="NVRTC is not here (it comes with torch's CUDA wheels)")


@needs_nvrtc
def test_it_gives_machine_code():
    assert nvrtc.compiled(ADD, "sm_90").startswith(b"\x7fELF")


@needs_nvrtc
def test_what_does_not_compile_says_why():
    with pytest.raises(KernelError, match=r"(?s)for sm_90.*undefined"):
        nvrtc.compiled(ADD.replace("n)", "m)"), "sm_90")


@pytest.mark.skipif(has_nvrtc(), reason="NVRTC is here")
def test_without_nvrtc_it_says_what_to_install():
    with pytest.raises(KernelError, match="pip install nvidia-cuda-nvrtc"):
        nvrtc.library()


needs_compiler = pytest.mark.skipif(not (shutil.which("g++") or shutil.which("clang++")), reason="no C++ compiler here")


@needs_compiler
def test_in_a_rehearsal_it_runs_on_the_host(rehearse):
    x = torch.ones(1000)
    nvrtc.function(ADD, "add")(4, 256, x, 999)
    assert (x[:999] == 1000).all() and x[999] == 1


@needs_compiler
def test_what_does_not_compile_on_the_host_says_why(rehearse, monkeypatch):
    monkeypatch.setattr(nvrtc, "_nvrtc", lambda: None)
    with pytest.raises(KernelError, match="does not compile the CUDA C"):
        nvrtc.function(ADD.replace("n)", "m)"), "add")


def test_without_a_compiler_there_is_no_rehearsal(rehearse, monkeypatch):
    monkeypatch.setattr(nvrtc.shutil, "which", lambda name: None)
    with pytest.raises(KernelError, match="there is none here"):
        nvrtc.function(ADD, "add")


@pytest.mark.skipif(not torch.cuda.is_available(), reason="torch sees no GPU here")
def test_it_runs():
    x = torch.ones(1000, device="cuda")
    nvrtc.function(ADD, "add")(4, 256, x, 1000)
    assert (x == 1001).all()
