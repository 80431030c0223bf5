"""Oracles: bytes per parameter by ZeRO's count, torch's three ways over real CPU tensors, and a walk through an iteration by hand."""

import pytest

torch = pytest.importorskip("torch")

from kernels import KernelError, plot, tracing
from kernels.library.training.optimizer_peak import optimizer_peak
from kernels.library.training.training_memory import training_memory

SMALL = {"width": 128, "layers": 2, "tokens": 32, "vocabulary": 512}


@pytest.mark.parametrize(
    ("recipe", "formats"),
    [
        ("fp32", ("fp32", "fp32", "none", "fp32")),
        ("bf16", ("bf16", "bf16", "none", "bf16")),
        ("mixed", ("bf16", "bf16", "fp32", "fp32")),
    ],
)
def test_what_stays_is_zeros_count(recipe, formats):
    got = optimizer_peak(recipe=recipe, **SMALL)
    count = training_memory(parameters=got["parameters"], **dict(zip(("weights", "gradients", "master", "moment_dtype"), formats)))
    kinds = {"weights": "weights", "gradients": "gradients", "master": "master", "moments": "optimizer"}
    assert {kind: got[kind] for kind in kinds} == {kind: count[part] for kind, part in kinds.items()}
    assert got["stepped"] == count["total"] and got["loaded"] == count["weights"] + count["master"]
    assert got["backward"] == got["loaded"] + count["gradients"]


def test_eight_bits_take_a_byte_and_a_scale_a_block():
    got = optimizer_peak(recipe="mixed_8bit", **SMALL)
    tensors = 6 * SMALL["layers"] + 2
    assert got["moments"] == pytest.approx(
        2 * (1 + 4 / 256) * got["parameters"] + 2 * 1024 * tensors, rel=0.003
    )  # and the 256 values, for each tensor


def test_the_three_ways():
    """A root of all second moments; of a tensor, its quotient and the one before; or none. The fused kernel keeps its steps on the device."""
    found = {way: optimizer_peak(way=way, **SMALL) for way in ("loop", "foreach", "fused")}
    largest = max(SMALL["vocabulary"], 4 * SMALL["width"]) * SMALL["width"]
    assert found["foreach"]["temporary"] == 4 * found["foreach"]["parameters"]
    assert 4 * largest <= found["loop"]["temporary"] <= 3 * 4 * largest
    assert found["fused"]["temporary"] < 64
    assert found["foreach"]["peak_in_step"] == 1 and found["foreach"]["peak_per_parameter"] == pytest.approx(20, rel=0.001)


@pytest.mark.parametrize("way", ["loop", "foreach", "fused"])
def test_real_tensors_need_as_much(way):
    needed = {}
    for device in ("cpu", "meta"):
        weights = [torch.nn.Parameter(torch.zeros(size, 8, device=device)) for size in (100, 300, 200)]
        optimizer = torch.optim.AdamW(weights, foreach=way == "foreach")
        optimizer.param_groups[0]["fused"] = way == "fused"
        for weight in weights:
            weight.grad = torch.zeros_like(weight)
        with tracing.memory(device) as trace:
            optimizer.step()
            stays = sum(trace.alive().values())
            optimizer.step()
        needed[device] = sum(trace.peak().values()) - stays
    assert needed["cpu"] == pytest.approx(needed["meta"], abs=64)  # a few scalars, which lie on the host where a GPU computes


def test_gradients_that_are_kept_lie_under_the_next_forward_pass():
    dropped, kept = (optimizer_peak(gradients_kept=kept, **SMALL | {"tokens": 512}) for kept in (False, True))
    assert kept["backward_peak"] > dropped["backward_peak"] and kept["step_peak"] == dropped["step_peak"]
    assert kept["backward_peak"] - dropped["backward_peak"] <= dropped["gradients"]


def test_adapters_alone_are_trained():
    got = optimizer_peak(recipe="lora", **SMALL)
    adapters = 16 * (4 + 2 + 5 + 5) * SMALL["width"] * SMALL["layers"]
    assert got["gradients"] == 4 * adapters and got["moments"] == 8 * adapters and got["weights"] == 2 * got["parameters"] + 4 * adapters


def test_refusals_and_the_figure():
    with pytest.raises(KernelError, match="way must be loop"):
        optimizer_peak(recipe="mixed", way="fused")
    assert "gradients" in plot.draw(optimizer_peak, optimizer_peak(**SMALL)).alt
