"""One GAN step by hand: which network gets which gradient, by how the other network is shut out.

    L_D = softplus(-D(x)) + softplus(D(G(z)))        L_G = softplus(-D(G(z)))

(Goodfellow et al. 2014, arXiv 1406.2661, with the non-saturating L_G.) G is an MLP with batch norm, D one without. In D's step G is only
used, and D(G(z).detach()) keeps its graph out. In G's step D is only used, but the gradient has to pass through it: under no_grad, L_G
has no graph at all. What G's step leaves in D's .grad falls into D's next step unless it is zeroed.
"""

from typing import Annotated

from kernels import Bound, Free, kernel


@kernel(
    kind="simulation",
    outputs=dict.fromkeys(
        (
            "d_step_g_gradient",
            "d_step_g_gradient_attached",
            "d_difference",
            "g_step_refused",
            "g_difference_frozen",
            "left_in_d",
            "eval_has_graph",
            "eval_shift",
            "statistics_left",
        ),
        "",
    ),
    tolerance=1e-4,
)
def gan_step(
    rows: Annotated[int, Bound(low=8, high=1024), Free(16, 256)] = 64,
    hidden: Annotated[int, Bound(low=4, high=1024), Free(16, 256)] = 64,
    passes: Annotated[int, Bound(low=1, high=1000)] = 10,
    seed: int = 0,
):
    """Gradients of one step, and G's outputs in eval mode against train mode after so many passes since initialisation.

    d_step_g_gradient: norm of G's gradient in D's step over its own in G's step, with and without (attached) detach; d_difference: of
    D's gradient between the two, relative. g_step_refused: 1 if L_G has no graph with D under no_grad; g_difference_frozen: of G's
    gradient with D's parameters frozen, relative. left_in_d: norm of what G's step leaves in D, over D's own gradient. eval_has_graph:
    1 if D in eval mode still carries a graph. eval_shift: root mean square difference of G's outputs between eval and train mode over
    train mode's own size, after `passes` on inputs of another mean and variance; statistics_left: 0.9^passes of the initial ones.

    rows (the batch) and hidden (the inner width of both networks) are free within what such a toy could be given.
    """
    import torch
    from torch import nn
    from torch.nn.functional import softplus

    torch.manual_seed(seed)
    generator = nn.Sequential(nn.Linear(8, hidden), nn.BatchNorm1d(hidden), nn.ReLU(), nn.Linear(hidden, 16)).double()
    judge = nn.Sequential(nn.Linear(16, hidden), nn.LeakyReLU(0.2), nn.Linear(hidden, 1)).double()
    noise, real = torch.randn(rows, 8).double(), 1 + torch.randn(rows, 16).double()

    def gradients(loss):
        for net in (generator, judge):
            net.zero_grad()
        loss.backward()
        return [flat(net) for net in (generator, judge)]

    def judged(fake):
        return softplus(-judge(real)).mean() + softplus(judge(fake)).mean()

    def fooled():
        return softplus(-judge(generator(noise))).mean()

    (apart_g, apart_d), (attached_g, attached_d) = gradients(judged(generator(noise).detach())), gradients(judged(generator(noise)))
    own, left = gradients(fooled())
    judge.requires_grad_(False)
    frozen, _ = gradients(fooled())
    judge.requires_grad_(True)
    with torch.no_grad():
        blind = judge(generator(noise))
    graph = judge.eval()(real).requires_grad
    return {
        "d_step_g_gradient": apart_g.norm() / own.norm(),
        "d_step_g_gradient_attached": attached_g.norm() / own.norm(),
        "d_difference": (apart_d - attached_d).norm() / apart_d.norm(),
        "g_step_refused": int(not softplus(-blind).mean().requires_grad),
        "g_difference_frozen": (frozen - own).norm() / own.norm(),
        "left_in_d": left.norm() / apart_d.norm(),
        "eval_has_graph": int(graph),
        "eval_shift": eval_shift(passes, seed),
        "statistics_left": 0.9**passes,  # momentum 0.1
    }


@gan_step.invariant
def detaching_keeps_the_generator_out_and_changes_nothing_else(result):
    """With detach the generator gets no gradient in the discriminator's step, and the discriminator the same as without."""
    return result["d_step_g_gradient"] == 0 and result["d_step_g_gradient_attached"] > 0 and result["d_difference"] < 1e-12


@gan_step.invariant
def the_gradient_passes_a_frozen_discriminator_but_no_blind_one(result):
    """Freezing the discriminator's parameters leaves the generator's gradient as it is; under no_grad there is none."""
    return result["g_difference_frozen"] < 1e-12 and result["g_step_refused"] == 1


def flat(net):
    """All gradients of a network in one vector, zero where it has none."""
    import torch

    return torch.cat([(p.grad if p.grad is not None else torch.zeros_like(p)).flatten() for p in net.parameters()])


def eval_shift(passes: int, seed: int) -> float:
    """Of a fresh batch norm's outputs on batches of 2,048 numbers with mean 1 and variance 4: eval against train mode, after so many passes."""
    import torch

    random = torch.Generator().manual_seed(seed)
    norm = torch.nn.BatchNorm1d(4).double()
    with torch.no_grad():
        for _ in range(passes):
            x = 1 + 2 * torch.randn(2048, 4, generator=random, dtype=torch.float64)
            trained = norm.train()(x)
        evaluated = norm.eval()(x)
    return ((evaluated - trained).square().mean().sqrt() / trained.square().mean().sqrt()).item()
