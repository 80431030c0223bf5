"""The models that preference tuning holds in memory: PPO, DPO and GRPO with a reward model, all models of one size.

A trained model holds 16 bytes a parameter (weights and gradients in bf16, fp32 master copy and two AdamW moments, as in
training_memory), a frozen one 2. PPO: trained policy and critic, frozen reference and reward model (Ouyang et al. 2022,
arXiv 2203.02155). DPO: policy and reference (Rafailov et al. 2023, arXiv 2305.18290), or the policy alone where the
reference's log probabilities are computed beforehand. GRPO drops the critic (arXiv 2402.03300). Activations, the KV
cache of generating, and further copies of weights for a rollout engine come on top.
"""

from typing import Annotated

from kernels import Bound, kernel

ROLES = ("policy", "critic", "reference", "reward model")
TRAINED = {"ppo": ("policy", "critic"), "grpo": ("policy",), "dpo": ("policy",)}
FROZEN = {"ppo": ("reference", "reward model"), "grpo": ("reference", "reward model"), "dpo": ("reference",)}


@kernel(kind="formula", outputs={"ppo": "B", "grpo": "B", "dpo": "B", "dpo_cached": "B", "ratio": "", "trained_ppo": "B", "one": "B"})
def rlhf_memory(
    parameters: Annotated[int, Bound(low=1)] = 7_000_000_000,
    trained_bytes: Annotated[float, Bound("B", low=2.0, high=32.0)] = 16.0,
    frozen_bytes: Annotated[float, Bound("B", low=0.5, high=4.0)] = 2.0,
):
    """Bytes that PPO, GRPO with a reward model, and DPO hold whatever the batch, and PPO's over DPO's.

    dpo_cached: the reference run once beforehand. one: a trained model. trained_ppo: the policy and the critic of PPO.
    """
    totals = {method: parameters * sum(parts(method, trained_bytes, frozen_bytes).values()) for method in TRAINED}
    return {
        **totals,
        "dpo_cached": parameters * trained_bytes,
        "ratio": totals["ppo"] / totals["dpo"],
        "trained_ppo": 2 * parameters * trained_bytes,
        "one": parameters * trained_bytes,
    }


def parts(method: str, trained: float, frozen: float) -> dict[str, float]:
    """Bytes a parameter by role, in the order of ROLES."""
    held = dict.fromkeys(TRAINED[method], trained) | dict.fromkeys(FROZEN[method], frozen)
    return {role: held[role] for role in ROLES if role in held}


@rlhf_memory.figure
def draw(result, ax):
    from kernels import plot

    p = result.parameters
    rows = {
        name: {role: size * p["parameters"] for role, size in parts(key, p["trained_bytes"], p["frozen_bytes"]).items()}
        for name, key in (("PPO", "ppo"), ("GRPO", "grpo"), ("DPO", "dpo"))
    }
    plot.stacked_bars(ax, rows, unit="B")
