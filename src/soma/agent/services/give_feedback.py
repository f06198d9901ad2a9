"""What a user says of a turn after it: one standing feedback a user and turn, learned from once."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from soma.agent.domain.capsule import LoopSettings
from soma.agent.domain.convergence import success_factor
from soma.agent.domain.iteration import Iteration
from soma.agent.domain.turn import Turn, TurnStatus
from soma.agent.domain.turn_feedback import TurnFeedback
from soma.agent.models import CapsuleRow, MessageRow, TurnFeedbackRow, TurnRow
from soma.agent.services.credit import credited_evidence, credited_models, credited_tools
from soma.agent.services.gate import Gate
from soma.agent.services.recording import words
from soma.agent.services.rows import iterations_of, turn_of
from soma.agent.services.turn_event import turn_event
from soma.agent.services.turns import readable
from soma.base import clock
from soma.base.database import tenant_transaction
from soma.base.errors import Conflict, InvalidInput, LimitExceeded
from soma.base.ids import new_id
from soma.base.tenancy import Principal
from soma.brain.api import Brain, EvidenceMark, Feedback, LateFeedback, LateLearning, RewardParts
from soma.events.api import Event, keep_blobs, publish

MAX_REVISIONS = 20
"""How often a user may change what they said of a turn: each change teaches."""

MAX_KEY = 200
CORRECTION_IMPORTANCE = 0.9


@dataclass(frozen=True, kw_only=True, slots=True)
class _Judged:
    """A turn as it is judged: `evidence` says which of it was relevant, by its id, or which a bad answer
    used, where it `discredits`."""

    turn: Turn
    iterations: list[Iteration]
    said: TurnFeedback
    evidence: Mapping[str, bool]
    discredits: bool

    @property
    def last(self) -> Iteration:
        return self.iterations[-1]


def give_feedback(
    principal: Principal,
    turn_id: UUID,
    said: TurnFeedback,
    *,
    idempotency_key: str | None,
    gate: Gate,
    brain: Brain,
) -> dict[str, Any]:
    """Learn from it, remember a correction, and tell who is credited, all in one transaction; what came of
    it as a JSON object. The same again changes nothing; something else replaces what was said before, on
    record. Raises NotFound, Denied, InvalidInput, Conflict for a turn without an answer and for a key that
    was used for something else, LimitExceeded past 20 changes."""
    if idempotency_key is not None and not 0 < len(idempotency_key) <= MAX_KEY:
        raise InvalidInput(f"an idempotency key has 1 to {MAX_KEY} characters")
    with tenant_transaction(principal.tenant_id):
        row = readable(principal, turn_id, gate, "write", "learning:write")
        # Whoever judges the same turn waits here, and then sees this feedback.
        TurnRow.objects.select_for_update(no_key=True).filter(id=row.id).first()
        known, standing = _known(principal, row, said, idempotency_key)
        if known is not None:
            return {**known.outcome, "repeated": True}
        judged = _judged(row, said)
        return _take_in(principal, judged, standing, idempotency_key, brain)


def _known(
    principal: Principal, row: TurnRow, said: TurnFeedback, key: str | None
) -> tuple[TurnFeedbackRow | None, TurnFeedbackRow | None]:
    """The feedback that this is again, if it is, and the one that stands."""
    own = TurnFeedbackRow.objects.filter(user_id=principal.user_id)
    named = own.filter(idempotency_key=key).first() if key is not None else None
    if named is not None:
        if named.turn_id != row.id or named.said != said.to_dict():
            raise Conflict("this idempotency key was used for another feedback")
        return named, named
    standing = own.filter(turn_id=row.id).order_by("-revision").first()
    same = standing is not None and standing.said == said.to_dict()
    return (standing if same else None), standing


def _judged(row: TurnRow, said: TurnFeedback) -> _Judged:
    if row.status == TurnStatus.RUNNING:
        raise Conflict("the turn is still running; judge it once it has ended")
    iterations = iterations_of(row.id)
    if row.message_id is None or not iterations:
        raise Conflict("the turn gave no answer that could be judged")
    texts = dict(
        MessageRow.objects.filter(id__in=[row.user_message_id, row.message_id]).values_list("id", "content")
    )
    evidence = iterations[0].evidence
    unknown = {str(each) for each in said.marks} - {block.id for block in evidence}
    if unknown:
        raise InvalidInput(f"The turn did not recall {', '.join(sorted(unknown))}")
    spoken = texts[row.user_message_id], texts[row.message_id]
    judged, blamed = said.judge(*spoken, evidence), said.blame(*spoken, evidence)
    return _Judged(
        turn=turn_of(row),
        iterations=iterations,
        said=said,
        evidence=judged or blamed,
        discredits=bool(blamed) and not judged,
    )


def _take_in(
    principal: Principal, judged: _Judged, standing: TurnFeedbackRow | None, key: str | None, brain: Brain
) -> dict[str, Any]:
    revision = 0 if standing is None else standing.revision + 1
    if revision >= MAX_REVISIONS:
        raise LimitExceeded("changes", maximum=MAX_REVISIONS, actual=revision + 1, unit="of a feedback")
    feedback_id = new_id()
    outcome = {
        "feedback_id": str(feedback_id),
        "turn_id": str(judged.turn.id),
        "revision": revision,
        "replaces": None if standing is None else str(standing.id),
        "score": judged.said.score,
        "corrected": judged.said.correction is not None,
        "credited": _credited(judged),
        "learning": _learn(judged, feedback_id, brain),
    }
    TurnFeedbackRow.objects.create(
        id=feedback_id,
        tenant_id=principal.tenant_id,
        turn_id=judged.turn.id,
        user_id=principal.user_id,
        revision=revision,
        said=judged.said.to_dict(),
        outcome=outcome,
        idempotency_key=key,
        created_at=clock.now(),
    )
    publish(*_events(principal, judged, outcome))
    return {**outcome, "repeated": False}


def _credited(judged: _Judged) -> dict[str, Any]:
    marked = [each for each, relevant in judged.evidence.items() if relevant]
    others = [each for each, relevant in judged.evidence.items() if not relevant]
    return {
        "evidence": {
            "relevant": [] if judged.discredits else marked,
            "irrelevant": marked if judged.discredits else others,
        },
        "tools": credited_tools(judged.iterations),
        "models": credited_models(judged.iterations),
    }


def _learn(judged: _Judged, feedback_id: UUID, brain: Brain) -> dict[str, Any]:
    """Weights, neuromodulators and ranking learn from it as one checkpoint; confidence is told by it."""
    evidence = credited_evidence(
        judged.turn, feedback_id, judged.last.evidence, judged.evidence, discredits=judged.discredits
    )
    learned = brain.late_feedback(LateFeedback(feedback=_feedback(judged), evidence=evidence))
    if judged.discredits:
        return _told(learned)
    marks = [
        EvidenceMark(record_id=UUID(block.id), features=block.features, relevant=judged.evidence[block.id])
        for block in judged.last.evidence
        if block.id in judged.evidence and "similarity" in block.features
    ]
    brain.mark_evidence(evidence.tenant_id, evidence.namespace, judged.turn.id, marks)
    return _told(learned)


def _feedback(judged: _Judged) -> Feedback:
    """The turn's last iteration, judged anew. What a person takes the time to say is always news."""
    turn, last = judged.turn, judged.last
    loop = LoopSettings(**CapsuleRow.objects.values_list("loop", flat=True).get(id=turn.agent_id))
    executed = [one for one in last.executions if one.executed]
    return Feedback(
        tenant_id=turn.principal.tenant_id,
        agent_id=str(turn.agent_id),
        turn_id=turn.id,
        iteration=last.number,
        reward=RewardParts(
            confidence=last.confidence,
            tool_success=success_factor(last.executions) if executed else None,
            user=judged.said.score,
            latency_ms=last.latency_ms,
            deadline_ms=loop.deadline_ms,
            cost=min(1.0, (last.prompt_tokens + last.completion_tokens) / loop.turn_token_budget),
        ),
        novelty=1.0,
        errors=sum(one.status != "ok" for one in last.executions),
        tools_used=len(executed),
    )


