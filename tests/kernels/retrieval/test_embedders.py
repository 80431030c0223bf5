"""Oracles of the kernels about embedding models: torch's FLOP counter and losses, random turns, texts cut into windows, bills added up."""

import math

import pytest

from kernels import KernelError, plot
from kernels.library.models.model_shape import model_shape
from kernels.library.retrieval.contrastive_loss import contrastive_loss
from kernels.library.retrieval.embedding_throughput import embedding_throughput
from kernels.library.retrieval.truncated_cosine import truncated_cosine
from kernels.library.retrieval.window_cover import window_cover


@pytest.mark.oracle("embedding_throughput", "torch's FLOP counter on an encoder's products, and the shapes of BERT")
def test_flop_of_an_encoder():
    torch = pytest.importorskip("torch")
    from torch.utils.flop_counter import FlopCounterMode

    tokens, layers, width = 24, 3, 64
    with torch.device("meta"), FlopCounterMode(display=False) as counter:
        x, square = torch.empty(tokens, width), torch.empty(width, width)
        for _ in range(layers):
            q, k, v = (x @ square for _ in range(3))
            x = (q @ k.T @ v) @ square  # one head; more of them split the same products
            x = x @ torch.empty(width, 4 * width) @ torch.empty(4 * width, width)
    found = embedding_throughput(tokens=tokens, layers=layers, width=width)
    assert found["flop"] == counter.get_total_flops()
    products = 2 * tokens * 12 * layers * width**2
    assert (
        found["attention_share"] == pytest.approx(1 - products / counter.get_total_flops())
        and found["tokens_per_second"] == tokens * found["per_second"]
    )
    for model, shape in {"bert-base": (12, 768), "bert-large": (24, 1024)}.items():
        assert embedding_throughput(layers=shape[0], width=shape[1])["weights"] == model_shape(model=model)["linear"]


def test_gpus_time_and_money_hang_together():
    found = embedding_throughput(texts=3.6e6, rate=1e12, load=1000, latency=0.02, price_per_hour=3.0)
    assert found["time"] == pytest.approx(3.6e6 / found["per_second"]) and found["gpus"] == math.ceil(1000 / found["per_second"])
    assert found["serial_gpus"] == 20 and found["serial_time"] == pytest.approx(72_000)
    assert found["cost"] == pytest.approx(3.0 * found["time"] / 3600) == pytest.approx(found["cost_per_million"] * 3.6 * 32)
    assert found["vectors"] == 3.6e6 * 3072


@pytest.mark.oracle("contrastive_loss", "torch's cross-entropy of a row of scores, and sampled batches")
def test_torch_gives_the_same_loss():
    torch = pytest.importorskip("torch")
    for batch, hard, temperature in ((8, 0, 0.05), (16, 3, 0.5), (1024, 0, 1.0)):
        found = contrastive_loss(batch=batch, hard=hard, temperature=temperature)
        n = found["candidates"]
        assert n == batch + batch * hard and found["negatives"] == n - 1
        scores = torch.full((1, n), 0.3, dtype=torch.float64)
        scores[0, 4] = 0.8
        entropy = torch.nn.functional.cross_entropy
        assert found["loss"] == pytest.approx(float(entropy(scores / temperature, torch.tensor([4]))), rel=1e-9)
        assert found["chance"] == pytest.approx(float(entropy(torch.zeros(1, n, dtype=torch.float64), torch.tensor([4]))), rel=1e-12)
        scores[0] = 0.0
        scores[0, 4] = 1.0
        assert found["orthogonal"] == pytest.approx(float(entropy(scores / temperature, torch.tensor([4]))), rel=1e-6, abs=1e-12)
        scores[0] = -1.0
        scores[0, 4] = 1.0
        assert found["floor"] == pytest.approx(float(entropy(scores / temperature, torch.tensor([4]))), rel=1e-6, abs=1e-12)
    drawn = torch.rand(4000, 255, generator=torch.Generator().manual_seed(0)) < 0.002
    assert contrastive_loss(batch=256, relevant=0.002)["false_negative"] == pytest.approx(float(drawn.any(1).double().mean()), abs=0.03)
    assert contrastive_loss(relevant=1.0)["false_negative"] == 1 and contrastive_loss(relevant=0.0)["false_negative"] == 0


