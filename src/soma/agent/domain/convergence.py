"""When a turn is done.

score = confidence x success factor x tool utility (decisions.md). success factor = successes / executed
tools; tool utility = share of the tool results the model went on to use; both are 1 where no tool ran.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from soma.agent.domain.tool import ToolExecution, ToolStatus, plain


class ExitReason(StrEnum):
    """Why the loop ended."""

    CONVERGED = "converged"
    MAX_ITERATIONS = "max_iterations"
    LLM_COMPLETED = "llm_completed"
    BUDGET_EXHAUSTED = "budget_exhausted"
    CANCELLED = "cancelled"


@dataclass(frozen=True, kw_only=True, slots=True)
class Convergence:
    """The assessment of one iteration; all factors lie in [0, 1]."""

    confidence: float
    success_factor: float
    tool_utility: float

    @property
    def score(self) -> float:
        """The product of the three."""
        return self.confidence * self.success_factor * self.tool_utility


def success_factor(executions: Sequence[ToolExecution]) -> float:
    """Successes over executions; 1 when nothing was executed."""
    executed = [one for one in executions if one.executed]
    if not executed:
        return 1.0
    return sum(one.status is ToolStatus.OK for one in executed) / len(executed)


def tool_utility(text: str, earlier: Sequence[ToolExecution]) -> float:
    """Share of the successful `earlier` results that `text` uses; 1 when there are none.

    A result counts as used when one of its tokens that carry information (numbers, or words of four
    letters and more) stands in the text.
    """
    results = [one for one in earlier if one.status is ToolStatus.OK]
    if not results:
        return 1.0
    words = _telling_tokens(text)
    return sum(bool(_telling_tokens(plain(one.output)) & words) for one in results) / len(results)


def exit_reason(
    convergence: Convergence,
    *,
    iteration: int,
    tool_calls: int,
    tokens_spent: int,
    threshold: float,
    max_iterations: int,
    token_budget: int,
    refine: bool,
    good_before: int = 0,
    patience: int = 1,
) -> ExitReason | None:
    """Why to stop after this iteration, or None to go on. A turn never ends on an unanswered tool call
    but for want of iterations or tokens. One that refines has converged with `patience` answers at the
    threshold in a row; `good_before` of them came before this one."""
    enough = not refine or good_before + 1 >= patience
    if tool_calls == 0 and convergence.score >= threshold and enough:
        return ExitReason.CONVERGED
    if tool_calls == 0 and not refine:
        return ExitReason.LLM_COMPLETED
    if iteration >= max_iterations - 1:
        return ExitReason.MAX_ITERATIONS
    if tokens_spent >= token_budget:
        return ExitReason.BUDGET_EXHAUSTED
    return None


def _telling_tokens(text: str) -> set[str]:
    normal = text.replace(",", "").lower()
    return set(re.findall(r"\d+(?:\.\d+)?|[^\W\d_]{4,}", normal))
