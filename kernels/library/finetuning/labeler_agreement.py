"""What agreement between labelers says of each one's accuracy, and of the best score that a reward model can reach.

Two labelers who are each right with probability q, independently, on pairs that have a right answer, agree with

    a = q^2 + (1 - q)^2,    so    q = (1 + sqrt(2 a - 1)) / 2.

A reward model that is always right agrees with one of them in q of the pairs; the majority of three is right in
q^2 (3 - 2 q) (Condorcet). Independence and equal skill are assumptions; agreement figures: Ouyang et al. 2022,
arXiv 2203.02155, section 3.4.
"""

import math
from typing import Annotated

from kernels import Bound, kernel


@kernel(kind="formula", outputs={"accuracy": "", "majority_of_three": "", "wrong_pairs": "", "square_root": ""})
def labeler_agreement(agreement: Annotated[float, Bound(low=0.5, high=1.0)] = 0.73):
    """Each labeler's accuracy, the majority's of three, the share of single labels that are wrong.

    square_root: sqrt(agreement), the usual slip of forgetting that two may agree on the wrong answer.
    """
    return {
        "accuracy": accuracy(agreement),
        "majority_of_three": majority(accuracy(agreement)),
        "wrong_pairs": 1 - accuracy(agreement),
        "square_root": math.sqrt(agreement),
    }


def accuracy(agreement: float) -> float:
    return (1 + math.sqrt(2 * agreement - 1)) / 2


def majority(q: float) -> float:
    return q * q * (3 - 2 * q)
