"""A language model trained without its causal mask: it copies the next token from its input, and fails when there is none to copy.

One attention layer with learned relative positions on a text of independent, uniform tokens, of which nothing can be predicted: no model that sees
the past alone comes below ln(vocabulary) on average. Adam, fixed steps; in generation only the tokens so far are there.
(The mask: Vaswani et al. 2017, arXiv 1706.03762, section 3.2.3.)
"""

from typing import Annotated

from kernels import Bound, Free, kernel


@kernel(
    kind="simulation",
    outputs={"masked_loss": "", "leaky_loss": "", "leaky_generating": "", "masked_generating": "", "uniform": ""},
    draws=8,
    tolerance=0.02,
)
def mask_leak(
    vocab: Annotated[int, Bound(low=2, high=64), Free(8, 32)] = 16,
    tokens: Annotated[int, Bound("token", low=4, high=64), Free(8, 32)] = 16,
    steps: Annotated[int, Bound(low=1, high=400)] = 200,
    seed: int = 0,
):
    """Loss in nats on fresh text, all positions at once as in training, and generating, where nothing later is there yet; with the mask and without.

    uniform: ln(vocab), what guessing gives. vocab, tokens: a toy's, so free.
    """
    import math

    import torch

    found = {"uniform": math.log(vocab)}
    for name, masked in (("masked", True), ("leaky", False)):
        random = torch.Generator().manual_seed(seed)
        model = parameters(vocab, tokens, random)
        optimizer = torch.optim.Adam(model, lr=0.05)
        for _ in range(steps):
            optimizer.zero_grad()
            loss(model, texts(vocab, tokens, 32, random), masked).backward()
            optimizer.step()
        fresh = texts(vocab, tokens, 256, random)
        with torch.no_grad():
            found[f"{name}_loss"] = loss(model, fresh, masked).item()
            found[f"{name}_generating"] = loss(model, fresh, True).item()  # the tokens so far alone, as in generation
    return found


def texts(vocab: int, tokens: int, batch: int, random):
    import torch

    return torch.randint(vocab, (batch, tokens + 1), generator=random)


def parameters(vocab: int, tokens: int, random):
    """Scores by distance, one for each of -tokens .. tokens, and a map from the attended token to logits."""
    import torch

    return [torch.zeros(2 * tokens + 1, requires_grad=True), (0.01 * torch.randn(vocab, vocab, generator=random)).requires_grad_()]


def loss(model, text, masked: bool):
    """Mean loss in nats of predicting each next token from the attended ones."""
    import torch

    scores, values = model
    inputs, targets = text[:, :-1], text[:, 1:]
    n = inputs.shape[1]
    positions = torch.arange(n)
    distances = positions[None, :] - positions[:, None]  # key minus query
    pattern = scores[distances + n]
    if masked:
        pattern = pattern.masked_fill(distances > 0, -torch.inf)
    logits = torch.softmax(pattern, 1) @ values[inputs]
    return torch.nn.functional.cross_entropy(logits.flatten(0, 1), targets.flatten())


@mask_leak.invariant
def nothing_can_be_predicted_from_the_past(result) -> bool:
    """With the mask, and in generation, no model is better than guessing but for chance."""
    floor = result["uniform"] - 0.05
    return result["masked_loss"] > floor and result["leaky_generating"] > floor
