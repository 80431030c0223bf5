import math

import pytest

pytest.importorskip("torch")

from kernels.library.training.shuffled_labels import shuffled_labels


def test_training_cannot_tell():
    got = shuffled_labels()
    assert got["right_train_accuracy"] == got["shuffled_train_accuracy"] == 1
    assert got["right_new_accuracy"] > 0.7 and got["shuffled_new_loss"] > math.log(2)


def test_shuffled_labels_say_nothing_of_new_data():
    found = [shuffled_labels(steps=100, seed=seed)["shuffled_new_accuracy"] for seed in range(12)]
    assert sum(found) / len(found) == pytest.approx(0.5, abs=0.06)  # no rule links input and label; a draw's sd is 0.06


def test_before_training_the_loss_is_ln_2():
    got = shuffled_labels(steps=1, seed=3)
    assert got["right_new_loss"] == pytest.approx(math.log(2), abs=0.2)
