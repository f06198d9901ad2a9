"""What an agent has learned about ranking, as rows."""

from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from django.db import connections

from soma.base.database import APP
from soma.base.insertion import insert
from soma.brain.domain.belief import Belief
from soma.brain.domain.ranking_state import RankingState
from soma.brain.models import RankingVersionRow

EVERYWHERE = ""
"""What an agent has learned in all its namespaces stands under this name, which no namespace has."""

STANDING = """
    SELECT namespace, state FROM learned_ranking
    WHERE tenant_id = %s AND agent_id = %s AND namespace IN (%s, '')
"""
KEEP = """
    INSERT INTO learned_ranking (tenant_id, agent_id, namespace, state, sequence) VALUES (%s, %s, %s, %s, %s)
    ON CONFLICT (tenant_id, agent_id, namespace)
        DO UPDATE SET state = excluded.state, sequence = excluded.sequence
"""
"""SQL both: the first is asked at every recall, the second runs while the agent's row is locked."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Rankings:
    """How a namespace is ranked: what its own state is, and what the agent knows from everywhere."""

    state: RankingState
    everywhere: RankingState

    @property
    def agent(self) -> Belief:
        """What the agent knows."""
        return self.everywhere.own


def standing_rankings(tenant_id: UUID, agent_id: str, namespace: str) -> Rankings:
    """Where the agent stands; a namespace that it has no feedback from begins with what it knows."""
    with connections[APP].cursor() as cursor:
        cursor.execute(STANDING, [tenant_id, agent_id, namespace])
        found = {name: RankingState.from_bytes(state) for name, state in cursor.fetchall() if state}
    everywhere = found.get(EVERYWHERE, RankingState())
    state = found.get(namespace) or RankingState.beginning(everywhere)
    return Rankings(state=state, everywhere=everywhere)


def versions_as_of(
    tenant_id: UUID, agent_id: str, sequence: int, current: int
) -> Mapping[str, RankingState | None]:
    """What the agent's checkpoint `sequence` found of each namespace that has changed between it and the
    checkpoint `current`; None where there was nothing yet."""
    rows = RankingVersionRow.objects.filter(tenant_id=tenant_id, agent_id=agent_id)
    changed = rows.filter(sequence__gt=sequence, sequence__lte=current)
    then = rows.filter(sequence__lte=sequence, namespace__in=changed.values("namespace"))
    latest = then.order_by("namespace", "-sequence").distinct("namespace").values_list("namespace", "state")
    states = {name: RankingState.from_bytes(state) if state else None for name, state in latest}
    names = changed.order_by("namespace").distinct("namespace").values_list("namespace", flat=True)
    return {name: states.get(name) for name in names}


def keep(tenant_id: UUID, agent_id: str, sequence: int, states: Mapping[str, RankingState | None]) -> None:
    """Let the agent stand at `states` by namespace, which came with its checkpoint `sequence`; None takes
    away what it has learned there."""
    stored = {name: b"" if state is None else state.to_bytes() for name, state in states.items()}
    with connections[APP].cursor() as cursor:
        for namespace, state in stored.items():
            cursor.execute(KEEP, [tenant_id, agent_id, namespace, state, sequence])
    insert(
        *(
            RankingVersionRow(
                tenant_id=tenant_id,
                agent_id=agent_id,
                namespace=namespace,
                sequence=sequence,
                state=state,
            )
            for namespace, state in stored.items()
        )
    )