def _told(learned: LateLearning) -> dict[str, Any]:
    learning, credited = learned.learning, learned.credited
    return {
        "checkpoint": learned.checkpoint.sequence,
        "reward": None if learning is None else learning.reward,
        "prediction_error": None if learning is None else learning.prediction_error,
        "applied": learning is not None and learning.applied,
        "ranking_applied": credited is not None and credited.applied,
    }


def _events(principal: Principal, judged: _Judged, outcome: Mapping[str, Any]) -> list[Event]:
    turn, said = judged.turn, judged.said
    told = {
        "conversation_id": str(turn.conversation_id),
        "agent_id": str(turn.agent_id),
        "user_id": str(principal.user_id),
        "thumb": None if said.thumb is None else said.thumb.value,
        "rating": said.rating,
        **{name: value for name, value in outcome.items() if name != "turn_id"},
    }
    events = [turn_event(turn, "learning.feedback_given", told)]
    if said.correction is not None:
        told_so = _correction(principal, turn, said.correction)
        events.append(turn_event(turn, "memory.remember_requested", told_so, version=2))
    return events


def _correction(principal: Principal, turn: Turn, correction: str) -> dict[str, Any]:
    """A correction is something that its user has told: it is kept where their other words are."""
    content = words(turn.conversation_id, correction)
    keep_blobs(principal.tenant_id, [content])
    return {
        "conversation_id": str(turn.conversation_id),
        "agent_id": str(turn.agent_id),
        "namespace": str(principal.user_id),
        "items": [
            {
                "key": f"correction:{turn.id}",
                "content_hash": content.hash,
                "role": "user",
                "occurred_at": clock.iso(clock.now()),
                "importance": CORRECTION_IMPORTANCE,
                "input_hash": None,
            }
        ],
    }
