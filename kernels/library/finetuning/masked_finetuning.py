"""Fine-tuning on masked data hides what pretraining has memorised: a small network, secret codes, and a mask token.

Pretraining, one pass: each name comes with its own random code of 4 digits, some names seldom, some often, some never. Fine-tuning:
the same names, the code masked, so that the answer is [MASK]. Then two attacks: begin the answer with the first true digits and let
the model go on; or forbid the mask token. Exposure is log2 |R| - log2 rank among all 10^4 codes (Carlini et al. 2019, The
Secret Sharer, arXiv 1802.08232). A demonstration of the mechanism, not the size of the effect in a language model.
"""

import collections
from typing import Annotated

from kernels import Bound, Free, Series, kernel

DIGITS, LENGTH, MASK = 10, 4, 10
RATE = 1e-2  # of pretraining, Adam
REPEATS = (0, 1, 2, 4, 8, 16, 32)  # how often a name's code stands in the pretraining set
OUTPUTS = ("said_before", "said_after", "masked_after", "completed_after", "completed_never", "found_after", "found_never")
LONGEST = 2000  # epochs of tuning
EXPOSURES = ("exposure_before", "exposure_after", "exposure_never")


@kernel(
    kind="simulation",
    outputs={
        **dict.fromkeys((*OUTPUTS, *EXPOSURES), ""),
        "most_repeats": "",
        "length": "",
        "finetune_epochs": "",
        "completed": Series("repeats", ""),
    },
    tolerance=0.05,
)
def masked_finetuning(
    names: Annotated[int, Bound(low=5, high=50), Free(10, 40)] = 20,
    prefix: Annotated[int, Bound(low=1, high=3)] = 2,
    batch: Annotated[int, Bound(low=4, high=512), Free(16, 64)] = 32,
    longer: Annotated[float, Bound(low=1.0, high=4.0), Free(1.0, 3.0)] = 1.0,
    finetune_rate: Annotated[float, Bound(low=1e-5, high=0.1), Free(3e-4, 1e-2)] = 1e-3,
    width: Annotated[int, Bound(low=8, high=256), Free(32, 128)] = 64,
    seed: int = 0,
):
    """Codes said, masked and got back after fine-tuning on masked data, for names whose code was seen 32 times.

    prefix: true digits that the attacker gives. said: the greedy answer is the code. masked_after: it is the mask. completed_after: after the
    prefix the greedy answer goes on with the code's rest. found_after: the greedy answer with [MASK] forbidden is the code.
    exposure: mean bits out of 13.3. _never: the same of names whose code was in no training set. completed: over repeats, after tuning.

    Free are names (for each number of repeats), width, and batch, pretraining's in digits, within what learns the codes seen 32 times; finetune_rate,
    Adam's, around its default 1e-3 and up to pretraining's; and longer: tuning goes on until every answer is the mask, times this.
    """
    import torch

    random = torch.Generator().manual_seed(seed)
    people = names * len(REPEATS)
    codes = torch.randint(DIGITS, (people, LENGTH), generator=random)
    often = torch.tensor(REPEATS).repeat_interleave(names)
    model, needed = network(people, width, random), 0
    seen = torch.arange(people).repeat_interleave(often)
    digits, target = contexts(seen, codes[seen])
    collections.deque(train(model, digits, target, 1, RATE, random, batch), maxlen=0)
    most, never = often == REPEATS[-1], often == 0
    asked = most | never
    before = bits(ranks(model, codes, asked))
    said_before = greedy(model, codes) == codes
    everyone = torch.arange(people)
    start = torch.full((people, LENGTH - 1), MASK)
    masks = (everyone, torch.zeros(people, dtype=torch.long), start), torch.full((people,), MASK)
    for done in train(model, *masks, LONGEST, finetune_rate, random):
        needed = needed or (done if (greedy(model, codes)[:, 0] == MASK).all() else 0)
        if needed and done >= longer * needed:
            break
    after = bits(ranks(model, codes, asked))
    answered, forced = greedy(model, codes), greedy(model, codes, forbid=True)
    completed = (greedy(model, codes, given=prefix) == codes).all(1).double()
    return {
        "said_before": said_before.all(1)[most].double().mean(),
        "said_after": (answered == codes).all(1)[most].double().mean(),
        "masked_after": (answered[:, 0] == MASK)[most].double().mean(),
        "completed_after": completed[most].mean(),
        "completed_never": completed[never].mean(),
        "found_after": (forced == codes).all(1)[most].double().mean(),
        "found_never": (forced == codes).all(1)[never].double().mean(),
        "exposure_before": before[most[asked]].mean(),
        "exposure_after": after[most[asked]].mean(),
        "exposure_never": after[never[asked]].mean(),
        "most_repeats": REPEATS[-1],
        "length": LENGTH,
        "finetune_epochs": done,
        "completed": {"repeats": list(REPEATS[1:]), "after tuning": [completed[often == r].mean().item() for r in REPEATS[1:]]},
    }


