"""The memory of a real small transformer through its first AdamW step, recipe by recipe, beside what the bytes per parameter predict.

Moments are allocated by the first step(), not by the optimizer's constructor: until then a job has shown only weights, activations and
gradients. Bytes per parameter (weights + gradients + master copy + moments, see training_memory; Rajbhandari et al. 2020, arXiv 1910.02054):

    fp32        4 + 4 + 0 + 8     torch.optim.AdamW on fp32 parameters
    autocast    4 + 4 + 0 + 8     the same, matrix products in bf16 under autocast
    bf16        2 + 2 + 0 + 4     torch.optim.AdamW on bf16 parameters: its moments take their dtype
    mixed       2 + 2 + 4 + 8     bf16 parameters, fp32 master copy and moments
    mixed_8bit  2 + 2 + 4 + 2.03  moments in 8 bits with one fp32 scale per 256 (Dettmers et al. 2022, arXiv 2110.02861)
    lora        2 and 16 per adapter parameter: frozen bf16 weights, fp32 adapters of rank 16 on every matrix of the blocks
"""

import functools
from typing import Annotated, Any

from kernels import Bound, KernelError, Series, kernel, precision, timing
from kernels.library.models import _transformer
from kernels.library.training.training_memory import training_memory

RECIPES = ("fp32", "autocast", "bf16", "mixed", "mixed_8bit", "lora")
PHASES = ("loaded", "forward", "backward", "stepped")
WAYS = ("loop", "foreach", "fused")  # how torch.optim.AdamW goes over the tensors
BLOCK, RANK = 256, 16
RATE, BETA1, BETA2, EPSILON, DECAY = 1e-3, 0.9, 0.999, 1e-8, 0.01
FORMATS = {  # weights, gradients, master, moment_dtype
    "fp32": ("fp32", "fp32", "none", "fp32"),
    "autocast": ("fp32", "fp32", "none", "fp32"),
    "bf16": ("bf16", "bf16", "none", "bf16"),
    "mixed": ("bf16", "bf16", "fp32", "fp32"),
    "mixed_8bit": ("bf16", "bf16", "fp32", "int8"),
}


def memory(width: int, layers: int, tokens: int, vocabulary: int) -> int:
    """Weights, gradients and moments in fp32 with what torch's step over all tensors at once needs besides, and a forward pass in fp32."""
    activations = 4 * tokens * (3 * vocabulary + 24 * width * layers)
    return round(24 * _transformer.parameters(width, layers, vocabulary) + activations)


