"""Assessing an iteration: how good it was, whether to go on, what it teaches."""

from soma.agent.domain.convergence import Convergence, ExitReason, exit_reason, success_factor, tool_utility
from soma.agent.domain.iteration import Iteration
from soma.agent.domain.model import ModelOutput
from soma.agent.domain.prompt import PromptMode
from soma.agent.domain.tool import ToolExecution
from soma.agent.ports import ModelPort
from soma.agent.services.plan import Plan
from soma.agent.services.progress import Progress
from soma.base import clock
from soma.base.canonical import sha256_hex
from soma.brain.api import Feedback, RewardParts


def assessed(
    progress: Progress,
    decided: Plan,
    model: ModelPort,
    output: ModelOutput,
    executions: tuple[ToolExecution, ...],
    confidence: float,
    confidence_source: str,
) -> tuple[Iteration, ExitReason | None]:
    """The iteration as far as it is known before it is committed, and why to stop, or None to go on."""
    calling = decided.mode is PromptMode.CALL
    convergence = Convergence(
        confidence=confidence,
        success_factor=success_factor((*progress.executions, *executions)),
        tool_utility=1.0 if calling or executions else tool_utility(output.text, progress.executions),
    )
    loop = progress.capsule.loop
    spent = output.prompt_tokens + output.completion_tokens
    reason = (
        ExitReason.CANCELLED
        if output.stop_reason == "cancelled" or progress.stop.is_set()
        else exit_reason(
            convergence,
            iteration=progress.number,
            tool_calls=max(len(executions), int(calling)),
            tokens_spent=progress.tokens_spent + spent,
            threshold=loop.convergence_threshold,
            max_iterations=loop.max_iterations if progress.turn.rlm else 1,
            token_budget=loop.turn_token_budget,
            refine=loop.refine and progress.turn.rlm,
            good_before=progress.good_answers,
            patience=progress.modulation.patience,
        )
    )
    now = clock.now()
    iteration = Iteration(
        number=progress.number,
        state="cancelled" if reason is ExitReason.CANCELLED else "completed",
        mode=decided.mode.value,
        content=output.text,
        recipe=decided.prompt.recipe,
        prompt_hash=decided.prompt.hash,
        output_hash=sha256_hex(output.text.encode()),
        model=model.name,
        stop_reason=output.stop_reason,
        prompt_tokens=output.prompt_tokens,
        completion_tokens=output.completion_tokens,
        confidence=convergence.confidence,
        confidence_source=confidence_source,
        convergence_score=convergence.score,
        success_factor=convergence.success_factor,
        tool_utility=convergence.tool_utility,
        decision="continue" if reason is None else reason.value,
        lanes=decided.lanes(),
        suggestions=decided.suggestions,
        offered=tuple(tool.name for tool in decided.offered),
        capabilities=decided.capabilities,
        evidence=progress.evidence,
        novelty=progress.novelty,
        executions=executions,
        learning={},
        phases=(),
        latency_ms=0.0,
        script=(),
        first_frame_id=0,
        started_at=now,
        completed_at=now,
        modulation=progress.modulation.to_dict(),
    )
    return iteration, reason


def feedback_of(progress: Progress, draft: Iteration) -> Feedback:
    """What the iteration teaches."""
    executed = [one for one in draft.executions if one.executed]
    loop = progress.capsule.loop
    return Feedback(
        tenant_id=progress.tenant_id,
        agent_id=str(progress.turn.agent_id),
        turn_id=progress.turn.id,
        iteration=draft.number,
        reward=RewardParts(
            confidence=draft.confidence,
            tool_success=success_factor(draft.executions) if executed else None,
            latency_ms=draft.latency_ms,
            deadline_ms=loop.deadline_ms,
            cost=min(1.0, (draft.prompt_tokens + draft.completion_tokens) / loop.turn_token_budget),
        ),
        novelty=progress.novelty,
        state=progress.learned,
        errors=sum(one.status != "ok" for one in draft.executions),
        tools_used=len(executed),
    )
