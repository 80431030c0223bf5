"""Oracles of the kernels about similarity: closed forms, scipy, vectors built with the property, simulation against theory."""

import math

import pytest

from kernels import KernelError, plot
from kernels.library.retrieval.cone_cosine import cone_cosine
from kernels.library.retrieval.random_cosine import beyond, random_cosine
from kernels.library.retrieval.vector_similarity import vector_similarity


@pytest.mark.oracle("random_cosine", "Archimedes in three dimensions, the closed form in five, scipy's beta distribution, torch's random vectors")
def test_tails():
    for t in (0.0, 0.1, 0.37, 0.9):
        assert beyond(t, 3) == pytest.approx((1 - t) / 2, rel=1e-6)  # equal heights of a sphere have equal areas
        assert beyond(t, 5) == pytest.approx((2 - 3 * t + t**3) / 4, rel=1e-6)
    beta = pytest.importorskip("scipy.stats").beta
    for d, t in ((64, 0.3), (768, 0.1), (768, 0.0), (3072, 0.05), (100_000, 0.01)):
        assert beyond(t, d) == pytest.approx(beta.sf(t * t, 0.5, (d - 1) / 2) / 2, rel=1e-5)
    for vectors in (1, 1000, 10**6, 10**12):
        found = random_cosine(vectors=vectors)
        expected = math.sqrt(max(0.0, beta.isf(min(1.0, 2 * -math.expm1(-math.log(2) / vectors)), 0.5, 767 / 2)))
        assert found["best"] == pytest.approx(expected, rel=1e-3, abs=1e-6)


def test_random_vectors():
    torch = pytest.importorskip("torch")
    x = torch.nn.functional.normalize(torch.randn(4000, 2, 96, generator=torch.Generator().manual_seed(0)), dim=2)
    cosine = (x[:, 0] * x[:, 1]).sum(1)
    found = random_cosine(dimension=96, threshold=0.1, vectors=4000)
    assert float(cosine.std()) == pytest.approx(found["sd"], rel=0.05)
    assert float((cosine > 0.1).sum()) == pytest.approx(found["above"], rel=0.1)
    assert float(cosine.acos().std()) == pytest.approx(math.radians(found["angle_sd"]), rel=0.05)


def test_the_density_is_one():
    curve = random_cosine(dimension=64)["density"]
    assert sum(curve.values("d = 64")) / 100 == pytest.approx(1, abs=1e-3)
    assert random_cosine(dimension=100_000)["angle_sd"] == pytest.approx(math.degrees(1 / math.sqrt(100_000)), rel=1e-3)


@pytest.mark.oracle("cone_cosine", "unit vectors built about an axis, and their mean subtracted")
def test_vectors_in_a_cone():
    torch = pytest.importorskip("torch")
    random, f = torch.Generator().manual_seed(0), 0.6
    rest = torch.nn.functional.normalize(torch.randn(3000, 200, generator=random, dtype=torch.float64), dim=1)
    x = torch.cat([torch.full((3000, 1), math.sqrt(f), dtype=torch.float64), math.sqrt(1 - f) * rest], 1)
    assert torch.allclose(x.norm(dim=1), torch.ones(3000, dtype=torch.float64))
    assert float((x[:1500] * x[1500:]).sum(1).mean()) == pytest.approx(cone_cosine(common=f)["mean"], abs=0.003)
    cosine = float(x[0] @ x[1])
    assert cone_cosine(common=f, cosine=cosine)["centred"] == pytest.approx(float(rest[0] @ rest[1]), abs=1e-9)
    centred = torch.nn.functional.normalize(x - x.mean(0), dim=1)
    assert float(centred[0] @ centred[1]) == pytest.approx(float(rest[0] @ rest[1]), abs=0.05)
    assert math.cos(math.radians(cone_cosine(common=f)["angle"])) == pytest.approx(float(x[0, 0]))
    assert cone_cosine(common=0.6, cosine=0.8, other_common=0.1)["rescaled"] == pytest.approx(0.55)


def test_a_cone_knows_no_opposites():
    with pytest.raises(KernelError, match="must be 0.8 or more"):
        cone_cosine(common=0.9, cosine=0.5)


@pytest.mark.oracle("vector_similarity", "torch's norms and products of two vectors")
def test_two_vectors():
    torch = pytest.importorskip("torch")
    a, b = torch.randn(2, 12, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    cosine = float(torch.cosine_similarity(a, b, 0))
    found = vector_similarity(cosine=cosine, length=float(a.norm()), other_length=float(b.norm()))
    assert found["dot"] == pytest.approx(float(a @ b), rel=1e-12) and found["distance"] == pytest.approx(float((a - b).norm()), rel=1e-12)
    assert found["squared"] == pytest.approx(found["distance"] ** 2) and math.cos(math.radians(found["angle"])) == pytest.approx(cosine)
    assert found["one_minus"] == pytest.approx(1 - cosine)


def test_figures():
    for kernel in (random_cosine, cone_cosine):
        assert plot.draw(kernel, kernel()).alt
