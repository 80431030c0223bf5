import math

import pytest

pytest.importorskip("torch")

from kernels.library.training.shuffled_labels import shuffled_labels


def test_training_cannot_tell():
    got = shuffled_labels()
    assert got["right_train_accuracy"] == got["shuffled_train_accuracy"] == 1
    assert got["right_new_accuracy"] > 0.75
    assert got["shuffled_new_accuracy"] == pytest.approx(0.5, abs=0.05)  # no rule links input and label
    assert got["shuffled_new_loss"] > math.log(2)


def test_before_training_the_loss_is_ln_2():
    got = shuffled_labels(steps=1, seed=3)
    assert got["right_new_loss"] == pytest.approx(math.log(2), abs=0.2)
