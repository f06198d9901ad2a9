"""Documents pass the guard chunk by chunk, as all that is remembered does."""

from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from uuid import UUID

import pytest

from soma.base.errors import Denied
from soma.base.ids import new_id
from soma.base.tenancy import Principal
from soma.brain.adapters.document_reader_process import ProcessDocumentReader
from soma.brain.api import Brain, Embedder, Guard, Pseudonyms
from soma.brain.domain.documents.document import DocumentStatus
from soma.brain.domain.documents.retrieval import RetrieveRequest
from soma.brain.domain.documents.unreadable import Reason
from soma.brain.services.documents.library import Documents
from soma.brain.services.memory_policy import MemoryPolicy
from soma.fractalmemory.adapters.vector_store_pgvector import PgvectorStore
from soma.fractalmemory.api import FractalMemory, Quota, Quotas
from soma.policy.adapters.policy_engine_rego import RegoPolicyEngine
from soma.policy.api import Policy
from tests.brain.services.documents.library import NAMESPACE, guide, request, settled, taken_in
from tests.fractalmemory.leftovers import everything_with

pytestmark = pytest.mark.req("RAG-001", "PRIV-001")

CARD = "4111 1111 1111 1111"
TEXT = f"# Expenses\n\n## Travel\n\nThe ferry to Horta is paid with the card {CARD} every June.\n"


@contextmanager
def library(
    embedder: Embedder, memory: FractalMemory, policy: MemoryPolicy | None = None
) -> Iterator[Documents]:
    guard = Guard(policy=policy, pseudonyms=Pseudonyms(b"k" * 32))
    documents = Brain(memory, embedder, guard=guard).documents(ProcessDocumentReader())
    documents.start(take_over=False)
    try:
        yield documents
    finally:
        documents.stop()


def test_tokens_stand_for_personal_data_in_chunks(embedder: Embedder, tenant: UUID) -> None:
    with library(embedder, FractalMemory(PgvectorStore())) as documents:
        document = taken_in(documents, request(tenant), TEXT.encode())
        assert document.status is DocumentStatus.DONE
        wanted = RetrieveRequest(tenant_id=tenant, namespace=NAMESPACE, query="How is the ferry paid?")
        [passage] = documents.retrieve(wanted).passages
    assert "paid with the card [card:" in passage.text
    assert passage.text.endswith(" every June.")
    assert passage.text.startswith("# Expenses")
    assert everything_with([CARD], tenant) == []


def test_a_document_that_there_is_no_room_for_fails_by_the_name_of_the_limit(
    embedder: Embedder, tenant: UUID
) -> None:
    memory = FractalMemory(PgvectorStore(), Quotas(tenant=Quota(records=3)))
    with library(embedder, memory) as documents:
        document = taken_in(documents, request(tenant), guide())
        assert (document.status, document.reason) == (DocumentStatus.FAILED, Reason.LIMIT)
        assert "3" in document.detail
        wanted = RetrieveRequest(tenant_id=tenant, namespace=NAMESPACE, query="How high is the Rhine?")
        assert documents.retrieve(wanted).passages == ()
        small = taken_in(documents, request(tenant, key="small.md"), b"# Small\n\nOne thing.\n")
        assert small.status is DocumentStatus.DONE


def test_the_policy_is_asked_for_whoever_brings_a_document(embedder: Embedder, tenant: UUID) -> None:
    user, memory, policy = new_id(), FractalMemory(PgvectorStore()), MemoryPolicy(Policy(RegoPolicyEngine()))
    wanted = request(tenant, namespace=f"{user}:papers")

    def bringing(role: str) -> Principal:
        return Principal(tenant_id=tenant, user_id=user, session_id=new_id(), roles=(role,))

    with library(embedder, memory, policy) as documents:
        with pytest.raises(Denied) as denied:
            documents.ingest(wanted, BytesIO(guide()), bringing("observer"))
        assert [each.partition(":")[0] for each in denied.value.reasons] == ["memory.kinds_granted"]
        assert documents.documents(tenant, wanted.namespace) == []
        document = documents.ingest(wanted, BytesIO(guide()), bringing("owner"))
        assert settled(documents, wanted, document).status is DocumentStatus.DONE
