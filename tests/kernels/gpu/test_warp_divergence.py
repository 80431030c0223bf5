import shutil
import subprocess

import pytest

torch = pytest.importorskip("torch")

from kernels import KernelError, nvrtc, plot
from kernels.library.gpu import warp_divergence as file
from kernels.library.gpu.warp_divergence import warp_divergence
from kernels.library.gpu.warp_divergence_cost import warp_divergence_cost
from kernels.library.machines._devices import DEVICES
from kernels.record import Result

pytest_plugins = ("rehearsed",)

needs_compiler = pytest.mark.skipif(not (shutil.which("g++") or shutil.which("clang++")), reason="no C++ compiler here")


@pytest.fixture
def branch(rehearse):
    """The CUDA C++, thread by thread, through the host's own compiler."""
    return nvrtc.function(file.source(), "branch")


def test_the_closed_form_is_the_loop():
    x, path = torch.randn(64, dtype=torch.float64), torch.arange(64) % 32
    y = x.clone()
    for _ in range(48):
        a, b = zip(*(file.coefficients(p) for p in path.tolist()))
        y = y * torch.tensor(a, dtype=torch.float64) + torch.tensor(b, dtype=torch.float64)
    assert torch.allclose(file.reference(x, path, 48), y, rtol=1e-13)


def test_coefficients_are_exact_in_fp32():
    for path in range(file.PATHS):
        for value in file.coefficients(path):
            assert torch.tensor(value, dtype=torch.float32).item() == value


@needs_compiler
@pytest.mark.parametrize("steps", [16, 4096])
def test_the_cuda_code_computes_its_paths(branch, steps):
    x = torch.randn(1000)
    for path in (file.by_lane(32, 1000, "cpu"), file.assigned("random", 1000, "cpu")):
        error = file.checked(lambda *given: file.launch(branch, *given), x, path, steps)
        assert error < file.LIMIT


@needs_compiler
def test_a_wrong_number_of_steps_shows(branch):
    x, path = torch.randn(1000), file.by_lane(32, 1000, "cpu")
    with pytest.raises(KernelError, match="off its reference"):
        file.checked(lambda x, path, out, steps: file.launch(branch, x, path, out, steps - 256), x, path, 4096)


def test_assignments_of_threads_to_paths():
    def paths_in_a_warp(path):
        return {len(set(warp)) for warp in path.view(-1, file.WARP).tolist()}

    made = {name: file.assigned(name, 2**14, "cpu") for name in ("uniform", "by_warp", "halves", "alternating", "random", "sorted")}
    assert paths_in_a_warp(made["uniform"]) == paths_in_a_warp(made["by_warp"]) == {1}
    assert paths_in_a_warp(made["halves"]) == paths_in_a_warp(made["alternating"]) == {2}
    for name in ("by_warp", "halves", "alternating"):
        assert made[name].sum() == 2**13
    assert made["random"].sum() == made["sorted"].sum()
    assert 0.45 < made["random"].float().mean() < 0.55
    for ways in file.WAYS:
        assert paths_in_a_warp(file.by_lane(ways, 2**10, "cpu")) == {ways}


@pytest.mark.skipif(shutil.which("nvcc") is None, reason="nvcc is not here")
def test_the_cuda_code_keeps_32_separate_loops_for_hopper(tmp_path):
    (tmp_path / "branch.cu").write_text(file.source())
    subprocess.run(["nvcc", "-arch=sm_90", "-ptx", "branch.cu", "-o", "branch.ptx"], cwd=tmp_path, check=True)
    ptx = (tmp_path / "branch.ptx").read_text()
    assert ptx.count("fma.rn.f32") >= file.PATHS * file.UNROLL
    constants = {torch.tensor(file.coefficients(p)[0]).view(torch.int32).item() for p in range(file.PATHS)}
    assert all(f"0f{constant:08X}" in ptx for constant in constants) and len(constants) == file.PATHS  # none chosen from a table


def test_nvrtc_compiles_it():
    try:
        nvrtc.library()
    except KernelError as missing:
        pytest.skip(str(missing))
    assert nvrtc.compiled(file.source(), "sm_90").startswith(b"\x7fELF")


@needs_compiler
def test_its_numbers_follow_from_the_times(rehearse):
    result, peak = rehearse(warp_divergence)
    assert result["alternating_slowdown"] == 1.0 and 0 < result["error"] < file.LIMIT
    assert result["rate"] == pytest.approx(2 * 2**16 * 64 / result["uniform"])
    assert result["short_of_copy"] == pytest.approx(result["short_bandwidth"] / result["ceiling"])
    assert [n.value for n in result["ways"].lines["expected"]] == [1, 2, 4, 32]
    assert [n.value for n in result["shares"].lines["expected"]] == [warp_divergence_cost(probability=p)["slowdown"] for p in (0.01, 0.5)]
    assert rehearse.expected(warp_divergence, result, "h100") == DEVICES["h100"].peak["fp32"]
    assert rehearse.expected(warp_divergence, result, "gtx-0") is None


@needs_compiler
def test_it_needs_the_memory_that_it_declares(rehearse):
    result, peak = rehearse(warp_divergence, threads=2**18, WAYS=(1, 2, 4, 8, 16, 32), SHARES=file.SHARES)
    assert peak / 1.1 < rehearse.needed(warp_divergence, result) < 2.2 * peak


def made_up():  # not measured: numbers to draw with
    seconds = {"uniform": 5e-4, "by_warp": 5e-4, "halves": 1e-3, "alternating": 1e-3, "random": 1e-3, "sorted": 5.1e-4}
    others = [name for name, declared in warp_divergence.outputs.items() if isinstance(declared, str) and name not in seconds]
    curve = {"measured": [1.0, 2.0], "expected": [1.0, 2.0]}
    return {**seconds, **dict.fromkeys(others, 1.5), "ways": {"ways": [1, 2], **curve}, "shares": {"share": [0.01, 0.5], **curve}}


def test_the_figure_of_a_made_up_record():
    result = Result("warp_divergence", "measurement", warp_divergence.bind({}), warp_divergence.checked(made_up()))
    drawn = plot.draw(warp_divergence, result)
    assert "every other lane: 1 ms" in drawn.alt.replace("\N{NO-BREAK SPACE}", " ")
