"""Static against dynamic activation ranges: the scale fixed from calibration batches, or taken from each batch as it comes.

Batches of Gaussian or Student-t activations whose scale varies log-normally from batch to batch. Dynamic: the largest magnitude of
the batch at hand. Static: the largest of the calibration batches; clipped: of 39 fractions of it the one with the least mean squared error
on them (Nagel et al. 2021, A White Paper on Neural Network Quantization, arXiv 2106.08295, section 3.1). For Gaussian batches whose scale
never varies the SQNR of either is near 20 log10(sqrt(12) (2^(b-1) - 1) / m), m the largest magnitude in standard deviations.
"""

from typing import Annotated, Literal

from kernels import Bound, Free, Series, kernel


@kernel(
    kind="simulation",
    outputs={
        **dict.fromkeys(("static", "static_worst", "clipped", "clipped_worst", "dynamic", "dynamic_worst", "gain", "clipped_gain"), ""),
        "sweep": Series("spread", ""),
    },
    tolerance=1e-3,
    draws=8,
)
def activation_range(
    bits: Annotated[int, Bound(low=2, high=8)] = 8,
    scales: Literal["varying", "stable"] = "varying",
    spread: Annotated[float, Bound(low=0, high=2), Free(0.1, 1.0)] = 0.5,
    freedom: Annotated[int, Bound(low=0, high=100)] = 0,
    batches: Annotated[int, Bound(low=10, high=1000)] = 100,
    calibration: Annotated[int, Bound(low=1, high=1024), Free(16, 512)] = 128,
    size: Annotated[int, Bound(low=256, high=16384), Free(512, 8192)] = 2048,
    seed: int = 0,
):
    """SQNR in dB of activations rounded with a static, a clipped static and a dynamic range: mean and worst over batches.

    scales: whether they differ from batch to batch; spread: if so, standard deviation of the logarithm of a batch's scale. freedom: degrees of
    freedom of Student's t, 0 for Gaussian. gain: dynamic less static, in dB, clipped_gain less clipped. sweep: mean dB over the
    spread.

    How much the scale of batches varies depends on model and traffic, and the static range hangs on the largest of the calibration batches: spread,
    calibration (papers take 16 to 512 batches) and size, the values of a batch, are free.
    """
    spreads = [0.0, 0.25, 0.5, 1.0]
    spread = spread if scales == "varying" else 0.0
    found = {s: ranges(bits, s, freedom, batches, calibration, size, seed) for s in dict.fromkeys([*spreads, spread])}
    mine = found[spread]
    return {
        **mine,
        "gain": mine["dynamic"] - mine["static"],
        "clipped_gain": mine["dynamic"] - mine["clipped"],
        "sweep": {"spread": spreads, **{name: [found[s][name] for s in spreads] for name in ("dynamic", "static")}},
    }


@activation_range.invariant
def a_dynamic_range_does_not_mind_the_scale_of_its_batch(result):
    """Multiplying a batch by a number changes nothing under a dynamic range: its curve over the spread is flat to a tenth of a dB."""
    kept = result["sweep"].values("dynamic")
    return max(kept) - min(kept) < 0.1


@activation_range.invariant
def the_worst_batch_is_no_better_than_the_mean(result):
    """The worst batch lies at or below the mean of all, whatever the range."""
    return all(result[f"{name}_worst"] <= result[name] for name in ("static", "clipped", "dynamic"))


def ranges(bits: int, spread: float, freedom: int, batches: int, calibration: int, size: int, seed: int) -> dict[str, float]:
    import torch

    random = torch.Generator().manual_seed(seed)

    def draws(number: int):
        values = torch.randn(number, size, generator=random, dtype=torch.float64)
        if freedom:
            chi = torch.zeros_like(values)
            for _ in range(freedom):
                chi += torch.randn(number, size, generator=random, dtype=torch.float64).square()
            values /= (chi / freedom).sqrt()
        return values * torch.exp(spread * torch.randn(number, 1, generator=random, dtype=torch.float64))

    known, coming = draws(calibration), draws(batches)
    largest = known.abs().max()
    candidates = [largest * k / 40 for k in range(2, 41)]
    best = min(candidates, key=lambda limit: (known - rounded(known, limit, bits)).square().mean().item())
    limits = {"static": largest, "clipped": best, "dynamic": coming.abs().amax(1, keepdim=True)}
    result: dict[str, float] = {}
    for name, limit in limits.items():
        noise = (coming - rounded(coming, limit, bits)).square().sum(1)
        decibels = 10 * torch.log10(coming.square().sum(1) / noise)
        result |= {name: decibels.mean().item(), f"{name}_worst": decibels.min().item()}
    return result


def rounded(values, limit, bits: int):
    top = 2 ** (bits - 1) - 1
    return (values / (limit / top)).round().clamp(-top, top) * (limit / top)


@activation_range.figure
def draw(result, ax):
    from kernels import plot

    plot.lines(ax, result["sweep"], x_label="spread of the batches' scale", y_label="signal to noise, dB", highlight="dynamic")
