"""The calculator: arithmetic and nothing else."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from soma.agent.adapters.tool_calculator import evaluate
from soma.agent.api import ToolFailed

pytestmark = pytest.mark.req("TOOL-005")


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("12 * 34", "408"),
        ("(15+27)*3", "126"),
        ("1999 / 7", "285.571428571"),
        ("2^10", "1024"),
        ("17% of 250", "42.5"),
        ("17.5 % of 2480", "434"),
        ("50% * 8", "4"),
        ("17 % 5", "2"),
        ("sqrt(144) + pi - pi", "12"),
        ("-3 + 1", "-2"),
        ("123456789 * 987654321", "121932631112635269"),
    ],
)
def test_values(expression: str, value: str) -> None:
    assert evaluate(expression) == value


@pytest.mark.parametrize(
    "expression",
    [
        "1/0",
        "",
        "12 *",
        "__import__('os').system('true')",
        "().__class__",
        "[1]",
        "'a'*3",
        "1 < 2",
        "9**9**9**9",
        "1e308*10",
        "exp(1000)",
        "x",
        "1" * 201,
    ],
)
def test_what_is_no_arithmetic_is_refused(expression: str) -> None:
    with pytest.raises(ToolFailed):
        evaluate(expression)


@given(st.integers(-(10**9), 10**9), st.integers(-(10**9), 10**9))
def test_integers_are_exact(left: int, right: int) -> None:
    assert evaluate(f"({left}) * ({right})") == str(left * right)


@given(st.floats(1e-6, 1e6), st.floats(1e-6, 1e6))
def test_quotients_hold_twelve_digits(left: float, right: float) -> None:
    assert math.isclose(float(evaluate(f"({left!r}) / ({right!r})")), left / right, rel_tol=1e-11)
