import pytest

from kernels import KernelError, plot
from kernels.library.retrieval.exact_search import exact_search
from kernels.library.retrieval.vector_memory import vector_memory


def test_one_query_reads_everything_once():
    one = exact_search()
    assert one["time"] == one["reading"] == vector_memory()["read_time"] == pytest.approx(1e6 * 768 * 4 / 3.352e12, rel=1e-3)
    assert one.outputs["time"].bound == "lower"


def test_many_queries_end_at_arithmetic():
    """By hand: 2 FLOP a component and query; 66.9 TFLOP/s in fp32, 494.7 in TF32."""
    many = exact_search(queries=64)
    assert many["time"] == pytest.approx(2 * 1e6 * 768 * 64 / 66.9e12, rel=2e-3) and many["over_one"] == pytest.approx(1.6, abs=0.02)
    assert exact_search(queries=64, dtype="tf32")["over_one"] == 1
    assert exact_search(dtype="tf32")["queries_even"] == pytest.approx(4 * 494.7e12 / 2 / 3.352e12, rel=1e-3)
    assert exact_search(dtype="bf16")["time"] == exact_search()["time"] / 2


def test_a_torch_product_has_these_flops():
    torch = pytest.importorskip("torch")
    from torch.utils.flop_counter import FlopCounterMode

    with FlopCounterMode(display=False) as counter:
        torch.empty(500, 96, device="meta") @ torch.empty(96, 7, device="meta")
    assert exact_search(vectors=500, dimension=96, queries=7)["arithmetic"] == pytest.approx(counter.get_total_flops() / 66.9e12, rel=2e-3)


def test_a_gpu_without_the_format_is_refused():
    with pytest.raises(KernelError, match="no rate for tf32"):
        exact_search(dtype="tf32", gpu="v100")


def test_the_figure():
    assert plot.draw(exact_search, exact_search()).alt