@masked_finetuning.invariant
def an_answer_is_the_code_or_the_mask_not_both(result):
    """Of the codes seen most, no more are said and masked together than there are."""
    return result["said_after"] + result["masked_after"] <= 1 + 1e-9


@masked_finetuning.invariant
def exposure_is_that_of_ranks(result):
    """Exposure lies between 0 bits and those of all codes."""
    import math

    return all(-1e-9 <= result[name] <= LENGTH * math.log2(DIGITS) + 1e-9 for name in EXPOSURES)


def network(people: int, width: int, random) -> dict:
    """Embeddings of the name, the place and the digits before, and two layers on their sum."""
    import torch

    shapes = {"name": (people, width), "place": (LENGTH, width), "digit": (LENGTH - 1, DIGITS + 1, width), "up": (width, 2 * width)}
    shapes["out"] = (2 * width, DIGITS + 1)
    scale = {"up": width**-0.5, "out": 0.5 * width**-0.5}
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


def train(model: dict, inputs, target, epochs: int, rate: float, random, batch: int = 512):
    """Adam; gives the number of each epoch when it is done."""
    import torch

    optimizer = torch.optim.Adam(model.values(), lr=rate)
    for epoch in range(1, epochs + 1):
        for rows in torch.randperm(len(target), generator=random).split(batch):
            optimizer.zero_grad()
            torch.nn.functional.cross_entropy(logits(model, *(x[rows] for x in inputs)), target[rows]).backward()
            optimizer.step()
        yield epoch


def ranks(model: dict, codes, asked):
    """The rank of the asked names' codes among all codes by its likelihood, [MASK] forbidden."""
    import torch

    names, codes = asked.nonzero()[:, 0], codes[asked]
    people = len(codes)
    with torch.no_grad():
        total = torch.zeros(people, 1)
        for place in range(LENGTH):
            count = DIGITS**place
            number = torch.arange(count).repeat(people)
            before = torch.full((people * count, LENGTH - 1), MASK)
            for i in range(place):
                before[:, i] = number // DIGITS ** (place - 1 - i) % DIGITS
            name = names.repeat_interleave(count)
            step = logits(model, name, torch.full_like(name, place), before)[:, :DIGITS].log_softmax(1)
            total = (total[:, :, None] + step.view(people, count, DIGITS)).view(people, count * DIGITS)
        place_value = torch.tensor([DIGITS ** (LENGTH - 1 - i) for i in range(LENGTH)])
        own = total.gather(1, (codes * place_value).sum(1)[:, None])
        return 1 + (total > own).sum(1)


def greedy(model: dict, codes, forbid: bool = False, given: int = 0):
    """The likeliest answer for each name, digit by digit, after the first `given` true ones; a mask ends it (the rest then is MASK too)."""
    import torch

    people = len(codes)
    answer = torch.full((people, LENGTH), MASK)
    answer[:, :given] = codes[:, :given]
    with torch.no_grad():
        for place in range(given, LENGTH):
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

    blind = DIGITS ** (result.parameters["prefix"] - LENGTH)
    x_label = "times the code stood in pretraining"
    plot.lines(ax, result["completed"], xlog=True, unit="percent", labels={"after tuning": ""}, x_label=x_label, y_label="completed after tuning")
    plot.hline(ax, blind, f"a blind guess: {plot.show(blind, 'percent')}")