def test_scores_are_three_products_and_little_beside_the_encoder():
    found = contrastive_loss(batch=4, hard=1, weights=1000, query_tokens=2, passage_tokens=3, dimension=10)
    assert found["scores"] == 3 * 2 * 4 * 8 * 10 and found["encoding"] == 6 * 1000 * (4 * 2 + 8 * 3)
    assert found["scores_share"] == pytest.approx(1920 / (1920 + 192_000))
    curve = contrastive_loss()["sweep"]
    assert curve.values("guessing")[1] == pytest.approx(math.log(4))
    assert [curve.values(line)[1] for line in ("temperature 1", "temperature 0.1")] == pytest.approx(
        [math.log1p(3 * math.exp(-1)), math.log1p(3 * math.exp(-10))]
    )


@pytest.mark.oracle("truncated_cosine", "pairs turned at random and cut off")
@pytest.mark.parametrize(("m", "d", "c"), [(64, 256, 0.5), (32, 64, 0.8), (128, 512, 0.0)])
def test_random_turns_scatter_as_much(m, d, c):
    torch = pytest.importorskip("torch")
    random = torch.Generator().manual_seed(1)
    one = torch.nn.functional.normalize(torch.randn(20_000, d, generator=random), dim=1)
    other = torch.randn(20_000, d, generator=random)
    other = torch.nn.functional.normalize(other - (other * one).sum(1, keepdim=True) * one, dim=1)
    two = c * one + math.sqrt(1 - c * c) * other  # cosine c in a uniform direction, as turning a fixed pair at random gives it
    cut = torch.cosine_similarity(one[:, :m], two[:, :m])
    found = truncated_cosine(kept_dimensions=m, dimension=d, cosine=c)
    assert float(cut.std()) == pytest.approx(found["sd"], rel=0.06) and float(cut.mean()) == pytest.approx(c, abs=0.01)
    assert float((one[:, :m] * two[:, :m]).sum(1).mean()) == pytest.approx(found["dot"], abs=0.005)


def test_so_many_dimensions_keep_the_error():
    found = truncated_cosine(error=0.02)
    near = [truncated_cosine(kept_dimensions=found["needed"] + step)["sd"] for step in (-1, 0)]
    assert near[1] <= 0.02 < near[0]
    curve = truncated_cosine(kept_dimensions=64, dimension=256)["sweep"]
    assert list(curve.x) == [32, 64, 128, 256] and curve.values("sd")[1] == truncated_cosine(kept_dimensions=64, dimension=256)["sd"]
    assert truncated_cosine(kept_dimensions=64, dimension=256)["kept"] == 0.25 and curve.values("sd")[-1] == 0
    with pytest.raises(KernelError, match="must be kept of"):
        truncated_cosine(kept_dimensions=1000)


@pytest.mark.oracle("window_cover", "a text cut into windows, token by token")
@pytest.mark.parametrize(
    ("tokens", "window", "special", "overlap"), [(3000, 512, 2, 50), (510, 512, 2, 50), (511, 512, 2, 0), (7, 3, 1, 1), (1000, 128, 2, 20)]
)
def test_windows_cut_from_a_text(tokens, window, special, overlap):
    text, room = list(range(tokens)), window - special
    pieces, start = [text[:room]], 0
    while pieces[-1][-1] != text[-1]:
        start += room - overlap
        pieces.append(text[start : start + room])
    found = window_cover(tokens=tokens, window=window, special=special, overlap=overlap)
    assert found["windows"] == len(pieces) and found["embedded_tokens"] == sum(map(len, pieces))
    assert found["lost_tokens"] == tokens - len(pieces[0]) and found["room"] == room
    with pytest.raises(KernelError, match="must be smaller"):
        window_cover(window=52, overlap=50)


@pytest.mark.parametrize("kernel", [contrastive_loss, truncated_cosine, window_cover])
def test_figures(kernel):
    assert plot.draw(kernel, kernel()).alt
