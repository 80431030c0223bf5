"""Oracle: torch's own count over the products of an encoder of the same shape."""

import pytest

from kernels.library.machines._devices import DEVICES
from kernels.library.prompting.classifier_pass import classifier_pass


@pytest.mark.oracle("classifier_pass", "torch's count of FLOP over an encoder layer")
@pytest.mark.parametrize(("model", "layers", "width", "heads", "ffn"), [("bert-base", 12, 768, 12, 3072), ("bert-large", 24, 1024, 16, 4096)])
@pytest.mark.parametrize("tokens", [1, 128, 512])
def test_counted_by_torch(model, layers, width, heads, ffn, tokens):
    torch = pytest.importorskip("torch")
    from torch.utils.flop_counter import FlopCounterMode

    with torch.device("meta"):
        layer = torch.nn.TransformerEncoderLayer(width, heads, ffn, batch_first=True)
        x = torch.empty(1, tokens, width)
        with FlopCounterMode(display=False) as count:
            layer(x)
    assert classifier_pass(model=model, tokens=tokens)["flops"] == layers * count.get_total_flops()


def test_time_and_rate():
    long, short = classifier_pass(tokens=512), classifier_pass(tokens=1)
    h100 = DEVICES["h100"]
    assert long["time"] == pytest.approx(long["flops"] / h100.half)
    assert short["time"] == pytest.approx(short["weights"] / h100.bandwidth)
    assert long["demanded"] == pytest.approx(long["flops"] / 0.002) and long["of_peak"] == pytest.approx(long["time"] / 0.002)
    assert classifier_pass(rate=2e12)["at_rate"] == pytest.approx(long["flops"] / 2e12)
    assert long["attention_share"] == pytest.approx(512 / (6 * 768 + 512))
