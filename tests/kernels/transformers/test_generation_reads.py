import pytest

from kernels import plot
from kernels.library.models._models import SHAPES
from kernels.library.transformers.generation_reads import generation_reads
from kernels.results import KernelError


@pytest.mark.parametrize("answer, prompt, batch", [(1, 0, 1), (7, 3, 1), (50, 1000, 4)])
@pytest.mark.oracle("generation_reads", "a loop over the steps, with keys and values counted head by head")
def test_the_steps_added_up(answer, prompt, batch):
    s = SHAPES["llama-3-8b"]
    vectors = 2 * 2 * s.head_dim * s.kv_heads * s.layers  # bytes of a token
    read, cached = 0, prompt
    for _ in range(answer):
        read += batch * vectors * cached
        cached += 1
    got = generation_reads(model="llama-3-8b", answer=answer, prompt=prompt, batch=batch)
    assert got["cache"] == read and got["last_step"] == batch * vectors * (cached - 1)
    assert got["weights"] == answer * 2 * (8_030_261_248 - s.vocab * s.d_model)  # the input embedding is looked up


def test_where_cache_and_weights_are_equal():
    got = generation_reads(model="llama-3-8b")
    same = generation_reads(model="llama-3-8b", answer=round(got["equal_answer"]))
    assert same["cache"] == pytest.approx(same["weights"], rel=1e-4) and got["doubling"] == pytest.approx(4, rel=1e-3)
    step = generation_reads(model="llama-3-8b", answer=1, prompt=round(got["equal_context"]))
    assert step["cache"] == pytest.approx(step["weights"], rel=1e-4) and step["cache_share"] == pytest.approx(0.5, rel=1e-4)
    assert "weights" in plot.draw(generation_reads, got).alt
    with pytest.raises(KernelError, match="dense"):
        generation_reads(model="mixtral-8x7b")
