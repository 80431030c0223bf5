import pytest

torch = pytest.importorskip("torch")

from kernels import KernelError, plot, precision
from kernels.library.inference import batch_invariance as file
from kernels.library.inference.batch_invariance import Model, batch_invariance
from kernels.record import Result

pytest_plugins = ("rehearsed",)


def made_up():  # not measured: numbers to draw with
    return {
        **{f"bits_changed_{d}": 0.5 for d in file.DTYPES},
        **{f"moved_{d}": v for d, v in zip(file.DTYPES, (0.03, 4e-6))},
        **{f"flips_{d}": v for d, v in zip(file.DTYPES, (0.02, 0.0))},
        **{f"flips_200_tokens_{d}": v for d, v in zip(file.DTYPES, (0.98, 0.0))},
        **{f"error_{how}_{d}": v for d, v in zip(file.DTYPES, (0.01, 1e-6)) for how in ("alone", "batched")},
        "rerun_changed": 0.0,
        "padded_changed": 0.0,
        "close_calls": 0.05,
        "alone_time": 5e-4,
        "padded_time": 7e-4,
        "padded_over_alone": 1.4,
        "sweep": {"batch": [1, 2, 256], "bf16": [0.0, 0.03, 0.03], "fp32": [0.0, 1e-6, 4e-6]},
    }


def test_the_model_is_the_plain_one():
    torch.manual_seed(0)
    model, x = Model(64, 2, 96, "cpu"), torch.randn(5, 64)
    expected = x.double()
    for up, down in model.blocks:
        normed = expected / (expected.pow(2).mean(-1, keepdim=True) + torch.finfo(torch.float64).eps).sqrt()
        hidden = normed @ up.double()
        expected = expected + (hidden * torch.sigmoid(hidden)) @ down.double()
    expected = expected / expected.pow(2).mean(-1, keepdim=True).sqrt() @ model.head.double()
    assert precision.error_against(expected, model.logits(x, torch.float64)) < 1e-12
    for name in file.DTYPES:
        precision.error_against(expected, model.logits(x, precision.torch_dtype(name)), file.LIMITS[name])


@pytest.mark.parametrize("way", [file.batched, file.padded_rows])
@pytest.mark.parametrize("size", [1, 2, 8])
def test_rows_come_back_whole_and_in_order(way, size):
    x = torch.randn(8, 4, dtype=torch.float64)
    assert torch.equal(way(lambda part: 2 * part, x, size), 2 * x)


def test_what_is_compared():
    one, other = torch.tensor([[1.0, 2.0], [4.0, 3.0]]), torch.tensor([[1.0, 2.0], [4.0, 5.0]])
    got = file.compared(one, other)
    assert got["bits_changed"] == 0.25 and got["flips"] == 0.5 and got["moved"] == pytest.approx(2 / one.double().std().item())
    assert file.compared(one, one) == {"bits_changed": 0, "moved": 0, "flips": 0}


def test_the_same_batch_gives_the_same_bits_and_padding_makes_batches_the_same(rehearse):
    result, _ = rehearse(batch_invariance)
    assert result["sweep"].x == (4, 8, 16) and result["rerun_changed"] == 0 and 0 <= result["flips_bf16"] <= 1
    assert result["flips_200_tokens_bf16"] == pytest.approx(1 - (1 - result["flips_bf16"]) ** 200)
    assert result["padded_changed"] == 0 and result["padded_over_alone"] == 1


@pytest.mark.parametrize(("d_model", "layers", "vocab", "rows"), [(128, 4, 256, 16), (64, 1, 16384, 16), (64, 1, 4096, 256)])
def test_it_needs_the_memory_that_it_declares(rehearse, d_model, layers, vocab, rows):
    result, peak = rehearse(batch_invariance, d_model=d_model, layers=layers, vocab=vocab, ROWS=rows)
    assert peak / 1.1 < rehearse.needed(batch_invariance, result) < 2.2 * peak


def test_a_batch_that_does_not_divide_the_rows_is_refused():
    with pytest.raises(KernelError, match="must divide 256"):
        batch_invariance(batch=100)


def test_the_figure_of_a_made_up_record():
    drawn = plot.draw(batch_invariance, Result("batch_invariance", "measurement", batch_invariance.bind({}), batch_invariance.checked(made_up())))
    assert "bf16, over batch size" in drawn.alt
