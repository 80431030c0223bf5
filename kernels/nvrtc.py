"""CUDA C++ compiled while a measurement runs: source in, a function that launches a kernel of it out.

Through NVRTC, which torch's own CUDA wheels bring along, and the driver's interface, both by ctypes: neither nvcc nor a
package beyond torch is needed. Apart from timing.py because only a few measurements depend on it.

On the CPU, where measurements are rehearsed, NVRTC compiles the source all the same, for a Hopper GPU, if it is installed (pip install
nvidia-cuda-nvrtc); what runs is the same source through the host's C++ compiler, thread after thread. So a rehearsal covers syntax, types,
indices, bounds and results, and not what threads do to one another, nor loading and launching by the driver.
"""

from __future__ import annotations

import ctypes
import importlib.util
import shutil
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from kernels import timing
from kernels.results import KernelError

REHEARSED = "sm_90"


def function(source: str, name: str) -> Callable[..., None]:
    """The kernel `name`, declared extern "C" in `source`, as launch(grid, block, *arguments) on torch's current stream.

    An argument is a tensor on the device (its address) or an int (as C int). Raises KernelError with the compiler's log.
    """
    started = _on_the_host(source, name) if timing.device() == "cpu" else _on_the_gpu(source, name)

    def launch(grid: int, block: int, *arguments: Any) -> None:
        values = [ctypes.c_int(a) if isinstance(a, int) else ctypes.c_void_p(a.data_ptr()) for a in arguments]
        started(grid, block, (ctypes.c_void_p * len(values))(*[ctypes.addressof(v) for v in values]))

    return launch


def _on_the_gpu(source: str, name: str) -> Callable[[int, int, Any], None]:
    import torch

    major, minor = torch.cuda.get_device_capability()
    torch.empty(1, device="cuda")  # makes torch's context the current one
    driver = _driver()
    module, found = ctypes.c_void_p(), ctypes.c_void_p()
    image = compiled(source, f"sm_{major}{minor}")
    _check(driver, driver.cuModuleLoadData(ctypes.byref(module), image), "loading the compiled code")
    _check(driver, driver.cuModuleGetFunction(ctypes.byref(found), module, name.encode()), f"looking for {name}")

    def start(grid: int, block: int, arguments: Any) -> None:
        stream = ctypes.c_void_p(torch.cuda.current_stream().cuda_stream)
        _check(driver, driver.cuLaunchKernel(found, grid, 1, 1, block, 1, 1, 0, stream, arguments, None), f"launching {name}")

    return start


HOST = """
#include <cstddef>
#include <utility>
#define __global__
static struct {{ int x; }} gridDim, blockIdx, blockDim, threadIdx;
{source}
template <class... A, std::size_t... I>
static void each(void (*kernel)(A...), void** given, std::index_sequence<I...>) {{
    for (blockIdx.x = 0; blockIdx.x < gridDim.x; ++blockIdx.x)
        for (threadIdx.x = 0; threadIdx.x < blockDim.x; ++threadIdx.x) kernel(*static_cast<A*>(given[I])...);
}}
template <class... A> static void all(void (*kernel)(A...), void** given) {{ each(kernel, given, std::index_sequence_for<A...>()); }}
extern "C" void start(int grid, int block, void** given) {{ gridDim.x = grid; blockDim.x = block; all({name}, given); }}
"""


def _on_the_host(source: str, name: str) -> Callable[[int, int, Any], None]:
    """One thread after another, so that no kernel may wait for its block. Raises KernelError where there is no C++ compiler."""
    if _nvrtc():
        compiled(source, REHEARSED)
    compiler = next(filter(None, map(shutil.which, ("g++", "clang++"))), None)
    if compiler is None:
        raise KernelError("CUDA C++ is rehearsed through the host's compiler, and there is none here (g++ or clang++)")
    with tempfile.TemporaryDirectory(prefix="kernels-") as folder:
        file, shared = Path(folder, "kernel.cpp"), Path(folder, "kernel.so")
        file.write_text(HOST.format(source=source, name=name), encoding="utf-8")
        done = subprocess.run([compiler, "-std=c++17", "-O1", "-w", "-shared", "-fPIC", file, "-o", shared], capture_output=True, text=True)
        if done.returncode != 0:
            raise KernelError(f"{Path(compiler).name} does not compile the CUDA C++:\n{done.stderr.strip()}")
        return ctypes.CDLL(str(shared)).start


