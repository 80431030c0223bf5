"""Oracles: theorem 1 of arXiv 2002.04745 (constant, and one over the root of the depth), and the closed form without attention."""

import pytest

torch = pytest.importorskip("torch")

from kernels import plot
from kernels.library.transformers import norm_placement as file
from kernels.library.transformers.norm_placement import norm_placement


def mean(place, layers, seeds, **settings):
    rows = [file.probe(place, layers, 32, 16, settings.get("attention", False), seed) for seed in seeds]
    return [sum(values) / len(rows) for values in zip(*rows)]


@pytest.mark.parametrize("layers", [4, 12])
def test_without_attention_the_closed_form(layers):
    pre, post = (mean(place, layers, range(4)) for place in ("pre", "post"))
    grown = 1 + 8 / 25 * layers
    assert pre[2] == pytest.approx(grown, rel=0.1)
    assert pre[0] / post[0] == pytest.approx(((1 + 8 / 25) / grown) ** 0.5, rel=0.1)
    assert pre[3] == pytest.approx(((grown - 8 / 25) / grown) ** 0.5, rel=0.02)
    assert post[2] == pytest.approx(1, abs=1e-3)


def test_theorem_1():
    shallow, deep = ([mean(place, layers, range(2), attention=True)[0] for place in ("pre", "post")] for layers in (4, 16))
    assert shallow[0] / deep[0] == pytest.approx(2, rel=0.3)
    assert shallow[1] / deep[1] == pytest.approx(1, rel=0.3)


def test_a_deep_post_norm_model_has_no_smaller_gradient():
    found = norm_placement(draws=12)
    assert found["post_top"] > 0.9 * found["post_top_shallow"]
    assert found["post_top"] > 4 * found["pre_top"]


def test_the_figure():
    assert "post-norm" in plot.draw(norm_placement, norm_placement(layers=8, draws=1)).alt