@kernel(
    kind="measurement",
    outputs={
        "parameters": "",
        "adapters": "",
        **{f"{recipe}_{phase}": "B" for recipe in RECIPES for phase in PHASES},
        **{f"{recipe}_peak": "B" for recipe in RECIPES},
        **{f"{recipe}_predicted": "B" for recipe in RECIPES},
        **{f"{recipe}_per_parameter": "B" for recipe in RECIPES},
        **{f"{recipe}_of_predicted": "" for recipe in RECIPES},
        **{f"{recipe}_activations": "B" for recipe in RECIPES},
        **{f"{recipe}_jump": "B" for recipe in RECIPES},
        **{f"{way}_temporary": "B" for way in WAYS},
        "master": "B",
        "bf16_moment_bytes": "B",
        "lora_saving": "",
        "error": "",
        "error_8bit": "",
        "phases": Series("phase", "B"),
    },
    timeout=300,
    memory=memory,
    formats=("bf16",),
    rehearsal={"width": 128, "layers": 1, "tokens": 16, "vocabulary": 256},
    headline="mixed_per_parameter",
    share="mixed_of_predicted",
    seconds=20,
)
def optimizer_step_peak(
    width: Annotated[int, Bound(low=64)] = 1024,
    layers: Annotated[int, Bound(low=1, high=96)] = 24,
    tokens: Annotated[int, Bound("token", low=1)] = 512,
    vocabulary: Annotated[int, Bound(low=16)] = 32768,
):
    """Memory after loading, forward, backward and the first AdamW step of a GPT, by recipe, against the bytes per parameter.

    peak: the most of two whole iterations. predicted: weights, gradients, master copy and moments; per_parameter, of_predicted: the measured
    memory after the step over the parameters and over that. activations: forward - loaded. jump: stepped - backward. temporary: what
    torch.optim.AdamW's step needs beyond what stays, on fp32, by its three implementations. lora_saving: 1 - lora / mixed, after the step.
    bf16_moment_bytes: of one number of torch's moments for bf16 parameters. error: this file's AdamW against torch's, over the largest
    weight; error_8bit: the 8-bit one's distance from it over the distance moved. phases: recipes over 0 loaded to 3 stepped.
    """
    if width % _transformer.HEAD:
        raise KernelError(f"optimizer_step_peak: width is {width}, but must be a multiple of {_transformer.HEAD}, the head size")
    device = timing.device()
    shape = (width, layers, vocabulary)
    size, extra = _transformer.parameters(*shape), adapter_parameters(width, layers)
    error, error_8bit = step_errors(device)
    found = {recipe: phases(recipe, shape, tokens, device) for recipe in RECIPES}
    expected = {recipe: predicted(recipe, size, extra) for recipe in RECIPES}
    stepped = {recipe: found[recipe]["stepped"] for recipe in RECIPES}
    return {
        "parameters": size,
        "adapters": extra,
        **{f"{recipe}_{phase}": found[recipe][phase] for recipe in RECIPES for phase in (*PHASES, "peak")},
        **{f"{recipe}_predicted": expected[recipe] for recipe in RECIPES},
        **{f"{recipe}_per_parameter": stepped[recipe] / size for recipe in RECIPES},
        **{f"{recipe}_of_predicted": stepped[recipe] / expected[recipe] for recipe in RECIPES},
        **{f"{recipe}_activations": found[recipe]["forward"] - found[recipe]["loaded"] for recipe in RECIPES},
        **{f"{recipe}_jump": stepped[recipe] - found[recipe]["backward"] for recipe in RECIPES},
        **{f"{way}_temporary": temporary(way, shape, tokens, device) for way in WAYS},
        "master": found["mixed"]["master"],
        "bf16_moment_bytes": moment_bytes(device),
        "lora_saving": 1 - stepped["lora"] / stepped["mixed"],
        "error": error,
        "error_8bit": error_8bit,
        "phases": {"phase": list(range(len(PHASES))), **{recipe: [found[recipe][phase] for phase in PHASES] for recipe in RECIPES}},
    }


def predicted(recipe: str, size: int, adapters: int) -> float:
    """Weights, gradients, master copy and moments, in bytes."""
    if recipe == "lora":
        return 2 * size + 16 * adapters
    names = dict(zip(("weights", "gradients", "master", "moment_dtype"), FORMATS[recipe]))
    scales = 2 * 4 / BLOCK * size if recipe == "mixed_8bit" else 0
    return training_memory(parameters=size, **names)["total"] + scales


def adapter_parameters(width: int, layers: int, rank: int = RANK) -> int:
    """rank (in + out) for the four matrices of each block: q, k, v in one, out, up and down."""
    return layers * rank * width * ((1 + 3) + (1 + 1) + (1 + 4) + (4 + 1))


# ------------------------------------------------------------------------------------------- measured


def phases(recipe: str, shape: tuple[int, int, int], tokens: int, device: str) -> dict[str, int]:
    """Bytes held after each phase of the first iteration, and the most of two iterations, beyond what was held before."""
    import gc

    import torch

    warmed_up(recipe, device)
    text = torch.zeros(1, tokens, dtype=torch.int64, device=device)  # the inputs are no part of the bill
    gc.collect()
    with timing.account() as memory:
        model = prepared(recipe, shape, device)
        weights = memory.held
        optimizer = optimizer_of(recipe, model)
        found = {"loaded": memory.held}
        loss = forward(recipe, model, text)
        found["forward"] = memory.held
        loss.backward()
        del loss
        found["backward"] = memory.held
        optimizer.step()
        found["stepped"] = memory.held
        optimizer.zero_grad()
        forward(recipe, model, text).backward()
        optimizer.step()
    return {**found, "master": found["loaded"] - weights, "peak": memory.peak}


def warmed_up(recipe: str, device: str) -> None:
    """One iteration of a tiny model, so that the libraries' workspaces, which stay, are there before anything is counted."""
    import torch

    model = prepared(recipe, (128, 1, 256), device)
    optimizer = optimizer_of(recipe, model)
    forward(recipe, model, torch.zeros(1, 16, dtype=torch.int64, device=device)).backward()
    optimizer.step()


