"""A toy mixture whose router has collapsed, trained on with and without remedies: which of them bring the idle experts back?

One layer, E linear experts, top-1 routing; inputs come from E clusters, each with its own linear map to the target, so that the task
needs all experts. Router input x, logits l = W x + c, p = softmax(l), output p_e A_e x of the chosen expert e, squared error, Adam.
At the start c favours expert 0 by `gap`, so that for a large gap it gets every token. Five trainings on the same data:

    none     nothing
    jitter   the router's input times 1 + u, u uniform in +-1 %            (Fedus et al. 2021, Switch, arXiv 2101.03961, appendix C)
    noise    normal noise of deviation `noise` on the logits, as in Shazeer et al. 2017, arXiv 1701.06538, equation 4, but fixed
    loss     + alpha E sum_i f_i P_i, f shares of tokens, P mean probabilities               (Switch, equations 4 to 6)
    bias     e = argmax(l + b), the gate p from l alone; b_i += rate sign(1 / E - f_i)        (Wang et al. 2024, arXiv 2408.15664)

alpha and the bias's rate are those of the two papers. Loads and errors are means over the last 50 steps. A load's effective number of experts is
exp(entropy of f), 1 to E.
"""

import math
from typing import Annotated

from kernels import Bound, Free, Series, kernel

METHODS = ("none", "jitter", "noise", "loss", "bias")
WIDTH, BATCH, LAST, TEST = 16, 128, 50, 2048
JITTER, RATE = 0.01, 0.001
DEAD = 0.1  # of a fair share


