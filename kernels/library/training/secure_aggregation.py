"""Secure aggregation: each pair of clients shares a mask, one adds it, the other subtracts it, and in the sum all of them cancel.

    y_i = x_i + sum_{j > i} m_ij - sum_{j < i} m_ij  (mod M)        sum_i y_i = sum_i x_i  (mod M)

x are updates in fixed point, m uniform over the M residues, so that y is uniform whatever x is (Bonawitz et al. 2017, CCS, section 4; there further
masks and secret sharing repair dropouts). A client that drops out leaves its masks in the others' sum, which is then uniform too: it is right with
a probability of 1/M.

Masks in floating point would neither hide nor cancel: beside a mask of magnitude m the neighbouring fp32 numbers are 2^(floor(log2 m) - 23) apart,
and each addition rounds to one of them.
"""

import math
from typing import Annotated

from kernels import Bound, kernel

FRACTION = 23  # bits of fp32's significand after the point


@kernel(kind="formula", outputs={"pairs": "", "masks_each": "", "wrong": "", "float_spacing": "", "sum_bits": ""})
def secure_aggregation(
    clients: Annotated[int, Bound(low=2)] = 1000,
    bits: Annotated[int, Bound(low=2, high=62)] = 16,
    modulus_bits: Annotated[int, Bound(low=4, high=64)] = 32,
    mask: Annotated[float, Bound(low=1.0, high=1e30)] = 1e6,
):
    """Masks to agree on, in all and for each client, and what one dropout and fp32 masks would do to the sum.

    bits: of one client's number in fixed point; sum_bits: that the sum needs, at most modulus_bits. wrong: the probability that a number of the sum
    is wrong where one client's message never arrives and its masks stay. float_spacing: between fp32 numbers of the size of `mask`, in its units.
    """
    return {
        "pairs": clients * (clients - 1) // 2,
        "masks_each": clients - 1,
        "wrong": 1 - 2.0**-modulus_bits,
        "float_spacing": 2.0 ** (math.floor(math.log2(mask)) - FRACTION),
        "sum_bits": bits + math.ceil(math.log2(clients)),
    }
