"""embedding_share, scaling_bend, kaplan_chinchilla and new_token_init."""

import math

import pytest

from kernels import KernelError, plot
from kernels.library.models.model_shape import model_shape
from kernels.library.transformers import kaplan_chinchilla as kc
from kernels.library.transformers.embedding_share import embedding_share
from kernels.library.transformers.new_token_init import new_token_init
from kernels.library.transformers.scaling_bend import scaling_bend


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
    flat = scaling_bend(vocab=1, smallest=1e6)
    assert flat["slope_fitted"] == pytest.approx(1, rel=1e-3) and flat["needed"] == pytest.approx(1, rel=2e-2)


def test_the_local_slope_is_that_of_two_neighbours():
    near = scaling_bend(smallest=19.99e6, largest=20.01e6, fitted=2)
    assert near["slope_fitted"] == pytest.approx(near["slope_smallest"], rel=1e-3)
    tiny = scaling_bend(smallest=1e5, largest=2e5, target=1e18 / 1e3)
    assert tiny["slope_smallest"] == pytest.approx(3, rel=1e-3) and tiny["slope_target"] == pytest.approx(1, rel=1e-3)


def test_the_fit_is_numpy_s_over_widths_that_numpy_solves_for():
    np = pytest.importorskip("numpy")
    totals = np.geomspace(20e6, 140e6, 6)

    def blocks(total):
        roots = np.roots([12 / 128, 0, 128_256, -total])
        return 12 / 128 * float(roots[abs(roots.imag) < 1e-6].real[0]) ** 3

    line = np.polyfit(np.log(totals), np.log([blocks(n) ** -0.076 for n in totals]), 1)
    promised = math.exp(np.polyval(line, math.log(100e9)))
    bend = scaling_bend()
    assert bend["ratio"] == pytest.approx(promised / blocks(100e9) ** -0.076) and bend["slope_fitted"] == pytest.approx(-line[0] / 0.076)
    assert bend["needed"] == pytest.approx(promised ** (-1 / 0.076) / blocks(100e9))


def test_the_miss_in_parameters_is_the_same_for_every_exponent():
    results = [scaling_bend(alpha=alpha) for alpha in (0.05, 0.076, 0.35)]
    assert results[0]["needed"] == pytest.approx(results[2]["needed"]) == pytest.approx(results[1]["needed"])
    assert results[0]["ratio"] > results[1]["ratio"] > results[2]["ratio"]
    with pytest.raises(KernelError, match="rise"):
        scaling_bend(smallest=1e9)


@pytest.mark.parametrize("size", [1e4, 1e7, 1e10])
@pytest.mark.parametrize("law", kc.LAWS.values(), ids=list(kc.LAWS))
def test_the_best_size_found_by_search(size, law):
    budget = kc.compute(size, law)

    def loss(log_n):
        n = math.exp(log_n)
        return law.a / kc.total(n) ** law.alpha + law.b / (budget / (6 * n)) ** law.beta

    best = min((math.log(size) + i / 1000 for i in range(-2000, 2001)), key=loss)
    assert math.exp(best) == pytest.approx(size, rel=2e-2)


@pytest.mark.parametrize("constants,fitted", [("besiroglu", 0.78), ("hoffmann", 0.74)])
def test_pearce_and_song_s_limits(constants, fitted):  # section 3: b / (a/3 + b) for small models, b / (a + b) for large ones, between in their fit
    law = kc.LAWS[constants]
    low, high = law.beta / (law.alpha / 3 + law.beta), law.beta / (law.alpha + law.beta)
    assert kc.local(1.0, law) == pytest.approx(low, rel=1e-2) and kc.local(1e14, law) == pytest.approx(high, rel=1e-3)
    assert kc.kaplan_chinchilla(constants=constants)["without"] == pytest.approx(fitted, abs=0.02)


@pytest.mark.parametrize("shift", [-3.0, 0.0, 3.0])
def test_a_softmax_with_one_row_more(shift):
    torch = pytest.importorskip("torch")
    generator = torch.Generator().manual_seed(1)
    rows = torch.randn(500, 16, dtype=torch.float64, generator=generator)
    h = torch.randn(16, dtype=torch.float64, generator=generator)
    log_z = (rows @ h + shift).logsumexp(0).item()
    result = new_token_init(vocab=500, log_z=log_z)
    for new, logit in (("zero", 0.0), ("mean", (rows @ h + shift).mean().item())):
        p = torch.cat([rows @ h + shift, torch.tensor([logit], dtype=torch.float64)]).softmax(0)[-1].item()
        if new == "zero":
            assert result["zero_probability"] == pytest.approx(p) and result["zero_loss"] == pytest.approx(-math.log(1 - p))
        else:
            assert p <= result["mean_bound"]
    assert new_token_init(vocab=500, log_z=result["harmless_from"])["times"] == pytest.approx(1)


@pytest.mark.parametrize(
    "kernel,parameters", [(embedding_share, {"d_model": 768, "layers": 12}), (scaling_bend, {}), (new_token_init, {}), (kc.kaplan_chinchilla, {})]
)
def test_the_figures(kernel, parameters):
    assert plot.draw(kernel, kernel(**parameters)).alt
