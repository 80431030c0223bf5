"""Oracles: the true scale itself, torchmetrics, scikit-learn, and torch's own LBFGS for the fit."""

import pytest

torch = pytest.importorskip("torch")

from kernels import KernelError, plot
from kernels.library.evaluation import temperature_scaling as file
from kernels.library.evaluation.temperature_scaling import temperature_scaling


@pytest.fixture(scope="module")
def data():
    random = torch.Generator().manual_seed(3)
    truth = 1.5 * torch.randn(3000, 5, generator=random, dtype=torch.float64)
    return 3 * truth, file.drawn(truth.softmax(1), random)


@pytest.mark.parametrize("scale", [0.5, 1.0, 3.0])
def test_the_true_scale_is_found_and_mends_the_confidence(scale):
    result = temperature_scaling(scale=scale, n=40_000)
    assert result["temperature"] == pytest.approx(scale, rel=0.03)
    assert result["ece_after"] < 0.015  # what chance leaves at this n
    assert result["nll_after"] <= result["nll_before"] + 1e-3
    assert result["accuracy_after"] == result["accuracy_before"] and result["answers_changed"] == 0.0


def test_the_fit_is_the_minimum_of_the_nll(data):
    logits, labels = data
    log_t = torch.zeros((), dtype=torch.float64, requires_grad=True)
    optimiser = torch.optim.LBFGS([log_t], line_search_fn="strong_wolfe", max_iter=100, tolerance_grad=1e-12)

    def loss():
        optimiser.zero_grad()
        value = torch.nn.functional.cross_entropy(logits / log_t.exp(), labels)
        value.backward()
        return value

    optimiser.step(loss)
    assert file.fitted(logits, labels) == pytest.approx(log_t.exp().item(), rel=1e-6)


def test_libraries_agree_on_the_scores(data):
    metrics, sklearn = (pytest.importorskip("torchmetrics.functional.classification"), pytest.importorskip("sklearn.metrics"))
    logits, labels = data
    ours = file.scores(logits, labels, 2.0)
    probability = (logits / 2).softmax(1)
    assert ours["ece"].item() == pytest.approx(metrics.multiclass_calibration_error(probability, labels, num_classes=5, n_bins=15).item(), rel=1e-5)
    assert ours["nll"].item() == pytest.approx(sklearn.log_loss(labels.numpy(), probability.numpy(), labels=range(5)), rel=1e-9)
    assert ours["accuracy"].item() == pytest.approx(sklearn.accuracy_score(labels.numpy(), probability.argmax(1).numpy()))


def test_labels_are_drawn_with_their_probabilities():
    probability = torch.tensor([[0.2, 0.5, 0.3]], dtype=torch.float64).repeat(20_000, 1)
    counts = torch.bincount(file.drawn(probability, torch.Generator().manual_seed(0)), minlength=3) / 20_000
    assert counts.tolist() == pytest.approx([0.2, 0.5, 0.3], abs=0.015)


def test_the_sweep_has_its_minimum_near_the_fit():
    result = temperature_scaling(n=10_000)
    ece = result["sweep"].values("ece")
    assert result["sweep"].x[ece.index(min(ece))] == pytest.approx(result["temperature"], rel=0.2)
    assert ece[result["sweep"].x.index(1.0)] == result["ece_before"]


def test_too_large_a_case_is_refused():
    with pytest.raises(KernelError, match="must be at most"):
        temperature_scaling(classes=1000, n=100_000)


def test_the_figure():
    drawn = plot.draw(temperature_scaling, temperature_scaling(n=2000))
    assert "ECE against temperature" in drawn.alt


@pytest.mark.parametrize("n", [2000, 40_000])
def test_what_the_fit_leaves_is_the_floor_of_as_many_examples(n):
    found = [temperature_scaling(n=n, seed=seed) for seed in range(6)]
    assert sum(f["ece_after"] for f in found) == pytest.approx(sum(f["floor"] for f in found), rel=0.25)
