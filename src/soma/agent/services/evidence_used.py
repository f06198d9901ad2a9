"""The event that tells memory what it was good for."""

from soma.agent.domain.used_evidence import used_evidence
from soma.agent.services.progress import Progress
from soma.agent.services.turn_event import turn_event
from soma.events.api import Event

BY_LINKS_ALONE = "path"


def evidence_used(progress: Progress, answer: str) -> list[Event]:
    """`memory.evidence_used`, where the answer used something of at least two memories that were recalled:
    with one there is nothing to link and no way to strengthen."""
    turn, recalled = progress.turn, progress.evidence
    used = used_evidence(progress.message.content, answer, recalled)
    if not used or len(recalled) < 2:
        return []
    payload = {
        "conversation_id": str(turn.conversation_id),
        "agent_id": str(turn.agent_id),
        "namespace": str(turn.principal.user_id),
        "entries": [block.id for block in recalled if BY_LINKS_ALONE not in block.provenance],
        "used": [block.id for block in used],
    }
    return [turn_event(turn, "memory.evidence_used", payload)]
