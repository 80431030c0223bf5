import pytest

torch = pytest.importorskip("torch")

from kernels import KernelError, plot
from kernels.library.models import _transformer
from kernels.library.training import optimizer_step_peak as file
from kernels.library.training.optimizer_step_peak import PHASES, RECIPES, WAYS, optimizer_step_peak
from kernels.record import Result

pytest_plugins = ("pretended_gpu", "rehearsed")


def made_up():  # not measured: numbers to draw with
    size = 3.4e8
    held = {
        "fp32": (4, 6, 8, 16),
        "autocast": (4, 7, 8, 16),
        "bf16": (2, 3, 4, 8),
        "mixed": (6, 7, 8, 16),
        "mixed_8bit": (6, 7, 8, 10),
        "lora": (2, 3, 2.1, 2.2),
    }
    return {
        "parameters": size,
        "adapters": 6e6,
        **{f"{recipe}_{phase}": held[recipe][i] * size for recipe in RECIPES for i, phase in enumerate(PHASES)},
        **{f"{recipe}_{name}": 16.5 * size for recipe in RECIPES for name in ("peak", "predicted")},
        **{f"{recipe}_per_parameter": held[recipe][3] for recipe in RECIPES},
        **{f"{recipe}_of_predicted": 1.0 for recipe in RECIPES},
        **{f"{recipe}_{name}": size for recipe in RECIPES for name in ("activations", "jump")},
        **{f"{way}_temporary": size for way in WAYS},
        "master": 4 * size,
        "bf16_moment_bytes": 2,
        "lora_saving": 0.86,
        "error": 1e-8,
        "error_8bit": 0.05,
        "phases": {"phase": [0, 1, 2, 3], **{recipe: [b * size for b in held[recipe]] for recipe in RECIPES}},
    }


@pytest.mark.parametrize("recipe", RECIPES)
def test_the_tensors_take_what_is_predicted(pretended_gpu, recipe):
    shape = (128, 2, 64)
    size, adapters = _transformer.parameters(*shape), file.adapter_parameters(128, 2)
    found = file.phases(recipe, shape, 16, "cpu")
    assert found["stepped"] == pytest.approx(file.predicted(recipe, size, adapters), rel=0.01)
    assert found["loaded"] == pytest.approx(
        {"fp32": 4, "autocast": 4, "bf16": 2, "lora": 2}.get(recipe, 6) * size + 4 * adapters * (recipe == "lora"), rel=0.01
    )
    trained = {"fp32": 4, "autocast": 4}.get(recipe, 2) * size if recipe != "lora" else 4 * adapters
    assert found["backward"] - found["loaded"] == pytest.approx(trained, rel=0.01)


def test_the_parameters_are_counted():
    model = file.prepared("lora", (128, 3, 50), "cpu")
    frozen = sum(p.numel() for p in model.parameters() if not p.requires_grad)
    trained = sum(p.numel() for p in model.parameters() if p.requires_grad)
    assert (frozen, trained) == (_transformer.parameters(128, 3, 50), file.adapter_parameters(128, 3))


def test_the_predictions_are_the_papers():
    """ZeRO, section 3.1: 16 bytes per parameter; 8-bit optimizers, table 1's 2 of 8 bytes and one scale per block."""
    per = {recipe: file.predicted(recipe, 10**6, 0) / 10**6 for recipe in RECIPES}
    assert per == {"fp32": 16, "autocast": 16, "bf16": 8, "mixed": 16, "mixed_8bit": 10 + 8 / 256, "lora": 2}


def test_adamw_is_torchs_and_8_bit_states_stay_near_it():
    error, error_8bit = file.step_errors("cpu")
    assert error < 1e-6 and 0 < error_8bit < 0.1
    assert file.moment_bytes("cpu") == 2


def test_the_8_bit_code_is_the_papers():
    """Dynamic tree quantisation: 256 values, seven powers of ten, 0 and 1; bitsandbytes' create_dynamic_map gives the same."""
    signed, unsigned = file.code(True), file.code(False)
    assert len(signed) == len(unsigned) == 256 and signed.unique().numel() == unsigned.unique().numel() == 256
    assert signed[0] == pytest.approx(-0.9930, abs=1e-4) and unsigned[0] == 0 and signed[-1] == unsigned[-1] == 1
    assert unsigned[1] == pytest.approx(3.25e-7)


@pytest.mark.parametrize("signed", [True, False])
def test_what_is_stored_in_8_bits_comes_back_within_a_step(signed):
    value = torch.randn(1000) * torch.logspace(-3, 0, 1000)
    value = value if signed else value**2
    state = file.Blockwise(value, signed)
    assert state.index.dtype == torch.uint8 and state.scale.numel() == 4
    assert ((state.read() - value).abs() <= 0.01 * state.scale.repeat_interleave(256)[:1000]).all()
    assert file.Blockwise(torch.zeros(300), signed).read().abs().max() == 0


def test_an_adapter_starts_as_nothing():
    linear = torch.nn.Linear(64, 32, bias=False)
    x = torch.randn(4, 64)
    assert torch.equal(file.adapted()(linear, 4)(x), linear(x))


def test_its_rehearsal(rehearse):
    result = rehearse.within_memory(optimizer_step_peak)
    assert result["mixed_of_predicted"] == pytest.approx(1, abs=0.02) and result["lora_saving"] > 0.5
    assert result["mixed_jump"] == pytest.approx(8 * result["parameters"], rel=0.01)
    assert all(result[f"{recipe}_peak"] >= result[f"{recipe}_stepped"] for recipe in RECIPES)
    assert rehearse.expected(optimizer_step_peak, result, "any") == 16
    assert result["foreach_temporary"] > result["loop_temporary"]


def test_a_width_without_whole_heads_is_refused(pretended_gpu):
    with pytest.raises(KernelError, match="multiple of 64"):
        optimizer_step_peak(width=100)


def test_the_figure_of_a_made_up_record():
    drawn = plot.draw(
        optimizer_step_peak, Result("optimizer_step_peak", "measurement", optimizer_step_peak.bind({}), optimizer_step_peak.checked(made_up()))
    )
    assert "after the first step: 5.44 GB" in drawn.alt.replace("\u00a0", " ")
