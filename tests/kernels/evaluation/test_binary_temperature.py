"""Oracle: the sigmoid itself."""

import math

import pytest

from kernels.library.evaluation.binary_temperature import binary_temperature


@pytest.mark.oracle("binary_temperature", "the sigmoid of the logit divided by the temperature")
@pytest.mark.parametrize(("confidence", "accuracy"), [(0.9, 0.6), (0.99, 0.88), (0.7, 0.9)])
def test_divided_by_the_temperature_the_logit_states_the_accuracy(confidence, accuracy):
    temperature = binary_temperature(confidence=confidence, accuracy=accuracy)["temperature"]
    z = math.log(confidence / (1 - confidence))
    assert 1 / (1 + math.exp(-z / temperature)) == pytest.approx(accuracy)
