"""Arithmetic in references means what it means in Python: random expressions, with Python's own eval as the oracle."""

from __future__ import annotations

import math
import random

import pytest

from generator.resolve.expression import Scope, evaluate
from generator.resolve.quantity import ExpressionError, Quantity

NOWHERE = Scope({}, {}, {})


def number(draw: random.Random, depth: int) -> str:
    kind = draw.random()
    if depth <= 0 or kind < 0.2:
        return draw.choice(["0", "1", "2", "3", "7", "10", "0.5", "2.5", "1e1"])
    if kind < 0.35:  # of small numbers, since Python itself computes whatever it is asked for
        return " ** ".join(draw.choice(["", "", "", "-", "+", "- -"]) + draw.choice("1235") for _ in range(draw.choice([2, 2, 3])))
    if kind < 0.55:
        return f"{number(draw, depth - 1)} {draw.choice(['+', '-', '*', '/', '//', '%'])} {number(draw, depth - 1)}"
    if kind < 0.65:
        return f"{draw.choice('-+')}{number(draw, depth - 1)}"
    if kind < 0.75:
        return f"({number(draw, depth - 1)})"
    if kind < 0.85:
        return f"({number(draw, depth - 1)} if {condition(draw, depth - 1)} else {number(draw, depth - 1)})"
    return f"{draw.choice(['min', 'max'])}({number(draw, depth - 1)}, abs({number(draw, depth - 1)}))"


def condition(draw: random.Random, depth: int) -> str:
    compared, kind = ["<", "<=", ">", ">=", "==", "!="], draw.random()
    if depth <= 0 or kind < 0.5:
        return f"{number(draw, depth - 1)} {draw.choice(compared)} {number(draw, depth - 1)}"
    if kind < 0.65:
        return f"{number(draw, depth - 1)} {draw.choice(compared)} {number(draw, depth - 1)} {draw.choice(compared)} {number(draw, depth - 1)}"
    if kind < 0.8:
        return f"not {condition(draw, depth - 1)}"
    return f"{condition(draw, depth - 1)} {draw.choice(['and', 'or'])} {condition(draw, depth - 1)}"


def pythons(text: str):
    """What Python makes of it; None where that is no finite number."""
    try:
        value = eval(text, {"__builtins__": {}, "min": min, "max": max, "abs": abs})
    except (ArithmeticError, TypeError):
        return None
    return None if isinstance(value, complex) or (isinstance(value, float) and not math.isfinite(value)) else value


def ours(text: str):
    try:
        content = evaluate(text, NOWHERE).content
    except ExpressionError as error:
        return None if "too large" not in str(error) else ...
    return content.value if isinstance(content, Quantity) else content


@pytest.mark.parametrize("seed", range(4))
def test_it_means_what_it_means_in_python(seed: int):
    draw = random.Random(seed)
    for _ in range(500):
        text = draw.choice([number, condition])(draw, draw.randint(1, 4))
        found, right = ours(text), pythons(text)
        if found is not ... and len(text) < 400:
            assert (found is None) == (right is None) and (right is None or found == right or math.isclose(found, right)), text


@pytest.mark.parametrize(
    ("text", "value"), [("2 ** 3 ** 2", 512), ("-3 ** 2", -9), ("(-3) ** 2", 9), ("2 ** -1", 0.5), ("-2 ** -2", -0.25), ("not 1 == 2", True)]
)
def test_powers_bind_as_in_mathematics(text: str, value: float):
    assert ours(text) == value
