import pytest

torch = pytest.importorskip("torch")

from kernels import plot, timing
from kernels.library.inference import inference_no_grad as file
from kernels.library.inference.inference_no_grad import MODES, inference_no_grad
from kernels.library.models._transformer import transformer
from kernels.record import Result

pytest_plugins = ("rehearsed",)


def made_up():  # not measured: numbers to draw with
    shares = [0.002, 0.006, 0.02, 0.08, 0.25, 0.55, 0.8, 0.91]
    return {
        "weights": 3.0e8,
        **{f"{mode}_peak": 3.6e9 if mode.endswith("_grad") and "no" not in mode else 4.6e8 for mode in MODES},
        **{f"{mode}_time": timing.Spread(5e-3, 4.9e-3, 5.1e-3) for mode in MODES},
        "saving": 0.87,
        "saving_predicted": 0.87,
        "saving_one_token": 0.002,
        "saving_most": 0.91,
        "graph_slowdown": 1.02,
        "error": 0.01,
        "sweep": {"tokens": list(file.TOKENS), "measured": shares, "predicted": [0.9 * s for s in shares]},
    }


def model(**kind):
    return transformer(128, 2, dropout=0.1, dtype=torch.float32, device="cpu", **kind)


def test_only_the_manager_takes_the_graph_away():
    net, x = model(), torch.randn(1, 8, 128)
    graphs = {mode: file.prepared(mode, net, x)().requires_grad for mode in MODES}
    assert graphs == {"train_grad": True, "eval_grad": True, "train_no_grad": False, "eval_no_grad": False, "eval_inference": False}
    assert file.prepared("eval_inference", net, x)().is_inference()


def test_only_eval_repeats_and_all_its_modes_agree():
    net, x = model(), torch.randn(1, 8, 128)
    same = {mode: torch.equal(file.prepared(mode, net, x)(), file.prepared(mode, net, x)()) for mode in MODES}
    assert same == {mode: mode.startswith("eval") for mode in MODES}
    assert torch.equal(file.prepared("eval_grad", net, x)(), file.prepared("eval_inference", net, x)())


def test_the_block_is_torchs_own_pre_norm_layer():
    net = model().eval()
    block, oracle = net.blocks[0], torch.nn.TransformerEncoderLayer(128, 2, 512, activation="gelu", batch_first=True, norm_first=True, bias=False)
    pairs = {"self_attn.in_proj_weight": "qkv", "self_attn.out_proj.weight": "out", "linear1.weight": "up", "linear2.weight": "down"}
    state = {theirs: getattr(block, ours).weight for theirs, ours in pairs.items()}
    oracle.load_state_dict({**state, "norm1.weight": block.first.weight, "norm2.weight": block.second.weight})
    x = torch.randn(2, 8, 128)
    mask = torch.nn.Transformer.generate_square_subsequent_mask(8)
    assert torch.allclose(block(x), oracle.eval()(x, src_mask=mask, is_causal=True), atol=1e-5)


def test_modes_share_their_parameters_and_not_their_mode():
    net, x = model(), torch.randn(1, 8, 128)
    train, evaluate = (file.prepared(mode, net, x) for mode in ("train_grad", "eval_grad"))
    train().sum().backward()
    assert all(p.grad is not None for p in net.parameters()) and torch.equal(evaluate(), evaluate())


def test_it_saves_about_what_is_predicted(rehearse):
    result, _ = rehearse(inference_no_grad, width=256, layers=4, tokens=512)
    assert result["sweep"].x == (1, 32) and result["error"] < file.LIMIT and result["graph_slowdown"] == 1
    assert result["saving"] == pytest.approx(result["saving_predicted"], abs=0.1) == rehearse.expected(inference_no_grad, result, "h100")
    assert result["saving_one_token"] < result["saving_most"] < result["saving"]


@pytest.mark.parametrize(("width", "layers", "tokens", "longest"), [(512, 2, 16, 8), (128, 4, 4096, 8), (128, 2, 16, 4096)])
def test_it_needs_the_memory_that_it_declares(rehearse, width, layers, tokens, longest):
    result, peak = rehearse(inference_no_grad, width=width, layers=layers, tokens=tokens, TOKENS=(1, longest))
    assert peak / 1.1 < rehearse.needed(inference_no_grad, result) < 2.2 * peak


def test_the_figure_of_a_made_up_record():
    result = Result("inference_no_grad", "measurement", inference_no_grad.bind({}), inference_no_grad.checked(made_up()))
    assert "91 % for 16,384" in plot.draw(inference_no_grad, result).alt.replace("\u00a0", " ")
