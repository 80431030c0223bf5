"""Attention whose logits grow: normal logits of standard deviation s over n keys, the entropy of their softmax, and the bound that QK-norm sets.

For many keys and s below sqrt(2 ln n) the entropy is ln n - s^2 / 2; beyond, a few keys hold nearly all the weight (the random energy model).
With queries and keys normalised to root mean square 1 times a gain, |q . k| / sqrt(d) is at most gain^2 sqrt(d).
"""

from typing import Annotated

from kernels import Bound, Series, kernel

QUERIES = 1000  # an expectation is estimated: the mean over one head's queries


@kernel(
    kind="simulation",
    outputs={"entropy": "", "keys": "", "largest": "", "predicted": "", "collapse_at": "", "bound": "", "sweep": Series("logit_std", "")},
    tolerance=1e-3,
)
def attention_logits(
    keys: Annotated[int, Bound(low=16, high=8192)] = 2048,
    logit_std: Annotated[float, Bound(low=0.0, high=50.0)] = 1.0,
    head_dim: Annotated[int, Bound(low=1, high=1024)] = 128,
    gain: Annotated[float, Bound(low=0.01, high=100.0)] = 1.0,
    seed: int = 0,
):
    """Mean entropy in nats and as a number of keys (its exponential), the largest weight, over 1,000 queries; sweep: keys by standard deviation.

    predicted: ln n - s^2 / 2; collapse_at: sqrt(2 ln n); bound: the largest logit under QK-norm.
    """
    import math

    import torch

    random = torch.Generator().manual_seed(seed)
    noise = torch.randn(QUERIES, keys, generator=random, dtype=torch.float64)
    weights = torch.softmax(logit_std * noise, 1)
    entropy = entropies(noise, logit_std).mean().item()
    stds = [i / 2 for i in range(21)]
    return {
        "entropy": entropy,
        "keys": math.exp(entropy),
        "largest": weights.max(1).values.mean(),
        "predicted": math.log(keys) - logit_std**2 / 2,
        "collapse_at": math.sqrt(2 * math.log(keys)),
        "bound": gain**2 * math.sqrt(head_dim),
        "sweep": {"logit_std": stds, "keys": [math.exp(entropies(noise, s).mean().item()) for s in stds]},
    }


@attention_logits.invariant
def the_entropy_lies_between_one_key_and_all(result) -> bool:
    """Between none and ln n; growing logits never raise it, and mild ones leave ln n - s^2 / 2 of many keys."""
    curve, keys, std = result["sweep"].values("keys"), result.parameters["keys"], result.parameters["logit_std"]
    bounded = 1 <= result["keys"] <= keys * (1 + 1e-9) and all(b < a for a, b in zip(curve, curve[1:]))
    return bounded and (std > 1 or keys < 1000 or abs(result["entropy"] - result["predicted"]) < 0.05)


def entropies(noise, scale: float):
    import torch

    log_weights = torch.log_softmax(scale * noise, 1)
    return -(log_weights.exp() * log_weights).sum(1)


@attention_logits.figure
def draw(result, ax):
    from kernels import plot

    plot.lines(ax, result["sweep"], ylog=True, labels={"keys": ""}, x_label="standard deviation of the logits", y_label="keys attended to")
    found = {std: point.value for std, point in zip(result["sweep"].x, result["sweep"].lines["keys"])}
    for std in (result.parameters["logit_std"], 4 * result.parameters["logit_std"]):  # the latter with queries and keys twice as large
        if std and std in found:
            plot.mark(ax, std, found[std], f"{plot.show(found[std], '')} keys", where="right above")