@kernel(
    kind="simulation",
    outputs={
        **{f"{method}_effective": "" for method in METHODS},
        **{f"{method}_dead": "" for method in METHODS},
        **{f"{method}_error": "" for method in METHODS},
        "first_effective": "",
        "first_share": "",
        "clean_error": "",
        **{f"{what}_{end}": "" for what in ("perturbed_jitter", "perturbed_noise") for end in ("error", "moved")},
        "effective": Series("step", ""),
    },
    tolerance=1e-3,
)
def router_collapse(
    gap: Annotated[float, Bound(low=0.0, high=20.0)] = 5.0,
    experts: Annotated[int, Bound(low=2, high=16)] = 8,
    steps: Annotated[int, Bound(low=100, high=2000)] = 1200,
    alpha: Annotated[float, Bound(low=0.0, high=10.0)] = 0.01,
    noise: Annotated[float, Bound(low=0.0, high=10.0)] = 1.0,
    learning_rate: Annotated[float, Bound(low=1e-5, high=0.1), Free(1e-3, 1e-2)] = 3e-3,
    seed: int = 0,
):
    """How many experts a collapsed toy router uses after more training, by remedy, and the task's error; gap is the favourite's lead in logits.

    *_effective: exp of the load's entropy; *_dead: experts with less than a tenth of a fair share; *_error: squared error relative to the
    target's. first_*: before training. clean_error: of the model trained with `bias`, on new data; perturbed_*: the same model with jitter
    or noise put on its router, and the share of tokens that move to another expert. effective: over the steps. learning_rate: Adam's for a toy
    of this size, free between 0.001 and 0.01.
    """
    import torch

    random = torch.Generator().manual_seed(seed)
    task, router, maps = start(experts, gap, random)
    kinds = len(METHODS)
    router, maps = (t.repeat(kinds, *[1] * (t.dim() - 1)).requires_grad_() for t in (router, maps))
    only = {m: torch.tensor([float(m == n) for n in METHODS], dtype=torch.float64)[:, None, None] for m in METHODS}
    bias = torch.zeros(kinds, 1, experts, dtype=torch.float64)
    adam = torch.optim.Adam([router, maps], lr=learning_rate)
    loads, errors = [], []
    for _ in range(steps):
        x, y = batch(task, BATCH, random)
        jitter, normal = perturbations(x, experts, random)
        given = x.repeat(kinds, 1, 1) * (1 + only["jitter"] * jitter.repeat(kinds, 1, 1))
        logits = given @ router.mT + noise * only["noise"] * normal.repeat(kinds, 1, 1)
        chosen = (logits.detach() + bias).argmax(-1)
        p = logits.softmax(-1)
        load = torch.nn.functional.one_hot(chosen, experts).double().mean(1)
        error = ((answer(x.repeat(kinds, 1, 1), maps, p, chosen) - y.repeat(kinds, 1, 1)) ** 2).mean((1, 2))
        (error + alpha * only["loss"][:, 0, 0] * balance(load, p.mean(1))).sum().backward()
        adam.step()
        adam.zero_grad()
        bias += RATE * only["bias"] * torch.sign(1 / experts - load)[:, None]
        loads.append(load)
        errors.append(error.detach())

    load, error = torch.stack(loads), torch.stack(errors)
    last, lost = load[-LAST:].mean(0), error[-LAST:].mean(0)
    each = range(0, steps, max(1, steps // 40))
    path = effective(torch.stack([load[i : i + max(1, steps // 40)].mean(0) for i in each]))
    tail = slice(METHODS.index("bias"), METHODS.index("bias") + 1)
    return {
        **{f"{m}_effective": effective(last)[i] for i, m in enumerate(METHODS)},
        **{f"{m}_dead": (last < DEAD / experts).sum(-1)[i] for i, m in enumerate(METHODS)},
        **{f"{m}_error": lost[i] for i, m in enumerate(METHODS)},
        "first_effective": effective(load[0, 0]),
        "first_share": load[0, 0, 0],
        **perturbed(task, router[tail].detach(), maps[tail].detach(), bias[tail], noise, random),
        "effective": {"step": list(each), **{m: path[:, i] for i, m in enumerate(METHODS)}},
    }


def start(experts: int, gap: float, random):
    """The task (cluster centres and maps, [1, experts, ...]), the router [1, experts, width + 1] and the experts."""
    import torch

    def normal(*shape):
        return torch.randn(1, *shape, generator=random, dtype=torch.float64)

    centres = torch.nn.functional.normalize(normal(experts, WIDTH), dim=-1) * math.sqrt(WIDTH)
    targets, maps = (normal(experts, WIDTH, WIDTH) / math.sqrt(WIDTH) for _ in range(2))
    router = torch.cat([0.02 * normal(experts, WIDTH), torch.zeros(1, experts, 1, dtype=torch.float64)], -1)
    router[:, 0, WIDTH] = gap
    return (centres, targets), router, maps


def batch(task, size: int, random):
    """Inputs with a constant 1 appended, [1, size, width + 1], and targets scaled to a mean square of 1."""
    import torch

    centres, targets = task
    of = torch.randint(centres.shape[1], (1, size), generator=random)
    x = centres[0, of] + torch.randn(1, size, WIDTH, generator=random, dtype=torch.float64)
    y = torch.einsum("sboi,sbi->sbo", targets[0, of], x) / math.sqrt(2)
    return torch.cat([x, torch.ones(1, size, 1, dtype=torch.float64)], -1), y


def perturbations(x, experts: int, random):
    """Uniform relative jitter shaped like the inputs, and standard normal noise for the logits."""
    import torch

    return (JITTER * (2 * torch.rand(x.shape, generator=random, dtype=torch.float64) - 1),
            torch.randn(*x.shape[:2], experts, generator=random, dtype=torch.float64))  # fmt: skip


def answer(x, maps, p, chosen):
    """What the chosen expert gives, times its gate: p_e A_e x for each token. x [runs, tokens, width + 1] -> [runs, tokens, width]."""
    runs, experts, width, _ = maps.shape
    all_of_them = x[..., :width] @ maps.permute(0, 3, 1, 2).reshape(runs, width, experts * width)
    picked = chosen[..., None, None].expand(*chosen.shape, 1, width)
    return p.gather(2, chosen[..., None]) * all_of_them.view(*chosen.shape, experts, width).gather(2, picked)[:, :, 0]


def balance(load, probability):
    """Switch's balancing loss without its coefficient: E sum_i f_i P_i, 1 where both are uniform."""
    return load.shape[-1] * (load * probability).sum(-1)


def effective(load):
    """exp(entropy) over the last axis: how many equally loaded experts would be as spread out."""
    import torch

    return torch.special.entr(load).sum(-1).exp()


def perturbed(task, router, maps, bias, noise: float, random) -> dict[str, float]:
    """A trained model on new data: its error, and its error and changed routes with jitter or noise on the router."""
    x, y = batch(task, TEST, random)
    jitter, normal = perturbations(x, router.shape[1], random)

    def run(given, add):
        logits = given @ router.mT + add
        chosen = (logits + bias).argmax(-1)
        return ((answer(x, maps, logits.softmax(-1), chosen) - y) ** 2).mean(), chosen

    clean, route = run(x, 0.0)
    found = {"clean_error": clean}
    for name, given, add in (("perturbed_jitter", x * (1 + jitter), 0.0), ("perturbed_noise", x, noise * normal)):
        error, other = run(given, add)
        found |= {f"{name}_error": error, f"{name}_moved": (other != route).double().mean()}
    return found


@router_collapse.invariant
def a_load_uses_no_more_experts_than_are_alive(result):
    """The effective number of experts lies between 1 and what the dead ones leave: each of them at a tenth of a fair share, the others alike."""
    experts = result.parameters["experts"]

    def most(dead: int) -> float:
        each, rest = DEAD / experts, 1 - dead * DEAD / experts
        return math.exp(-dead * each * math.log(each) - rest * math.log(rest / (experts - dead)))

    return all(1 - 1e-9 <= result[f"{method}_effective"] <= most(result[f"{method}_dead"]) + 1e-9 for method in METHODS)


@router_collapse.figure
def draw(result, ax):
    from kernels import plot

    noise = f"noise {result.parameters['noise']:g} on logits"
    names = {"none": "no remedy", "jitter": "jitter ±1 %", "noise": noise, "loss": "balancing loss", "bias": "selection bias"}
    plot.bars(ax, {name: round(result[f"{method}_effective"]) for method, name in names.items()}, unit="", highlight="jitter ±1 %",
              limit=(result.parameters["experts"], f"all {result.parameters['experts']} experts"))  # fmt: skip