def compiled(source: str, architecture: str) -> bytes:
    """Machine code (a cubin) of CUDA C++ for "sm_90" and the like. Needs no GPU. Raises KernelError where it does not compile."""
    nvrtc = library()
    program, size = ctypes.c_void_p(), ctypes.c_size_t()
    _check_nvrtc(nvrtc, nvrtc.nvrtcCreateProgram(ctypes.byref(program), source.encode(), b"kernel.cu", 0, None, None))
    try:
        options = (ctypes.c_char_p * 1)(f"--gpu-architecture={architecture}".encode())
        if nvrtc.nvrtcCompileProgram(program, 1, options) != 0:
            nvrtc.nvrtcGetProgramLogSize(program, ctypes.byref(size))
            log = ctypes.create_string_buffer(max(1, size.value))
            nvrtc.nvrtcGetProgramLog(program, log)
            raise KernelError(f"NVRTC does not compile the CUDA C++ for {architecture}:\n{log.value.decode(errors='replace').strip()}")
        _check_nvrtc(nvrtc, nvrtc.nvrtcGetCUBINSize(program, ctypes.byref(size)))
        image = ctypes.create_string_buffer(size.value)
        _check_nvrtc(nvrtc, nvrtc.nvrtcGetCUBIN(program, image))
        return image.raw
    finally:
        nvrtc.nvrtcDestroyProgram(ctypes.byref(program))


def library() -> Any:
    """NVRTC itself: the one that torch's version of CUDA loads, else any in the nvidia wheels. Raises KernelError where there is none."""
    if found := _nvrtc():
        return found
    raise KernelError("NVRTC, which compiles CUDA C++ at run time, is not here (pip install nvidia-cuda-nvrtc, or a torch built for CUDA)")


def _nvrtc() -> Any | None:
    import torch

    for builtins in _in_wheels("libnvrtc-builtins.so.*"):  # NVRTC opens it by its name alone, which finds what is loaded already
        _loaded(builtins)
    major = (torch.version.cuda or "").split(".")[0]
    names = [f"libnvrtc.so.{major}"] * bool(major) + ["libnvrtc.so", "libnvrtc.so.13", "libnvrtc.so.12"]
    wheels = sorted(_in_wheels("libnvrtc.so.*"), key=lambda file: not file.endswith(f".{major}"))
    return next(filter(None, map(_loaded, names + wheels)), None)


def _in_wheels(pattern: str) -> list[str]:
    """Libraries that the nvidia wheels brought along, in each of their folders."""
    wheels = importlib.util.find_spec("nvidia")
    folders = sorted(map(str, wheels.submodule_search_locations or ())) if wheels else []
    return [str(file) for folder in folders for file in sorted(Path(folder).glob(f"*/lib/{pattern}"))]


def _loaded(name: str) -> Any | None:
    try:
        return ctypes.CDLL(name)
    except OSError:
        return None


def _driver() -> Any:
    try:
        return ctypes.CDLL("libcuda.so.1")
    except OSError as error:
        raise KernelError(f"the CUDA driver cannot be loaded: {error}") from error


def _check(driver: Any, status: int, doing: str) -> None:
    if status != 0:
        text = ctypes.c_char_p()
        driver.cuGetErrorString(status, ctypes.byref(text))
        raise KernelError(f"the CUDA driver failed at {doing}: {(text.value or b'unknown error').decode()} ({status})")


def _check_nvrtc(nvrtc: Any, status: int) -> None:
    if status != 0:
        nvrtc.nvrtcGetErrorString.restype = ctypes.c_char_p
        raise KernelError(f"NVRTC failed: {nvrtc.nvrtcGetErrorString(status).decode()}")
