"""Recalling what bears on a query."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from functools import partial
from uuid import UUID

import numpy as np
from django.db import InterfaceError, OperationalError
from numpy.typing import NDArray

from soma.base.clock import now
from soma.base.database import tenant_transaction
from soma.base.errors import InvalidInput, LimitExceeded, Unavailable
from soma.brain.domain.capsule_reference import capsule_of
from soma.brain.domain.laps import Laps
from soma.brain.domain.memory_link import check_hops
from soma.brain.domain.question import Question, question_of
from soma.brain.domain.recall import MAX_TOP_K, Evidence, Recall, RecallRequest
from soma.brain.domain.signal_weights import SignalWeights
from soma.brain.domain.terms import terms
from soma.brain.domain.understood import understood
from soma.brain.domain.weights import Weights
from soma.brain.errors import RecallUnavailable
from soma.brain.kernels.candidate_signals import K1, B
from soma.brain.kernels.salience import novelty
from soma.brain.ports import Embedder, MemorySource
from soma.brain.services.calibration import standing_calibrator
from soma.brain.services.choosing import chooser, repeated
from soma.brain.services.frames import with_frames
from soma.brain.services.learned_state import standing_state
from soma.brain.services.ranking import Judged, Ranking
from soma.brain.services.ranking_rows import standing_rankings
from soma.brain.services.spreading import Spreading
from soma.brain.services.working_layer import WorkingLayer
from soma.fractalmemory.api import CandidateQuery, Lexicon, MemoryRecord, RecordFilter

CANDIDATES = 50
"""How many of the nearest, and how many of the best by terms, are weighed, however many are wanted: signals
are standardised over them. With their neighbours these are about two hundred, which hold nearly all of the
evidence; more brought nothing."""

TIMES = 4
MOST_DATED = 10_000
"""What happened at a time that is named need not be like the question in anything else. In a namespace of so
many memories that takes reading them once more for each time, a few milliseconds; in larger ones it would
take an index, and only what meaning and words bring is weighed by its date."""


def recall(memory: MemorySource, embedder: Embedder, request: RecallRequest) -> Recall:
    """See Brain.recall."""
    _check(request)
    laps = Laps()
    moment = request.as_of or now()
    try:
        question, lexicon, at_hand = _read(memory, request, moment)
        laps.lap("read")
        # Between the transactions: no connection waits for the model.
        [vector] = embedder.embed([question.dense])
        at_hand = at_hand.embedded(embedder)
        laps.lap("embed")
        with tenant_transaction(request.tenant_id):
            query = _query(request, vector, lexicon, _times(question, lexicon, moment))
            known = memory.candidates(request.tenant_id, query)
            at_hand = at_hand.standing(memory, request.tenant_id, known)
            ranking = _ranking(memory, request, moment, at_hand)
            spreading = Spreading(memory, request.tenant_id, query, request.k_hop, moment)
            laps.lap("search")
            while True:
                beside = partial(at_hand.beside, vector=vector, lexicon=lexicon, request=request)
                seen = beside(known)
                judged = spreading.rank(ranking, question, known, lexicon, beside)
                laps.lap("rank")
                records = _records(memory, request.tenant_id, judged, at_hand)
                if (renamed := at_hand.known_as(records.values())) is not at_hand:
                    at_hand = renamed
                elif again := repeated([each.record_id for each in judged], records):
                    ranking = replace(ranking, excluded=ranking.excluded | again)
                else:
                    break
            evidence = at_hand.mark(_evidence(request.tenant_id, judged, records))
            if request.explain:
                evidence = with_frames(request.tenant_id, evidence)
        laps.lap("fetch")
    except (Unavailable, OperationalError, InterfaceError) as error:
        raise RecallUnavailable(f"Memory could not be asked: {error}") from error
    return Recall(
        evidence=evidence,
        novelty=novelty(float(seen.similarity[seen.eligible].max(initial=0.0))),
        latency_ms=laps.total_ms,
        understood=understood(question),
        timings_ms=laps.milliseconds,
    )


def _check(request: RecallRequest) -> None:
    if not request.query.strip():
        raise InvalidInput("The query is empty")
    if request.top_k < 1:
        raise InvalidInput(f"top_k is {request.top_k}; it takes 1 to {MAX_TOP_K}")
    if request.top_k > MAX_TOP_K:
        raise LimitExceeded("top_k", maximum=MAX_TOP_K, actual=request.top_k, unit="memories")
    if not 0.0 <= request.diversity <= 1.0:
        raise InvalidInput(f"The diversity is {request.diversity}; it takes 0 to 1")
    if capsule_of(request.namespace) is not None and not request.capsule_ids:
        raise InvalidInput("Memory capsules are asked by capsule_ids")
    check_hops(request.k_hop)


def _read(
    memory: MemorySource, request: RecallRequest, moment: datetime
) -> tuple[Question, Lexicon, WorkingLayer]:
    """The question, read by the light of what the namespace knows of its words; what is at hand."""
    with tenant_transaction(request.tenant_id):
        known = memory.lexicon(
            request.tenant_id, request.namespace, tuple(dict.fromkeys(terms(request.query)))
        )
        at_hand = WorkingLayer.read(request)
    if request.of_documents:
        question = question_of(request.query, speakers=(), share=lambda term: 0.0, at=moment)
    else:
        question = question_of(request.query, speakers=known.speakers, share=known.share, at=moment)
    return question, known.about(question.terms), at_hand


def _ranking(
    memory: MemorySource, request: RecallRequest, moment: datetime, at_hand: WorkingLayer
) -> Ranking:
    return Ranking(
        weights=_weights(request),
        learned=_learned(request),
        at=moment,
        top_k=request.top_k,
        min_score=request.min_score,
        explain=request.explain,
        calibrator=standing_calibrator(request.tenant_id, request.namespace),
        choose=chooser(memory, request.tenant_id, request.diversity, at_hand.directions()),
    )


def _records(
    memory: MemorySource, tenant_id: UUID, judged: Sequence[Judged], at_hand: WorkingLayer
) -> dict[UUID, MemoryRecord]:
    found = memory.get(tenant_id, [each.record_id for each in judged])
    return at_hand.records() | {record.id: record for record in found}


def _evidence(
    tenant_id: UUID, judged: Sequence[Judged], records: Mapping[UUID, MemoryRecord]
) -> tuple[Evidence, ...]:
    # One that was deleted between the two statements is not there to be shown.
    return tuple(
        each.evidence(tenant_id, records[each.record_id]) for each in judged if each.record_id in records
    )


def _weights(request: RecallRequest) -> Weights:
    if request.weights is not None:
        return request.weights
    state = None if request.agent_id is None else standing_state(request.tenant_id, request.agent_id)
    return Weights() if state is None else state.weights


def _learned(request: RecallRequest) -> SignalWeights:
    if request.agent_id is None:
        return SignalWeights()
    standing = standing_rankings(request.tenant_id, request.agent_id, request.namespace)
    return standing.state.weights(standing.agent)


def _times(question: Question, lexicon: Lexicon, moment: datetime) -> tuple[tuple[datetime, datetime], ...]:
    """The first of the times that the question names, as far as looking for what happened then is cheap."""
    if lexicon.records > MOST_DATED:
        return ()
    spans = [span for period in question.periods for span in period.around(moment)]
    return tuple(dict.fromkeys(spans))[:TIMES]


def _query(
    request: RecallRequest,
    vector: NDArray[np.float32],
    lexicon: Lexicon,
    times: tuple[tuple[datetime, datetime], ...],
) -> CandidateQuery:
    return CandidateQuery(
        namespace=request.namespace,
        vector=vector,
        lexicon=lexicon,
        limit=CANDIDATES,
        times=times,
        k1=K1,
        b=B,
        filters=_filters(request),
        exclude_source_hashes=request.excluded_hashes,
        as_of=request.as_of,
        only=RecordFilter(
            roles=request.only.roles,
            speakers=request.only.speakers,
            since=request.only.since,
            until=request.only.until,
        ),
    )


def _filters(request: RecallRequest) -> Mapping[str, tuple[str, ...]]:
    kinds = {} if request.kinds is None else {"kind": tuple(request.kinds)}
    return {**request.only.provenance, **kinds}
