"""Oracles: the scales that made the labels, and the weighted sum that the pooled mean confidence has to be."""

import pytest

pytest.importorskip("torch")

from kernels.library.evaluation.temperature_shift import temperature_shift


@pytest.fixture(scope="module")
def shifted():
    return temperature_shift()


def test_each_population_finds_its_own_scale(shifted):
    assert shifted["temperature_a"] == pytest.approx(2, rel=0.04) and shifted["temperature_b"] == pytest.approx(5, rel=0.04)
    assert shifted["temperature"] == shifted["temperature_a"]
    assert max(shifted["ece_a_own"], shifted["ece_b_own"]) < 0.02


def test_over_confidence_is_the_gap_of_the_means_and_stays_under_shift(shifted):
    for when in ("before", "after"):  # over-confident in every bin, so that the ECE is the gap of the means
        assert shifted[f"ece_b_{when}"] == pytest.approx(shifted[f"confidence_{when}_b"] - shifted["accuracy_b"], abs=0.01)
    assert shifted["confidence_after_a"] == pytest.approx(shifted["confidence_after_b"], abs=0.01)
    assert shifted["answers_changed"] == 0


def test_without_a_shift_one_temperature_mends_both():
    result = temperature_shift(scale_a=3, scale_b=3, fit="both")
    assert result["temperature"] == pytest.approx(3, rel=0.03) and max(result["ece_a_after"], result["ece_b_after"]) < 0.02


def test_the_pooled_temperature_lies_between():
    result = temperature_shift(scale_a=1, scale_b=4, fit="both")
    assert result["temperature_a"] < result["temperature"] < result["temperature_b"]
    assert result["ece_both_after"] < min(result["ece_a_after"], result["ece_b_after"])  # errors of opposite sign cancel


def test_inputs_that_move_alone_leave_the_temperature_right():
    result = temperature_shift(scale_b=2, narrower=0.4)
    assert result["temperature_b"] == pytest.approx(result["temperature_a"], rel=0.05)
    assert result["accuracy_b"] < result["accuracy_a"] - 0.2 and result["ece_b_after"] < 0.03 < result["ece_b_before"]