def temporary(way: str, shape: tuple[int, int, int], tokens: int, device: str) -> int:
    """What the second step of torch.optim.AdamW needs beyond what stays, on fp32 parameters."""
    import torch

    model = prepared("fp32", shape, device)
    optimizer = torch.optim.AdamW(model.parameters(), lr=RATE, foreach=way == "foreach", fused=way == "fused")
    for parameter in model.parameters():
        parameter.grad = torch.full_like(parameter, 1e-3)
    optimizer.step()
    return timing.peak_memory(optimizer.step).bytes


def prepared(recipe: str, shape: tuple[int, int, int], device: str) -> Any:
    """The model with its weights in the recipe's format, for "lora" frozen and with adapters."""
    model = _transformer.transformer(*shape, dtype=precision.torch_dtype("fp32" if recipe in ("fp32", "autocast") else "bf16"), device=device)
    if recipe == "lora":
        model.requires_grad_(False)
        for block in model.blocks:
            for name in ("qkv", "out", "up", "down"):
                setattr(block, name, adapted()(getattr(block, name), RANK))
    return model


def forward(recipe: str, model, text):
    """The loss of predicting each token."""
    import torch
    from torch.nn import functional

    with torch.autocast(text.device.type, torch.bfloat16, enabled=recipe == "autocast"):
        return functional.cross_entropy(model(text).flatten(0, 1), text.flatten())


def optimizer_of(recipe: str, model) -> Any:
    """torch's own, or this file's where there is a master copy."""
    import torch

    trained = [p for p in model.parameters() if p.requires_grad]
    if recipe.startswith("mixed"):
        return MasterAdamW(trained, bits=8 if recipe == "mixed_8bit" else 32)
    return torch.optim.AdamW(trained, lr=RATE, betas=(BETA1, BETA2), eps=EPSILON, weight_decay=DECAY, foreach=False)


@functools.cache
def adapted() -> type:
    """A frozen linear layer with a trained bypass: W x + B A x (Hu et al. 2021, arXiv 2106.09685), A and B in fp32."""
    import torch
    from torch import nn
    from torch.nn import functional

    class Adapted(nn.Module):
        def __init__(self, linear, rank: int) -> None:
            super().__init__()
            self.linear, device = linear, linear.weight.device
            self.a = nn.Parameter(torch.randn(rank, linear.in_features, device=device) / linear.in_features**0.5)
            self.b = nn.Parameter(torch.zeros(linear.out_features, rank, device=device))

        def forward(self, x):
            bypass = functional.linear(functional.linear(x, self.a.to(x.dtype)), self.b.to(x.dtype))
            return self.linear(x) + bypass

    return Adapted


# ------------------------------------------------------------------------------ AdamW with a master copy


class MasterAdamW:
    """AdamW (Loshchilov and Hutter 2019, arXiv 1711.05101) on an fp32 copy of the parameters, tensor by tensor.

    The copy is made here, the moments by the first step, in fp32 or in 8 bits. The parameters get the copy rounded to their dtype.
    """

    def __init__(self, parameters, bits: int = 32) -> None:
        self.parameters = list(parameters)
        self.master = [p.detach().float().clone() for p in self.parameters]
        self.bits, self.steps = bits, 0
        self.moments: list[tuple[Any, Any]] = []

    def step(self) -> None:
        import torch

        self.steps += 1
        if not self.moments:
            self.moments = [tuple(moment(torch.zeros_like(w), signed, self.bits) for signed in (True, False)) for w in self.master]
        for number, (parameter, weight) in enumerate(zip(self.parameters, self.master)):
            with torch.no_grad():
                first, second = (state.read() for state in self.moments[number])
                update(weight, parameter.grad.float(), first, second, self.steps)
                for state, value in zip(self.moments[number], (first, second)):
                    state.write(value)
                parameter.copy_(weight)

    def zero_grad(self) -> None:
        for parameter in self.parameters:
            parameter.grad = None


def update(weight, gradient, first, second, step: int) -> None:
    """One step of AdamW, all four tensors changed in place but the gradient."""
    first.lerp_(gradient, 1 - BETA1)
    second.mul_(BETA2).addcmul_(gradient, gradient, value=1 - BETA2)
    root = (second / (1 - BETA2**step)).sqrt_().add_(EPSILON)
    weight.mul_(1 - RATE * DECAY).addcdiv_(first, root, value=-RATE / (1 - BETA1**step))


