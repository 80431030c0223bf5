"""Oracle: the protocol played through, in integers and in fp32."""

import pytest

torch = pytest.importorskip("torch")

from kernels.library.training.secure_aggregation import secure_aggregation


def masked(updates, modulus, random):
    """Each client's message, and how many masks were agreed on."""
    messages, pairs = updates.clone(), 0
    for i in range(len(updates)):
        for j in range(i + 1, len(updates)):
            mask = torch.randint(0, modulus, updates.shape[1:], generator=random)
            messages[i], messages[j] = (messages[i] + mask) % modulus, (messages[j] - mask) % modulus
            pairs += 1
    return messages, pairs


@pytest.mark.parametrize("clients", [2, 5, 20])
def test_masks_cancel_in_the_sum_and_a_dropout_leaves_it_uniform(clients):
    random = torch.Generator().manual_seed(clients)
    updates = torch.randint(0, 4, (clients, 20_000), generator=random)
    messages, pairs = masked(updates, 16**2, random)
    assert pairs == secure_aggregation(clients=clients)["pairs"] == clients * secure_aggregation(clients=clients)["masks_each"] / 2
    assert torch.equal(messages.sum(0) % 256, updates.sum(0) % 256)
    without = (messages[1:].sum(0) - updates[1:].sum(0)) % 256
    assert (without != 0).double().mean() == pytest.approx(secure_aggregation(modulus_bits=8)["wrong"], abs=2e-3)
    assert torch.bincount(messages[0], minlength=256).double().std() / (20_000 / 256) ** 0.5 == pytest.approx(1, rel=0.2)  # uniform


@pytest.mark.parametrize("mask", [1.0, 1000.0, 1e6, 3e7])
def test_the_spacing_is_torchs(mask):
    here = torch.tensor(mask)
    assert secure_aggregation(mask=mask)["float_spacing"] == (torch.nextafter(here, torch.tensor(torch.inf)) - here).item()


def test_the_sum_of_as_many_numbers_fits():
    assert secure_aggregation(clients=1000, bits=16)["sum_bits"] == len(f"{1000 * (2**16 - 1):b}")
