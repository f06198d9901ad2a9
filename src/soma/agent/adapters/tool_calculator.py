"""Arithmetic."""

import math
import re
from typing import Any

import simpleeval

from soma.agent.errors import ToolFailed
from soma.agent.ports import ToolContext

MAXIMUM_LENGTH = 200
FUNCTIONS = {
    "sqrt": math.sqrt,
    "sin": math.sin,
    "cos": math.cos,
    "tan": math.tan,
    "log": math.log,
    "exp": math.exp,
    "abs": abs,
    "round": round,
    "min": min,
    "max": max,
}


class CalculatorTool:
    """Evaluates an arithmetic expression; names other than pi, e and a few functions are refused."""

    name = "calculator"

    async def execute(self, arguments: dict[str, Any], context: ToolContext) -> Any:
        """{"expression": text} -> {"result": text}. Raises ToolFailed."""
        return {"result": evaluate(arguments["expression"])}


PERCENT = re.compile(r"(\d+(?:\.\d+)?)\s*%(?!\s*[\d(.])")
"""A percentage: a number before a % that no operand follows. With one, % is the remainder."""


def _python(expression: str) -> str:
    shares = PERCENT.sub(r"(\1/100)", expression)
    return re.sub(r"\bof\b", "*", shares).replace("^", "**")


def evaluate(expression: str) -> str:
    """The value of `expression` as text, integers exactly and other numbers to 12 significant digits.

    Beyond Python's arithmetic: ^ is a power, "17% of 250" a share. Raises ToolFailed.
    """
    if len(expression) > MAXIMUM_LENGTH:
        raise ToolFailed(f"the expression is longer than {MAXIMUM_LENGTH} characters")
    evaluator = simpleeval.SimpleEval(functions=FUNCTIONS, names={"pi": math.pi, "e": math.e})
    try:
        value = evaluator.eval(_python(expression))
    except (simpleeval.InvalidExpression, SyntaxError, ArithmeticError, ValueError, TypeError) as error:
        raise ToolFailed(f"cannot evaluate {expression!r}: {error}") from error
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ToolFailed(f"{expression!r} is not a number")
    if isinstance(value, int):
        return str(value)
    if not math.isfinite(value):
        raise ToolFailed(f"{expression!r} is not a finite number")
    return f"{value:.12g}"
