"""Secure aggregation: each pair of clients shares a mask, one adds it, the other subtracts it, and in the sum all of them cancel.

    y_i = x_i + sum_{j > i} m_ij - sum_{j < i} m_ij  (mod 2^32)        sum_i y_i = sum_i x_i  (mod 2^32)

x are updates in fixed point, m uniform over 32 bits (Bonawitz et al. 2017, CCS, section 4; there further masks and secret sharing
repair dropouts). Masks in floating point would cancel only up to rounding, and would not hide.
"""

from typing import Annotated

from kernels import Bound, kernel

MODULUS = 2**32


@kernel(
    kind="simulation",
    outputs={
        "mismatches": "",
        "correlation": "",
        "plain_error": "",
        "float_error": "",
        "dropout_mismatches": "",
        "pairs": "",
        "pairs_thousand": "",
        "expected_correlation": "",
    },
    tolerance=1e-3,
)
def secure_aggregation(
    clients: Annotated[int, Bound(low=2, high=100)] = 20,
    d: Annotated[int, Bound(low=10, high=100000)] = 10000,
    bits: Annotated[int, Bound(low=4, high=24)] = 16,
    mask: Annotated[float, Bound(low=1.0, high=1e12)] = 1e6,
    seed: int = 0,
):
    """Share of sums that differ after masking, the correlation of a masked update with its own, and what one dropout does.

    plain_error: relative error of the sum from fixed point alone. float_error: relative error where fp32 masks of size `mask` are added instead.
    dropout_mismatches: share of wrong sums where one client's message never arrives and its masks stay. pairs: masks to agree on;
    pairs_thousand: with 1,000 clients. expected_correlation: of unrelated vectors of that length.
    """
    import torch

    random = torch.Generator().manual_seed(seed)
    updates = torch.randn(clients, d, generator=random, dtype=torch.float64)
    scale = (2 ** (bits - 1) - 1) / updates.abs().max()
    fixed = (updates * scale).round().long()
    masked, floats = fixed.clone(), updates.float()
    for i in range(clients):
        for j in range(i + 1, clients):
            m = torch.randint(0, MODULUS, (d,), generator=random)
            masked[i] = (masked[i] + m) % MODULUS
            masked[j] = (masked[j] - m) % MODULUS
            f = (m.double() / MODULUS * 2 - 1).float() * mask
            floats[i] += f
            floats[j] -= f
    total, wanted = signed(masked.sum(0)), fixed.sum(0)
    true = updates.sum(0)
    seen = torch.corrcoef(torch.stack([masked[0].double(), fixed[0].double()]))[0, 1].abs()
    return {
        "mismatches": (total != wanted).double().mean(),
        "correlation": seen,
        "plain_error": (wanted / scale - true).norm() / true.norm(),
        "float_error": (floats.sum(0).double() - true).norm() / true.norm(),
        "dropout_mismatches": (signed(masked[1:].sum(0)) != fixed[1:].sum(0)).double().mean(),
        "pairs": clients * (clients - 1) // 2,
        "pairs_thousand": 1000 * 999 // 2,
        "expected_correlation": d**-0.5,
    }


def signed(x):
    """Residues as numbers from -2^31 to 2^31 - 1."""
    x = x % MODULUS
    return x - MODULUS * (x >= MODULUS // 2).long()
