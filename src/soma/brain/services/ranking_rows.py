"""What an agent has learned about ranking, as rows."""

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
    agent: Belief


def standing_rankings(tenant_id: UUID, agent_id: str, namespace: str) -> Rankings:
    """Where the agent stands; a namespace that it has no feedback from begins with what it knows."""
    with connections[APP].cursor() as cursor:
        cursor.execute(STANDING, [tenant_id, agent_id, namespace])
        found = {name: RankingState.from_bytes(state) for name, state in cursor.fetchall()}
    agent = found.get(EVERYWHERE, RankingState()).own
    state = found.get(namespace) or RankingState(own=Belief.around(agent.mean))
    return Rankings(state=state, agent=agent)


def keep(tenant_id: UUID, agent_id: str, sequence: int, states: dict[str, RankingState]) -> None:
    """Let the agent stand at `states` by namespace, which came with its checkpoint `sequence`."""
    with connections[APP].cursor() as cursor:
        for namespace, state in states.items():
            cursor.execute(KEEP, [tenant_id, agent_id, namespace, state.to_bytes(), sequence])
    insert(
        *(
            RankingVersionRow(
                tenant_id=tenant_id,
                agent_id=agent_id,
                namespace=namespace,
                sequence=sequence,
                state=state.to_bytes(),
            )
            for namespace, state in states.items()
        )
    )
