"""Who a turn's outcome is credited to: the evidence, the tools and the models."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from soma.agent.domain.evidence import EvidenceBlock
from soma.agent.domain.iteration import Iteration
from soma.agent.domain.turn import Turn
from soma.agent.domain.used_evidence import used_evidence
from soma.agent.services.progress import Progress
from soma.brain.api import EvidenceFeedback, Judgement


def credited_evidence(
    turn: Turn,
    source_id: UUID,
    evidence: Sequence[EvidenceBlock],
    judged: Mapping[str, bool],
    *,
    discredits: bool = False,
) -> EvidenceFeedback:
    """What `judged` (evidence id → relevant) says of what the turn recalled from its user's memory. See
    EvidenceFeedback for `discredits`."""
    return EvidenceFeedback(
        tenant_id=turn.principal.tenant_id,
        agent_id=str(turn.agent_id),
        namespace=str(turn.principal.user_id),
        source_id=source_id,
        judged=[
            Judgement(features=block.features, relevant=judged[block.id])
            for block in evidence
            if block.id in judged
        ],
        discredits=discredits,
    )


def evidence_of_answer(progress: Progress, answer: str) -> EvidenceFeedback | None:
    """The evidence that the turn's answer used against that which it did not; None where it used none, or
    all."""
    used = {block.id for block in used_evidence(progress.message.content, answer, progress.evidence)}
    if not 0 < len(used) < len(progress.evidence):
        return None
    judged = {block.id: block.id in used for block in progress.evidence}
    return credited_evidence(progress.turn, progress.turn.id, progress.evidence, judged)


def credited_models(iterations: Sequence[Iteration]) -> list[dict[str, Any]]:
    """Each model that the turn asked, with in how many iterations, the first asked first."""
    names = [each.model for each in iterations]
    return [{"model": name, "iterations": names.count(name)} for name in dict.fromkeys(names)]


def credited_tools(iterations: Sequence[Iteration]) -> list[dict[str, Any]]:
    """Each tool that ran, with how often, and how often well."""
    ran = [one for each in iterations for one in each.executions if one.executed]
    return [
        {
            "tool": name,
            "calls": sum(one.call.tool == name for one in ran),
            "ok": sum(one.call.tool == name and one.status == "ok" for one in ran),
        }
        for name in dict.fromkeys(one.call.tool for one in ran)
    ]
