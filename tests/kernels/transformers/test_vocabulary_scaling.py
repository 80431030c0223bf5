"""embedding_share, scaling_bend, kaplan_chinchilla and new_token_init."""

import math

import pytest

from kernels import plot
from kernels.library.models.model_shape import model_shape
from kernels.library.transformers import kaplan_chinchilla as kc
from kernels.library.transformers.embedding_share import embedding_share
from kernels.library.transformers.new_token_init import new_token_init
from kernels.library.transformers.scaling_bend import scaling_bend


@pytest.mark.oracle("embedding_share", "GPT-2's released parameters")
def test_gpt2_within_its_biases_and_norms():
    shape = model_shape(model="gpt2")
    result = embedding_share(d_model=768, layers=12, vocab=50257)
    assert result["total"] == pytest.approx(shape["parameters"] - 1024 * 768, rel=2e-3)
    assert result["embedding"] == shape["embedding"] - 1024 * 768


def test_half_at_the_equal_width():
    width = embedding_share(d_model=1, layers=12, vocab=144 * 100)["equal_width"]
    assert width == 100
    assert embedding_share(d_model=100, layers=12, vocab=14400)["share"] == 0.5


def test_without_a_vocabulary_nothing_bends():
    flat = scaling_bend(vocab=1)
    assert flat["slope_fitted"] == pytest.approx(0.076, rel=1e-3) and flat["ratio"] == pytest.approx(1, rel=2e-3)


def test_the_bend():
    bend = scaling_bend()
    assert bend["slope_body"] == pytest.approx(0.076) and bend["slope_fitted"] > bend["slope_large"] > 0.076 and bend["ratio"] < 1


@pytest.mark.oracle("scaling_bend", "numpy.polyfit on the ladder")
def test_numpy_fits_the_ladder_alike():
    """Thirteen shapes, layers by width, typed here a second time."""
    np = pytest.importorskip("numpy")
    depths, widths = [4, 6, 6, 8, 10, 12, 24, 24, 24, 32, 32, 40, 80], [128, 256, 384, 512, 640, 768, 1024, 1536, 2048, 2560, 4096, 5120, 10240]
    body = 12.0 * np.array(depths) * np.array(widths) ** 2.0
    x, y = np.log(body + 5000 * np.array(widths)), -0.1 * np.log(body)
    for fitted in (6, 12):
        slope, level = np.polyfit(x[:fitted], y[:fitted], 1)
        bend = scaling_bend(alpha=0.1, vocab=5000, fitted=fitted)
        assert bend["slope_fitted"] == pytest.approx(-slope, rel=1e-9)
        assert bend["predicted"] == pytest.approx(math.exp(level + slope * x[-1]), rel=1e-9)
        assert bend["slope_steepest"] == pytest.approx((-np.diff(y) / np.diff(x)).max(), rel=1e-9)
        assert bend["slope_large"] == pytest.approx(-(y[-1] - y[-2]) / (x[-1] - x[-2]), rel=1e-9)
        assert bend.outputs["ladder"].values("fit")[3] == pytest.approx(math.exp(level + slope * x[3]), rel=1e-9)


@pytest.mark.parametrize("size", [1e4, 1e7, 1e10])
def test_the_best_size_found_by_search(size):
    budget = kc.compute(size)

    def loss(log_n):
        n = math.exp(log_n)
        return kc.A / kc.total(n) ** kc.ALPHA + kc.B / (budget / (6 * n)) ** kc.BETA

    best = min((math.log(size) + i / 1000 for i in range(-2000, 2001)), key=loss)
    assert math.exp(best) == pytest.approx(size, rel=2e-2)


def test_pearce_and_song_s_limits():  # section 3: b / (a/3 + b) for small models, b / (a + b) for large ones, 0.78 between in their fit
    low, high = kc.BETA / (kc.ALPHA / 3 + kc.BETA), kc.BETA / (kc.ALPHA + kc.BETA)
    assert kc.local(1.0) == pytest.approx(low, rel=1e-2) and kc.local(1e14) == pytest.approx(high, rel=1e-3)
    assert kc.kaplan_chinchilla()["without"] == pytest.approx(0.78, abs=0.02)


def test_the_mean_row_keeps_jensen_s_bound():
    pytest.importorskip("torch")
    result = new_token_init(vocab=500, contexts=50)
    assert result["below_bound"] == 1 and result["mean_loss"] <= result["loss_bound"]
    assert new_token_init(vocab=500, contexts=50, spread=0.0)["mean_probability"] == pytest.approx(1 / 501)  # all logits equal
    assert result["noise_probability"] > 0.9


@pytest.mark.parametrize("kernel,parameters", [(embedding_share, {"d_model": 768, "layers": 12}), (scaling_bend, {}), (kc.kaplan_chinchilla, {})])
def test_the_figures(kernel, parameters):
    assert plot.draw(kernel, kernel(**parameters)).alt
