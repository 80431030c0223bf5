"""Oracles of the kernels about word vectors: autograd, counts played out, torch modules."""

import math

import pytest

from kernels import KernelError, plot
from kernels.library.retrieval.sense_mixture import sense_mixture
from kernels.library.retrieval.skipgram_optimum import skipgram_optimum
from kernels.library.retrieval.static_table import static_table


@pytest.mark.oracle("skipgram_optimum", "torch's autograd: the gradient of the objective is 0 there")
@pytest.mark.parametrize("counts", [(80, 1000, 2000, 1_000_000, 5), (3, 40, 900, 5000, 15), (1, 1, 1, 1, 1)])
def test_the_gradient_vanishes_at_the_optimum(counts):
    torch = pytest.importorskip("torch")
    pairs, word, context, corpus, negatives = counts
    found = skipgram_optimum(pairs=pairs, word=word, context=context, corpus=corpus, negatives=negatives)
    x = torch.tensor(found["optimum"], dtype=torch.float64, requires_grad=True)
    log_sigmoid = torch.nn.functional.logsigmoid
    (pairs * log_sigmoid(x) + negatives * word * context / corpus * log_sigmoid(-x)).backward()
    assert abs(float(x.grad)) < 1e-9 * pairs
    assert found["real_share"] == pytest.approx(float(torch.sigmoid(x.detach())), rel=1e-12)


def test_the_curve_is_largest_at_the_optimum():
    found = skipgram_optimum(pairs=16, word=1000, context=1000, corpus=500_000, negatives=2)
    curve = found["objective"]
    best = max(range(len(curve.x)), key=lambda i: curve.values("objective")[i])
    assert found["optimum"] == pytest.approx(math.log(4)) and abs(curve.x[best] - found["optimum"]) <= 0.25
    assert found["pmi"] == pytest.approx(math.log(8)) and found["expected_pairs"] == 2


def test_counts_that_cannot_be_are_refused():
    with pytest.raises(KernelError, match="pairs <= word"):
        skipgram_optimum(pairs=20, word=10)


@pytest.mark.oracle("sense_mixture", "a corpus of two senses counted word by word, and torch's cosine of the summed vectors")
def test_counts_and_vectors_of_a_word_of_two_senses():
    torch = pytest.importorskip("torch")
    # 10,000 tokens of context, 200 of them "river"; the sense has 50 pairs, 40 with river; the other sense 150 pairs, 6 with it
    river, senses = 200 / 10_000, {"own": (50, 40), "other": (150, 6)}
    ratio = {name: with_it / pairs / river for name, (pairs, with_it) in senses.items()}
    counted = math.log((40 + 6) / (50 + 150) / river)
    found = sense_mixture(share=50 / 200, own_ratio=ratio["own"], other_ratio=ratio["other"], between=0.3)
    assert found["word_pmi"] == pytest.approx(counted, rel=1e-12) and found["drop"] == pytest.approx(math.log(ratio["own"]) - counted, rel=1e-12)
    one, two = torch.tensor([1.0, 0.0], dtype=torch.float64), torch.tensor([0.3, math.sqrt(1 - 0.09)], dtype=torch.float64)
    word = (50 * one + 150 * two) / 200
    assert found["minor_cosine"] == pytest.approx(float(torch.cosine_similarity(word, one, 0)), rel=1e-12)
    assert found["major_cosine"] == pytest.approx(float(torch.cosine_similarity(word, two, 0)), rel=1e-12)


def test_a_context_of_one_sense_alone_loses_the_logarithm_of_the_share():
    assert sense_mixture(share=0.1, own_ratio=50.0)["drop"] == pytest.approx(math.log(10))
    curve = sense_mixture()["sweep"]
    assert curve.values("this sense") == pytest.approx(curve.values("the other")[::-1])


@pytest.mark.oracle("static_table", "torch's Embedding, and the matrices of its TransformerEncoderLayer")
def test_torch_holds_as_much():
    torch = pytest.importorskip("torch")
    with torch.device("meta"):
        table = torch.nn.Embedding(5000, 100)
        layer = torch.nn.TransformerEncoderLayer(64, 4, 256, bias=False)
    found = static_table(vocabulary=5000, dimension=100, layers=3, width=64, encoder=1_000_000)
    assert found["parameters"] == table.weight.numel() and found["table"] == table.weight.nbytes and found["row"] == table.weight[0].nbytes
    assert found["encoder_blocks"] == 3 * sum(p.numel() for p in layer.parameters() if p.dim() == 2)
    assert found["encoder_flop"] == 2 * found["encoder_blocks"] and found["over_encoder"] == 0.5


def test_the_google_news_vectors_beside_bert():
    """3 million words of 300 dimensions; BERT-base has 109,482,240 parameters."""
    found = static_table()
    assert found["table"] == 3_600_000_000 and found["over_encoder"] == pytest.approx(900e6 / 109_482_240)


@pytest.mark.parametrize("kernel", [skipgram_optimum, sense_mixture, static_table])
def test_figures(kernel):
    assert plot.draw(kernel, kernel()).alt


def test_figures_at_odd_ends():
    assert plot.draw(static_table, static_table(encoder=1)).alt
    assert plot.draw(skipgram_optimum, skipgram_optimum(pairs=1, word=100_000, context=900_000)).alt
