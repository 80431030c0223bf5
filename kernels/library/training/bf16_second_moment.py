"""Adam's second moment kept in bf16, with gradients between a constant and pure noise: it sticks too low, or climbs too high.

    v <- b2 v;  v <- v + (1 - b2) g^2        each rounded to bf16, as torch's in-place operations are

At b2 = 0.999 the product changes v by less than half of a bf16 spacing, so nothing ever decays. Equal gradients then add up only until their term
is at most half a spacing: at the least power of two 2^k with 2^(k - 8) >= 0.001 g^2, which is 0.256 to 0.512 of the true value, by where g^2 lies
between powers of two. Noise has large squares now and then, which still count, while nothing takes them back: a ratchet.
"""

from typing import Annotated, Literal

from kernels import Bound, Free, Series, kernel

ENTRIES = 256  # entries of one tensor; v is their mean


@kernel(
    kind="simulation",
    outputs={**dict.fromkeys(("v", "v_fp32", "step_factor", "rounding"), ""), "sweep": Series("step", "")},
    tolerance=1e-3,
)
def bf16_second_moment(
    noise: Annotated[float, Bound(low=0.0, high=1.0), Free(0.0, 1.0)] = 1.0,
    beta2: Annotated[float, Bound(low=0.5, high=0.9999)] = 0.999,
    steps: Annotated[int, Bound(low=1000, high=200_000), Free(10_000, 40_000)] = 20_000,
    tails: Annotated[Literal["normal", "laplace"], Free("normal", "laplace")] = "normal",
    scale: Annotated[float, Bound(low=1e-3, high=1e3), Free(0.99, 1.39)] = 1.1,
    seed: int = 0,
):
    """The mean second moment after `steps`, 1 if it were right, in bf16 and in fp32, and Adam's step in bf16 over that in fp32.

    noise: the share of the gradient's mean square that is noise around its mean, free from 0, equal gradients, to 1, no mean at all. steps: free,
    as a run may be short or long, and noise goes on raising v. tails: of the noise, normal or the heavier Laplace's. scale: the gradient's root mean
    square, free over nearly an octave of its square, after which bf16's spacings repeat; v counts in its square. step_factor: the mean over entries
    of the root of fp32's v over bf16's. rounding: a bf16 number's own relative error, at most. sweep: v by step.
    """
    import torch

    random = torch.Generator().manual_seed(seed)
    values = {format: torch.zeros(ENTRIES, dtype=kind) for format, kind in (("bf16", torch.bfloat16), ("fp32", torch.float32))}
    shown: dict[str, list[float]] = {"step": [], "bf16": [], "fp32": []}
    for step in range(1, steps + 1):
        g = scale * ((1 - noise) ** 0.5 + noise**0.5 * drawn(tails, random))
        for v in values.values():
            step_of(v, g, beta2)
        if step % (steps // 40) == 0:
            shown["step"].append(step)
            for format, v in values.items():
                shown[format].append(v.double().mean().item() / scale**2)
    ends = {format: v.double() / scale**2 for format, v in values.items()}
    return {
        "v": ends["bf16"].mean(),
        "v_fp32": ends["fp32"].mean(),
        "step_factor": (ends["fp32"] / ends["bf16"]).sqrt().mean(),
        "rounding": 2.0**-8,
        "sweep": shown,
    }


@bf16_second_moment.invariant
def fp32_is_right(result) -> bool:
    """The mean square of the gradients is 1 in units of scale^2, and v in fp32 is within five of its own standard deviations of it."""
    given = result.parameters
    excess = {"normal": 2.0, "laplace": 5.0}[given["tails"]]  # variance of g^2 for pure noise of variance 1, which is the most
    sd = (excess * (1 - given["beta2"]) / (1 + given["beta2"]) / ENTRIES) ** 0.5
    return abs(result["v_fp32"] - (1 - given["beta2"] ** given["steps"])) < 5 * sd + 1e-4


def drawn(tails: str, random):
    """Noise of mean 0 and variance 1, one number an entry."""
    import torch

    if tails == "normal":
        return torch.randn(ENTRIES, generator=random)
    return torch.empty(ENTRIES).exponential_(generator=random).mul_(torch.randint(0, 2, (ENTRIES,), generator=random) * 2 - 1) / 2**0.5


def step_of(v, g, beta2: float) -> None:
    """One step of v, rounded after the product and after the sum, as torch's Adam does it in place."""
    g = g.to(v.dtype)
    v.mul_(beta2).addcmul_(g, g, value=1 - beta2)


@bf16_second_moment.figure
def draw(result, ax):
    from kernels import plot

    plot.lines(ax, result["sweep"], labels={"fp32": "fp32 (true)"}, x_label="step", y_label="second moment", highlight="bf16")
