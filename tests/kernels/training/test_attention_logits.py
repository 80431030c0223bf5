import math

import pytest

torch = pytest.importorskip("torch")

from kernels import plot
from kernels.library.training.attention_logits import QUERIES, attention_logits


@pytest.mark.parametrize("std", [0.0, 0.5, 1.0, 1.5])
def test_below_the_collapse_the_entropy_is_known(std):
    got = attention_logits(logit_std=std)
    assert got["entropy"] == pytest.approx(math.log(2048) - std**2 / 2, abs=0.05) == pytest.approx(got["predicted"], abs=0.05)


def test_beyond_it_few_keys_are_left():
    stats = pytest.importorskip("scipy.stats")
    got = attention_logits(logit_std=20.0)
    assert got["keys"] < 2 and got["largest"] > 0.7
    noise = torch.randn(QUERIES, 64, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    want = stats.entropy(torch.softmax(3 * noise, 1).numpy(), axis=1).mean()
    assert attention_logits(keys=64, logit_std=3.0)["entropy"] == pytest.approx(want)


def test_the_bound_is_reached_by_equal_directions():
    q = torch.nn.functional.rms_norm(torch.randn(128, generator=torch.Generator().manual_seed(0)), (128,))
    assert (q @ q).item() / 128**0.5 == pytest.approx(attention_logits()["bound"], rel=1e-5)
    assert "keys" in plot.draw(attention_logits, attention_logits()).alt
