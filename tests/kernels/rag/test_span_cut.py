import pytest

from kernels import KernelError, plot
from kernels.library.rag.span_cut import span_cut


@pytest.mark.oracle("span_cut", "every place of a long text, chunk by chunk")
@pytest.mark.parametrize("chunk, overlap, span", [(512, 50, 100), (64, 0, 20), (64, 32, 20), (20, 15, 18), (20, 5, 21), (20, 19, 20), (7, 3, 1)])
def test_every_place_of_a_long_text(chunk, overlap, span):
    """Spans that begin far from either end of the text, over a whole number of strides."""
    stride = chunk - overlap
    chunks = [(start, start + chunk) for start in range(0, 200 * stride + chunk, stride)]
    places = range(100 * stride, 110 * stride)
    whole = sum(any(low <= x and x + span <= high for low, high in chunks if low <= x < low + chunk) for x in places)
    got = span_cut(chunk=chunk, overlap=overlap, span=span)
    assert got["cut"] == pytest.approx(1 - whole / len(places))
    embedded, text = 200 * chunk, 200 * stride
    assert got["inflation"] == pytest.approx(embedded / text)


def test_the_ends():
    assert span_cut(span=100, overlap=99)["cut"] == 0 and span_cut(span=513)["cut"] == 1
    with pytest.raises(KernelError, match="less than chunk"):
        span_cut(chunk=50, overlap=50)
    assert "cut" in plot.draw(span_cut, span_cut()).alt
