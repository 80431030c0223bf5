"""Korthikanti et al. 2022 (arXiv 2205.05198): the numbers of its text; and what torch's autograd really saves."""

import pytest

from kernels import KernelError, plot
from kernels.library.training.activation_memory import activation_memory


@pytest.mark.parametrize(
    ("width", "heads", "layers", "matrix_term", "saved"),
    [(12288, 96, 96, 80, 0.70), (20480, 128, 105, 64, 0.65)],  # GPT-3, MT-NLG: section 5
)
def test_the_papers_two_models(width, heads, layers, matrix_term, saved):
    got = activation_memory(width=width, heads=heads, layers=layers)
    assert got["naive_layer"] == (34 + matrix_term) * 2048 * width
    assert got["matrix_share"] == pytest.approx(saved, abs=0.005)  # "70 % and 65 %"
    assert got["selective"] == 34 * layers * 2048 * width
    assert got["checkpointed_layer"] == 2 * 2048 * width


def test_autograd_saves_as_much():
    pytest.importorskip("torch")
    from saved_tensors import saved_bytes

    from kernels.library.training import gradient_checkpointing as file

    width, layers, tokens, batch = 128, 3, 96, 2
    model, x = file.prepared(width, layers, tokens, batch, "bf16", "cpu")
    masks = 2 * tokens * batch * width * layers  # one byte each, on a GPU; none in eval mode, two bytes on a CPU
    expected = activation_memory(width=width, heads=width // 64, layers=layers, tokens=tokens, batch=batch)["flash"]
    assert saved_bytes(model.eval(), x) + masks == pytest.approx(expected, rel=0.01)


def test_segments_follow_the_square_root():
    got = activation_memory(width=1024, heads=16, layers=64)
    assert got["best_segment"] == 2 and got["segments"] < got["checkpointed"]  # sqrt(64 * 2 / 34) = 1.9


def test_heads_that_do_not_divide_are_refused():
    with pytest.raises(KernelError, match="multiple of the 3 heads"):
        activation_memory(width=1024, heads=3, layers=1)


def test_the_figure():
    assert "every layer checkpointed: 5.69 GB" in plot.draw(activation_memory, activation_memory(width=12288, heads=96, layers=96)).alt
