"""Reading what an agent has learned."""

from uuid import UUID

from soma.base.errors import InvalidInput, LimitExceeded
from soma.brain.domain.belief import Belief
from soma.brain.domain.checkpoint import Checkpoint
from soma.brain.domain.learned_report import LearnedRanking, LearnedReport
from soma.brain.domain.ranking_state import RankingState
from soma.brain.models import LearnedCheckpointRow, LearnedRankingRow
from soma.brain.services.checkpoint_rows import checkpoint_of
from soma.brain.services.ranking_rows import EVERYWHERE

MAX_CHECKPOINTS = 500


def learned_report(tenant_id: UUID, agent_id: str, *, checkpoints: int) -> LearnedReport:
    """See Brain.learned_report."""
    if checkpoints < 1:
        raise InvalidInput(f"The limit is {checkpoints}; it takes 1 to {MAX_CHECKPOINTS}")
    if checkpoints > MAX_CHECKPOINTS:
        raise LimitExceeded("limit", maximum=MAX_CHECKPOINTS, actual=checkpoints, unit="checkpoints")
    chain = _latest(tenant_id, agent_id, checkpoints)
    if not chain:
        return LearnedReport(agent_id=agent_id)
    return LearnedReport(
        agent_id=agent_id,
        # Of the last one, not of the agent's row: a turn that ends meanwhile would be in the one alone.
        state=chain[-1].state,
        checkpoints=chain,
        rankings=_rankings(tenant_id, agent_id),
    )


def _latest(tenant_id: UUID, agent_id: str, count: int) -> tuple[Checkpoint, ...]:
    rows = LearnedCheckpointRow.objects.filter(tenant_id=tenant_id, agent_id=agent_id)
    return tuple(checkpoint_of(row) for row in reversed(rows.order_by("-sequence")[:count]))


def _rankings(tenant_id: UUID, agent_id: str) -> tuple[LearnedRanking, ...]:
    rows = LearnedRankingRow.objects.filter(tenant_id=tenant_id, agent_id=agent_id).order_by("namespace")
    found = {row.namespace: (row.sequence, RankingState.from_bytes(row.state)) for row in rows if row.state}
    _, everywhere = found.pop(EVERYWHERE, (0, RankingState()))
    return tuple(_ranking(namespace, *each, everywhere.own) for namespace, each in found.items())


def _ranking(namespace: str, version: int, state: RankingState, agent: Belief) -> LearnedRanking:
    return LearnedRanking(namespace=namespace, version=version, state=state, weights=state.weights(agent))
