"""Recalling what bears on a query."""

import time
from collections.abc import Sequence

import numpy as np
from django.db import InterfaceError, OperationalError
from numpy.typing import NDArray

from soma.base.clock import now
from soma.base.database import tenant_transaction
from soma.base.errors import InvalidInput, LimitExceeded, Unavailable
from soma.brain.domain.recall import MAX_TOP_K, Recall, RecallRequest
from soma.brain.domain.weights import Weights
from soma.brain.errors import RecallUnavailable
from soma.brain.kernels.salience import novelty
from soma.brain.ports import Embedder
from soma.brain.services.learned_state import standing_state
from soma.brain.services.ranking import Ranking
from soma.fractalmemory.api import FractalMemory, ScoredRecord, VectorQuery


def recall(memory: FractalMemory, embedder: Embedder, request: RecallRequest) -> Recall:
    """See Brain.recall."""
    _check(request)
    started = time.perf_counter()
    try:
        ranking, found = _search(memory, embedder, request)
    except (Unavailable, OperationalError, InterfaceError) as error:
        raise RecallUnavailable(f"Memory could not be asked: {error}") from error
    return Recall(
        evidence=ranking.rank(found),
        novelty=novelty(max((scored.similarity for scored in found), default=0.0)),
        latency_ms=(time.perf_counter() - started) * 1e3,
    )


def _check(request: RecallRequest) -> None:
    if not request.query.strip():
        raise InvalidInput("The query is empty")
    if request.top_k < 1:
        raise InvalidInput(f"top_k is {request.top_k}; it takes 1 to {MAX_TOP_K}")
    if request.top_k > MAX_TOP_K:
        raise LimitExceeded("top_k", maximum=MAX_TOP_K, actual=request.top_k, unit="memories")


def _search(
    memory: FractalMemory, embedder: Embedder, request: RecallRequest
) -> tuple[Ranking, Sequence[ScoredRecord]]:
    [vector] = embedder.embed([request.query])  # before the transaction: no connection waits for the model
    with tenant_transaction(request.tenant_id):
        ranking = Ranking(
            weights=_weights(request),
            at=request.as_of or now(),
            top_k=request.top_k,
            min_score=request.min_score,
        )
        query = _vector_query(request, vector, limit=ranking.candidates)
        return ranking, memory.search(request.tenant_id, query)


def _weights(request: RecallRequest) -> Weights:
    if request.weights is not None:
        return request.weights
    state = None if request.agent_id is None else standing_state(request.tenant_id, request.agent_id)
    return Weights() if state is None else state.weights


def _vector_query(request: RecallRequest, vector: NDArray[np.float32], *, limit: int) -> VectorQuery:
    excluded = request.exclude_input_hash
    return VectorQuery(
        namespace=request.namespace,
        vector=vector,
        limit=limit,
        filters={} if request.kinds is None else {"kind": tuple(request.kinds)},
        exclude_source_hashes=() if excluded is None else (excluded,),
        as_of=request.as_of,
    )