def moment(zeros, signed: bool, bits: int) -> Any:
    return Blockwise(zeros, signed) if bits == 8 else Whole(zeros)


class Whole:
    """A moment in fp32."""

    def __init__(self, value) -> None:
        self.value = value

    def read(self):
        return self.value

    def write(self, value) -> None:
        self.value = value


class Blockwise:
    """A moment in 8 bits: per block of 256 numbers their largest magnitude, and for each number the nearest of 256 values in [-1, 1]."""

    def __init__(self, value, signed: bool) -> None:
        self.shape, self.code = value.shape, code(signed).to(value.device)
        self.write(value)

    def read(self):
        values = self.code[self.index.int()].view(-1, BLOCK) * self.scale[:, None]
        return values.flatten()[: self.shape.numel()].view(self.shape)

    def write(self, value) -> None:
        import torch
        from torch.nn import functional

        blocks = functional.pad(value.flatten(), (0, -value.numel() % BLOCK)).view(-1, BLOCK)
        self.scale = blocks.abs().amax(1)
        middles = (self.code[1:] + self.code[:-1]) / 2
        self.index = torch.bucketize((blocks / self.scale.clamp_min(1e-38)[:, None]).flatten(), middles, out_int32=True).byte()


def code(signed: bool):
    """The 256 values of dynamic tree quantisation, sorted: ten to the power 0 to -6, the more steps the larger (Dettmers et al., section 1.3)."""
    import torch

    values = [0.0, 1.0]
    for power in range(7):
        edges = torch.linspace(0.1, 1.0, 2 ** (power + (not signed)) + 1, dtype=torch.float64)
        middle = 10.0 ** (power - 6) * (edges[1:] + edges[:-1]) / 2
        values += [*middle.tolist(), *(-middle if signed else middle[:0]).tolist()]
    return torch.tensor(sorted(values), dtype=torch.float32)


def step_errors(device: str, steps: int = 10) -> tuple[float, float]:
    """This file's AdamW against torch's on fp32 weights and equal gradients, and the 8-bit one's distance from that over the way moved."""
    import torch

    torch.manual_seed(0)
    start = torch.randn(64, BLOCK, device=device)
    weights = [torch.nn.Parameter(start.clone()) for _ in range(3)]
    scales = torch.logspace(-3, 0, len(start), device=device)[:, None]  # gradients of one block are of one size
    theirs: Any = torch.optim.AdamW(weights[:1], lr=RATE, betas=(BETA1, BETA2), eps=EPSILON, weight_decay=DECAY, foreach=False)
    ours = [MasterAdamW(weights[1:2]), MasterAdamW(weights[2:], bits=8)]
    for _ in range(steps):
        gradient = torch.randn_like(start) * scales
        for weight in weights:
            weight.grad = gradient
        for optimizer in (theirs, *ours):
            optimizer.step()
    exact, master, small = (weight.detach() for weight in weights)
    return precision.error_against(exact, master, limit=1e-6), ((small - exact).norm() / (exact - start).norm()).item()


def moment_bytes(device: str) -> int:
    """The size of one number of the moments that torch.optim.AdamW makes for a bf16 parameter."""
    import torch

    weight = torch.nn.Parameter(torch.ones(8, dtype=torch.bfloat16, device=device))
    optimizer = torch.optim.AdamW([weight])
    weight.grad = torch.ones_like(weight)
    optimizer.step()
    return optimizer.state[weight]["exp_avg"].element_size()


@optimizer_step_peak.predicted
def predict(result):
    """The bytes per parameter of the formula, on any device."""
    return result["mixed_predicted"] / result["parameters"]


@optimizer_step_peak.figure
def draw(result, ax):
    from kernels import plot

    held = {phase: result[f"mixed_{phase}"] for phase in PHASES}
    weights, master = held["loaded"] - result["master"], result["master"]
    always = {"weights": weights, "master": master}
    rows = {
        "after loading": always,
        "after forward": {**always, "activations": held["forward"] - held["loaded"]},
        "after backward": {**always, "gradients": held["backward"] - held["loaded"]},
        "after the first step": {**always, "gradients": held["backward"] - held["loaded"], "moments": held["stepped"] - held["backward"]},
    }
    fills = {"weights": plot.STONE, "master": plot.SAND, "activations": plot.MINT, "gradients": plot.SKY, "moments": plot.ACCENT}
    plot.stacked_bars(ax, rows, "B", fills=fills)
