import pytest

from kernels.library.rag.training_compression import training_compression


@pytest.mark.oracle("training_compression", "Allen-Zhu and Li's 14 billion bits for 7 billion parameters, scaled")
def test_fourteen_billion_bits_for_seven_billion_parameters():
    """arXiv 2404.05405, abstract: a 7B model can store 14B bits; 8,030,261,248 is the parameter count on Llama 3 8B's model card."""
    got = training_compression()
    assert got["capacity"] * 8 == pytest.approx(14e9 * 8_030_261_248 / 7e9)
    assert got["per_parameter"] == pytest.approx(15e12 / 8_030_261_248)
    assert got["ratio"] == pytest.approx(15e12 * 4 / (8_030_261_248 / 4))
