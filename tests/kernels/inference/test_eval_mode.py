import pytest

pytest.importorskip("torch")

from kernels import plot
from kernels.library.inference.eval_mode import eval_mode


def test_what_eval_switches_and_what_it_leaves():
    got = eval_mode()
    assert (got["eval_has_graph"], got["no_grad_has_graph"], got["eval_children_switched"], got["lone_vector_refused"]) == (1, 0, 1, 1)
    assert got["eval_dropout_difference"] == got["eval_company_difference"] == got["eval_statistics_moved"] == 0
    assert got["train_dropout_difference"] > 0.01 and got["no_grad_dropout_difference"] > 0.01 and got["train_company_difference"] > 0.01


def test_batch_norm_by_hand():
    got = eval_mode(offset=5.0)
    assert got["train_lone_mean"] == pytest.approx(0, abs=1e-5)  # its own mean is taken off
    assert got["eval_lone_mean"] == pytest.approx(5, abs=0.1)  # running mean 0, variance 1: as it came
    assert got["train_statistics_moved"] == pytest.approx(0.1 * 5, abs=0.03)  # momentum 0.1


def test_without_dropout_the_output_repeats():
    assert eval_mode(dropout=0.0)["train_dropout_difference"] == 0


def test_the_figure():
    assert "in eval mode it never changes" in plot.draw(eval_mode, eval_mode()).alt
