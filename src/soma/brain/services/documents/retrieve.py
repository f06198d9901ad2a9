"""Asking documents."""

from uuid import UUID

from soma.base.errors import InvalidInput, LimitExceeded
from soma.brain.domain.documents.retrieval import MAX_DOCUMENTS, Retrieved, RetrieveRequest, passage_of
from soma.brain.domain.recall import RecallRequest
from soma.brain.domain.recall_filter import EVERYTHING, RecallFilter
from soma.brain.domain.utterance import UtteranceKind
from soma.brain.ports import Embedder
from soma.brain.services.recall import recall
from soma.fractalmemory.api import FractalMemory


def retrieve(memory: FractalMemory, embedder: Embedder, request: RetrieveRequest) -> Retrieved:
    """See Documents.retrieve."""
    wanted = request.document_ids
    if wanted is not None and not wanted:
        raise InvalidInput("document_ids names no document")
    if wanted is not None and len(wanted) > MAX_DOCUMENTS:
        raise LimitExceeded("document_ids", maximum=MAX_DOCUMENTS, actual=len(wanted), unit="documents")
    found = recall(
        memory,
        embedder,
        RecallRequest(
            tenant_id=request.tenant_id,
            agent_id=None,
            namespace=request.namespace,
            query=request.query,
            top_k=request.top_k,
            min_score=request.min_score,
            kinds=(UtteranceKind.DOCUMENT,),
            only=EVERYTHING if wanted is None else _only(wanted),
            explain=request.explain,
        ),
    )
    return Retrieved(
        passages=tuple(passage_of(evidence) for evidence in found.evidence), latency_ms=found.latency_ms
    )


def _only(documents: tuple[UUID, ...]) -> RecallFilter:
    return RecallFilter(provenance={"source_document": tuple(str(each) for each in documents)})
