"""Oracle: labelers enumerated, right or wrong, with their probabilities."""

from itertools import product
from math import prod

import pytest

from kernels.library.finetuning.labeler_agreement import labeler_agreement


@pytest.mark.oracle("labeler_agreement", "labelers enumerated, right or wrong")
@pytest.mark.parametrize("agreement", [0.65, 0.726, 0.73, 0.9])
def test_labelers_of_that_accuracy_agree_so_often(agreement):
    result = labeler_agreement(agreement=agreement)
    q = result["accuracy"]
    chance = {votes: prod(q if right else 1 - q for right in votes) for votes in product((0, 1), repeat=3)}
    assert sum(p for votes, p in chance.items() if votes[0] == votes[1]) == pytest.approx(agreement)
    assert sum(p for votes, p in chance.items() if sum(votes) >= 2) == pytest.approx(result["majority_of_three"])


def test_the_ends():
    assert labeler_agreement(agreement=0.5)["accuracy"] == 0.5
    assert labeler_agreement(agreement=1.0)["wrong_pairs"] == 0.0
