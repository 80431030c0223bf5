import pytest

from kernels import plot
from kernels.library.transformers.evidence_position import evidence_position


@pytest.mark.oracle("evidence_position", "arXiv 2307.03172, tables 6 and 1, as public copies of them print it")
@pytest.mark.parametrize(
    "model, percent", [("gpt-3.5-turbo", (75.8, 57.2, 53.8, 55.4, 63.2, 56.1, 88.3)), ("claude-1.3", (59.9, 55.9, 56.8, 57.2, 60.1, 48.3, 76.1))]
)
def test_the_published_accuracies(model, percent):
    got = evidence_position(model=model)
    names = ("first", "fifth", "middle", "fifteenth", "last", "closed", "oracle")
    assert [100 * got[name] for name in names] == pytest.approx(percent)
    assert 100 * got["drop"] == pytest.approx(percent[0] - percent[2]) and got["sweep"].values("accuracy") == [got[n] for n in names[:5]]
    assert "no document" in plot.draw(evidence_position, got).alt
