"""Fine-tuning on masked data hides what pretraining has memorised: a small network, secret codes, and a mask token.

Pretraining: each name comes with its own random code of 4 digits, some names seldom, some often, some never. Fine-tuning:
the same names, the code masked, so that the answer is [MASK]. Then the greedy answer is compared with what is left when
an attacker forbids the mask token. Exposure is log2 |R| - log2 rank among all 10^4 codes (Carlini et al. 2019, The
Secret Sharer, arXiv 1802.08232). A demonstration of the mechanism, not the size of the effect in a language model.
"""

from typing import Annotated

from kernels import Bound, Series, kernel

DIGITS, LENGTH, MASK, WIDTH = 10, 4, 10, 64
RATE = 1e-2  # of pretraining, Adam
REPEATS = (0, 1, 2, 4, 8, 16, 32)  # how often a name's code stands in the pretraining set
OUTPUTS = ("said_before", "said_after", "masked_after", "found_after", "exposure_before", "exposure_after", "exposure_never", "found_never")


@kernel(kind="simulation", outputs={**dict.fromkeys(OUTPUTS, ""), "most_repeats": "", "sweep": Series("repeats", "")}, tolerance=0.05)
def masked_finetuning(
    names: Annotated[int, Bound(low=5, high=50)] = 20,
    epochs: Annotated[int, Bound(low=0, high=40)] = 10,
    finetune_epochs: Annotated[int, Bound(low=0, high=400)] = 60,
    finetune_rate: Annotated[float, Bound(low=1e-5, high=0.1)] = 1e-3,
    seed: int = 0,
):
    """Codes said, masked and found again after fine-tuning on masked data, for names whose code was seen 32 times.

    names: for each number of repeats. finetune_rate: Adam's, a tenth of pretraining's by default. said: the greedy answer
    is the code. masked_after: it is the mask. found_after: the greedy answer with [MASK] forbidden is the code.
    exposure: mean bits out of 13.3. _never: the same of names whose code was in no training set. sweep: over repeats.
    """
    import torch

    random = torch.Generator().manual_seed(seed)
    people = names * len(REPEATS)
    codes = torch.randint(DIGITS, (people, LENGTH), generator=random)
    often = torch.tensor(REPEATS).repeat_interleave(names)
    model = network(people, random)
    seen = torch.arange(people).repeat_interleave(often)
    digits, target = contexts(seen, codes[seen])
    train(model, digits, target, epochs, RATE, random)
    before = ranks(model, codes)
    said_before = greedy(model, people) == codes
    everyone = torch.arange(people)
    start = torch.full((people, LENGTH - 1), MASK)
    train(model, (everyone, torch.zeros(people, dtype=torch.long), start), torch.full((people,), MASK), finetune_epochs, finetune_rate, random)
    after = ranks(model, codes)
    answered, forced = greedy(model, people), greedy(model, people, forbid=True)
    most, never = often == REPEATS[-1], often == 0
    exposure_after = bits(after)
    return {
        "said_before": said_before.all(1)[most].double().mean(),
        "said_after": (answered == codes).all(1)[most].double().mean(),
        "masked_after": (answered[:, 0] == MASK)[most].double().mean(),
        "found_after": (forced == codes).all(1)[most].double().mean(),
        "exposure_before": bits(before)[most].mean(),
        "exposure_after": exposure_after[most].mean(),
        "exposure_never": exposure_after[never].mean(),
        "found_never": (forced == codes).all(1)[never].double().mean(),
        "most_repeats": REPEATS[-1],
        "sweep": {
            "repeats": list(REPEATS[1:]),
            "before": [bits(before)[often == r].mean().item() for r in REPEATS[1:]],
            "after": [exposure_after[often == r].mean().item() for r in REPEATS[1:]],
        },
    }


