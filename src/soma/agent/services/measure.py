"""Reading what earlier turns have taken and brought: of the latest ones of a person with an agent."""

import time
from collections import OrderedDict
from threading import Lock
from typing import Any
from uuid import UUID

from django.db import connections

from soma.agent.domain.measures import (
    PRIOR_ANSWER,
    PRIOR_CALL,
    PRIOR_RECALL_MS,
    Figure,
    Measures,
    RunMeasure,
    ToolMeasure,
)
from soma.base.database import APP, tenant_transaction

CONVERSATIONS = 16
TURNS = 64
"""Looked at: the latest turns of the latest conversations."""

LATEST = """
    SELECT turn.id FROM (
        SELECT id FROM conversation WHERE tenant_id = %s AND user_id = %s ORDER BY id DESC LIMIT %s
    ) AS recent
    CROSS JOIN LATERAL (
        SELECT id FROM turn WHERE conversation_id = recent.id AND agent_id = %s ORDER BY id DESC LIMIT %s
    ) AS turn
    ORDER BY turn.id DESC LIMIT %s
"""
"""SQL, these three: they go along the indexes of conversation, turn and iteration, and take the means of
fields inside the records, instead of the records, which hold the evidence of whole turns."""

TOOLS = """
    SELECT tool, count(*), count(*) FILTER (WHERE status = 'ok'), avg(latency_ms)
    FROM tool_execution
    WHERE turn_id = ANY(%s) AND status IN ('ok', 'error', 'timeout') AND completed_at IS NOT NULL
    GROUP BY tool
"""

RUNS = """
    WITH run AS (
        SELECT
            CASE WHEN (content = '' AND content_hash IS NULL) OR record->>'mode' = 'call' THEN 'call'
                 WHEN record->'recipe'->'evidence' = '[]' AND record->'recipe'->'results' = '[]' THEN 'plain'
                 ELSE 'grounded' END AS kind,
            number,
            (record->>'completion_tokens')::float AS tokens,
            CASE WHEN record->>'confidence_source' <> 'none'
                 THEN (record->>'confidence')::float END AS confidence,
            (jsonb_path_query_first(record, 'strict $.phases[*] ? (@[0] == "model")')->>2)::float AS model,
            (jsonb_path_query_first(record, 'strict $.phases[*] ? (@[0] == "recall")')->>2)::float AS recall
        FROM rlm_iteration
        WHERE turn_id = ANY(%s) AND record->>'model' = %s AND record->>'state' = 'completed'
    )
    SELECT kind, count(*), avg(model), avg(tokens), count(confidence), avg(confidence) FROM run GROUP BY kind
    UNION ALL
    SELECT 'recall', count(*), avg(recall), 0, 0, NULL FROM run WHERE number = 0 HAVING count(*) > 0
"""


def measures(tenant_id: UUID, user_id: UUID, agent_id: UUID, model: str) -> Measures:
    """What the person's latest turns with the agent have measured. Inside the tenant's open transaction."""
    with connections[APP].cursor() as cursor:
        cursor.execute(LATEST, [tenant_id, user_id, CONVERSATIONS, agent_id, TURNS, TURNS])
        turns = [turn_id for (turn_id,) in cursor.fetchall()]
        if not turns:
            return Measures()
        cursor.execute(TOOLS, [turns])
        tools = {name: ToolMeasure.of(*figures) for name, *figures in cursor.fetchall()}
        cursor.execute(RUNS, [turns, model])
        runs = {kind: figures for kind, *figures in cursor.fetchall()}
    recalled = runs.get("recall")
    return Measures(
        tools=tools,
        recall_ms=Figure(value=PRIOR_RECALL_MS) if recalled is None else _figure(*recalled[:2]),
        call=_run(runs.get("call"), PRIOR_CALL),
        plain=_run(runs.get("plain"), PRIOR_ANSWER),
        grounded=_run(runs.get("grounded"), PRIOR_ANSWER),
    )


def _run(figures: list[Any] | None, prior: RunMeasure) -> RunMeasure:
    if figures is None:
        return prior
    count, latency_ms, tokens, rated, confidence = figures
    return RunMeasure(
        latency_ms=_figure(count, latency_ms),
        tokens=_figure(count, tokens),
        confidence=_figure(rated, confidence) if rated else prior.confidence,
    )


def _figure(samples: int, mean: float) -> Figure:
    return Figure(value=float(mean), samples=samples)


class RecentMeasures:
    """Measures as turns need them: read at most every half minute for each person, agent and model. A turn
    keeps what it was shown, so nothing depends on how old it was. Safe to use from several threads."""

    FRESH_SECONDS = 30.0
    KEPT = 1024

    def __init__(self) -> None:
        self._lock = Lock()
        self._known: OrderedDict[tuple[UUID, UUID, UUID, str], tuple[float, Measures]] = OrderedDict()

    def fresh(self, tenant_id: UUID, user_id: UUID, agent_id: UUID, model: str) -> Measures | None:
        """What was read lately; None where it has to be read."""
        known = self._known.get((tenant_id, user_id, agent_id, model))
        return None if known is None or time.monotonic() - known[0] >= self.FRESH_SECONDS else known[1]

    def read(self, tenant_id: UUID, user_id: UUID, agent_id: UUID, model: str) -> Measures:
        """See `measures`, in a transaction of its own."""
        with tenant_transaction(tenant_id):
            found = measures(tenant_id, user_id, agent_id, model)
        with self._lock:
            key = (tenant_id, user_id, agent_id, model)
            self._known[key] = (time.monotonic(), found)
            self._known.move_to_end(key)
            while len(self._known) > self.KEPT:
                self._known.popitem(last=False)
        return found
