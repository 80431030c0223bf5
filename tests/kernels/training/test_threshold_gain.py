import pytest

from kernels.library.training.threshold_gain import threshold_gain


@pytest.mark.oracle("threshold_gain", "scikit-learn on a sample")
@pytest.mark.parametrize("case", [{}, {"scale": 3.0}, {"bias": -3.0, "separation": 1.0}])
def test_against_a_sample(case):
    np, metrics = pytest.importorskip("numpy"), pytest.importorskip("sklearn.metrics")
    random, got = np.random.default_rng(0), threshold_gain(**case)
    y = random.integers(0, 2, 400_000)
    z = case.get("scale", 1.0) * (case.get("separation", 0.5) * (2 * y - 1) + random.standard_normal(len(y))) + case.get("bias", 0.0)
    p = 1 / (1 + np.exp(-z))
    assert got["accuracy"] == pytest.approx(((p > 0.5) == y).mean(), abs=3e-3)
    assert got["lowered"] == pytest.approx(((p > 0.3) == y).mean(), abs=3e-3)
    assert got["best"] == pytest.approx(((p > got["best_threshold"]) == y).mean(), abs=3e-3)
    assert got["auc"] == pytest.approx(metrics.roc_auc_score(y, p), abs=3e-3)
    assert got["loss"] == pytest.approx(metrics.log_loss(y, p), abs=0.01)


def test_scale_moves_the_loss_alone():
    small, true = threshold_gain(scale=0.1), threshold_gain(scale=1.0)
    assert small["accuracy"] == true["accuracy"] == true["best"] and small["loss"] > true["loss"]