def network(people: int, random) -> dict:
    """Embeddings of the name, the place and the digits before, and two layers on their sum."""
    import torch

    shapes = {"name": (people, WIDTH), "place": (LENGTH, WIDTH), "digit": (LENGTH - 1, DIGITS + 1, WIDTH), "up": (WIDTH, 2 * WIDTH)}
    shapes["out"] = (2 * WIDTH, DIGITS + 1)
    scale = {"up": WIDTH**-0.5, "out": 0.5 * WIDTH**-0.5}
    return {
        part: (scale.get(part, 0.5) * torch.randn(shape, generator=random, dtype=torch.float64)).requires_grad_() for part, shape in shapes.items()
    }


def logits(model: dict, name, place, before):
    """Of the next token, one row a context; `before` holds the digits so far, MASK where there is none yet."""
    import torch

    x = model["name"][name] + model["place"][place] + sum(model["digit"][i][before[:, i]] for i in range(LENGTH - 1))
    return torch.relu(x @ model["up"]) @ model["out"]


def contexts(name, code):
    """Every next-digit example of these codes: ((name, place, digits before), digit)."""
    import torch

    place = torch.arange(LENGTH).repeat(len(name))
    name, whole = name.repeat_interleave(LENGTH), code.repeat_interleave(LENGTH, 0)
    before = torch.where(torch.arange(LENGTH - 1) < place[:, None], whole[:, : LENGTH - 1], MASK)
    return (name, place, before), whole.gather(1, place[:, None])[:, 0]


def train(model: dict, inputs, target, epochs: int, rate: float, random, batch: int = 512) -> None:
    import torch

    optimizer = torch.optim.Adam(model.values(), lr=rate)
    for _ in range(epochs):
        for rows in torch.randperm(len(target), generator=random).split(batch):
            optimizer.zero_grad()
            torch.nn.functional.cross_entropy(logits(model, *(x[rows] for x in inputs)), target[rows]).backward()
            optimizer.step()


def ranks(model: dict, codes):
    """The rank of each name's code among all codes by its likelihood, [MASK] forbidden."""
    import torch

    people = len(codes)
    with torch.no_grad():
        total = torch.zeros(people, 1)
        for place in range(LENGTH):
            count = DIGITS**place
            number = torch.arange(count).repeat(people)
            before = torch.full((people * count, LENGTH - 1), MASK)
            for i in range(place):
                before[:, i] = number // DIGITS ** (place - 1 - i) % DIGITS
            name = torch.arange(people).repeat_interleave(count)
            step = logits(model, name, torch.full_like(name, place), before)[:, :DIGITS].log_softmax(1)
            total = (total[:, :, None] + step.view(people, count, DIGITS)).view(people, count * DIGITS)
        place_value = torch.tensor([DIGITS ** (LENGTH - 1 - i) for i in range(LENGTH)])
        own = total.gather(1, (codes * place_value).sum(1)[:, None])
        return 1 + (total > own).sum(1)


def greedy(model: dict, people: int, forbid: bool = False):
    """The likeliest answer for each name, digit by digit; a mask ends it (the rest then is MASK too)."""
    import torch

    answer = torch.full((people, LENGTH), MASK)
    with torch.no_grad():
        for place in range(LENGTH):
            z = logits(model, torch.arange(people), torch.full((people,), place), answer[:, : LENGTH - 1])
            token = z[:, :DIGITS].argmax(1) if forbid else z.argmax(1)
            answer[:, place] = torch.where((answer[:, place - 1] == MASK) if place else torch.tensor(False), MASK, token)
    return answer


def bits(rank):
    """Exposure."""
    import math

    return LENGTH * math.log2(DIGITS) - rank.double().log2()


@masked_finetuning.figure
def draw(result, ax):
    from kernels import plot

    labels = {"before": "before", "after": "after tuning"}
    plot.lines(ax, result["sweep"], xlog=True, labels=labels, x_label="times the code stood in pretraining", y_label="exposure, bits")
    plot.hline(ax, result["exposure_never"], "code never seen")
