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


def test_the_move_of_a_tiny_step_is_its_first_order():
    """The loss falls by the step times the gradients' sum of magnitudes; half the step moves the output half as far."""
    one, half = (file.probe("pre", 4, 16, 8, True, 0, step)[4] for step in (1e-6, 5e-7))
    assert one == pytest.approx(2 * half, rel=1e-3) and file.probe("pre", 4, 16, 8, True, 0)[4] == 0


def test_the_norms_place_matters_to_a_small_step_and_not_to_one_that_changes_everything():
    ratios = [file.probe("post", 16, 128, 8, True, 0, step)[4] / file.probe("pre", 16, 128, 8, True, 0, step)[4] for step in (1e-6, 1e-3)]
    assert ratios[0] > 2 and ratios[1] < 1.5


def test_depth_lowers_the_gradient_before_the_norm_alone_and_the_output_moves_less():
    for seed in range(2):
        found = norm_placement(layers=24, width=32, seed=seed)
        assert found["post_top"] > 3 * found["pre_top"] and found["pre_top"] < 0.7 * found["pre_top_shallow"]
        assert found["post_moved"] > found["pre_moved"] and found["post_moved_shallow"] > found["pre_moved_shallow"]
        assert found["post_cosine"] < found["pre_cosine"]


def test_the_figure():
    assert "post-norm" in plot.draw(norm_placement, norm_placement(layers=8)).alt
