"""soma.brain.services.documents.library"""

from collections import Counter
from io import BytesIO
from uuid import UUID

import pytest

from soma.base.database import tenant_transaction
from soma.base.errors import InvalidInput, LimitExceeded, NotFound
from soma.base.ids import new_id
from soma.brain.api import Brain, RecallRequest
from soma.brain.domain.documents.document import DocumentStatus
from soma.brain.domain.documents.retrieval import Passage, RetrieveRequest
from soma.brain.domain.documents.unreadable import Reason, Unreadable
from soma.brain.models import DocumentPartRow, DocumentRow
from soma.brain.services.documents.library import Documents
from soma.brain.services.documents.register import MAX_BYTES
from soma.brain.services.documents.work import MAX_ATTEMPTS
from soma.brain.services.memory_policy import consolidation_principal
from soma.fractalmemory.adapters.vector_store_pgvector import PgvectorStore
from soma.fractalmemory.api import MemoryRecord, Selection
from tests.brain.services.documents.library import NAMESPACE, guide, request, settled, taken_in
from tests.brain.turns import told

pytestmark = pytest.mark.req("RAG-001")


def memories(tenant: UUID, namespace: str = NAMESPACE) -> list[MemoryRecord]:
    with tenant_transaction(tenant):
        return PgvectorStore().select(tenant, Selection(namespace=namespace), after=None, limit=10_000)


def parts(tenant: UUID) -> int:
    with tenant_transaction(tenant):
        return DocumentPartRow.objects.count()


def passages(documents: Documents, tenant: UUID, query: str, **more: object) -> tuple[Passage, ...]:
    wanted = RetrieveRequest(tenant_id=tenant, namespace=NAMESPACE, query=query, **more)  # type: ignore[arg-type] # whichever the test gives
    return documents.retrieve(wanted).passages


def test_a_document_is_taken_in_with_its_provenance(documents: Documents, tenant: UUID) -> None:
    content = guide()
    document = taken_in(documents, request(tenant), content)
    stored = memories(tenant)

    assert (document.status, document.title, document.pages) == (DocumentStatus.DONE, "Guide to rivers", None)
    assert document.chunks == document.chunks_done == len(stored) >= 10
    assert document.finished_at is not None
    assert parts(tenant) == 0
    for number, memory in enumerate(stored):
        origin = memory.provenance
        assert (origin["source_document"], origin["chunk"], origin["trace_id"]) == (
            str(document.id),
            number,
            "t",
        )
        text = content.decode()[origin["start"] : origin["end"]]
        assert memory.content.endswith(text)
        assert (memory.role, origin["kind"]) == ("document", "document")
    assert {memory.provenance["heading"].split("\n")[-1] for memory in stored} >= {"The Rhine", "The Neva"}


def test_chunks_are_neighbours_in_their_order(documents: Documents, tenant: UUID) -> None:
    taken_in(documents, request(tenant), guide())
    from django.db import connections

    statement = """
        SELECT (record.provenance ->> 'chunk')::int, (beside.provenance ->> 'chunk')::int
        FROM memory_passage AS passage JOIN memory_record AS record ON record.id = passage.record_id
        JOIN memory_record AS beside ON beside.id = passage.next_id ORDER BY 1
    """
    with tenant_transaction(tenant), connections["default"].cursor() as cursor:
        cursor.execute(statement)
        pairs = cursor.fetchall()

    assert pairs == [(number, number + 1) for number in range(len(memories(tenant)) - 1)]
    assert pairs


def test_what_is_asked_is_found_where_it_stands(documents: Documents, tenant: UUID) -> None:
    content = guide()
    document = taken_in(documents, request(tenant), content)
    best = passages(documents, tenant, "What boats are there on the Vistula?", explain=True)[0]

    assert best.document_id == document.id
    assert best.heading == ("Guide to rivers", "The Vistula")
    assert best.text == content.decode()[best.start : best.end]
    assert best.title == "Guide to rivers"
    assert (best.first_page, best.chunks) == (None, document.chunks)
    assert best.explanation and "dense" in best.explanation
    assert not passages(documents, tenant, "Vistula", document_ids=(new_id(),))
    assert passages(documents, tenant, "Vistula", document_ids=(document.id,))


def test_documents_answer_alone_and_count_in_chats(brain: Brain, documents: Documents, tenant: UUID) -> None:
    brain.remember(tenant, [told("The Vistula is my favourite river.", namespace=NAMESPACE)])
    taken_in(documents, request(tenant), guide("Vistula"))

    assert all(passage.chunks for passage in passages(documents, tenant, "The Vistula"))
    recalled = brain.recall(
        RecallRequest(
            tenant_id=tenant, agent_id=None, namespace=NAMESPACE, query="Which river is the Vistula?"
        )
    )
    assert Counter(each.role for each in recalled.evidence).keys() == {"user", "document"}


def test_the_same_again_changes_nothing(documents: Documents, tenant: UUID) -> None:
    first = taken_in(documents, request(tenant), guide("Rhine"))
    ids = {memory.id for memory in memories(tenant)}
    again = documents.ingest(request(tenant), BytesIO(guide("Rhine")), consolidation_principal(tenant))

    assert again == first
    assert {memory.id for memory in memories(tenant)} == ids


def test_a_changed_document_replaces_its_chunks(documents: Documents, tenant: UUID) -> None:
    first = taken_in(documents, request(tenant), guide("Rhine", "Elbe"))
    second = taken_in(documents, request(tenant), guide("Elbe", "Loire"))

    assert (second.id, second.revision) == (first.id, first.revision + 1)
    stored = memories(tenant)
    assert len(stored) == second.chunks
    assert {memory.provenance["revision"] for memory in stored} == {2}
    text = " ".join(memory.content for memory in stored)
    assert "Loire" in text and "Elbe" in text and "Rhine" not in text
    assert all("Rhine" not in passage.text for passage in passages(documents, tenant, "The Rhine's boats"))


def test_deleting_takes_chunks_texts_and_vectors_and_nothing_else(
    brain: Brain, documents: Documents, tenant: UUID
) -> None:
    brain.remember(tenant, [told("The Rhine has its own sort of boat.", namespace=NAMESPACE)])
    same = guide("Rhine")
    kept = taken_in(documents, request(tenant, key="kept"), same)
    deleted = taken_in(documents, request(tenant, key="deleted"), same)
    assert len(memories(tenant)) == 1 + kept.chunks + deleted.chunks

    documents.delete(tenant, NAMESPACE, deleted.id)

    assert {memory.provenance.get("source_document") for memory in memories(tenant)} == {None, str(kept.id)}
    assert {passage.document_id for passage in passages(documents, tenant, "The Rhine")} == {kept.id}
    with pytest.raises(NotFound):
        documents.document(tenant, NAMESPACE, deleted.id)
    from soma.fractalmemory.models import PassageRow

    with tenant_transaction(tenant):
        assert PassageRow.objects.count() == 1 + kept.chunks


def test_a_document_that_cannot_be_read_says_why_and_leaves_nothing(
    documents: Documents, tenant: UUID
) -> None:
    failed = taken_in(documents, request(tenant), b"\0\1\2 binary")

    assert (failed.status, failed.reason) == (DocumentStatus.FAILED, Reason.NOT_TEXT)
    assert "zero bytes" in failed.detail or "control" in failed.detail
    assert memories(tenant) == []
    assert parts(tenant) == 0


def test_what_stood_stays_when_what_should_replace_it_cannot_be_read(
    documents: Documents, tenant: UUID
) -> None:
    first = taken_in(documents, request(tenant), guide("Rhine"))
    failed = taken_in(documents, request(tenant), b"%PDF-1.7")
    assert (failed.status, failed.reason) == (DocumentStatus.FAILED, Reason.WRONG_TYPE)
    assert len(memories(tenant)) == first.chunks

    mended = taken_in(documents, request(tenant), guide("Loire"))
    assert {memory.provenance["revision"] for memory in memories(tenant)} == {mended.revision}


def test_cancelling_takes_back_what_was_stored(documents: Documents, tenant: UUID) -> None:
    wanted = request(tenant)
    document = documents.ingest(
        wanted, BytesIO(guide(sentences=120)), consolidation_principal(wanted.tenant_id)
    )
    cancelled = documents.cancel(tenant, NAMESPACE, document.id)
    assert cancelled.status is DocumentStatus.CANCELLED
    documents.stop()

    assert documents.document(tenant, NAMESPACE, document.id).status is DocumentStatus.CANCELLED
    assert memories(tenant) == []
    assert parts(tenant) == 0


@pytest.mark.parametrize(
    ("content", "error"), [(b"", Unreadable), (b"x" * (MAX_BYTES + 1), LimitExceeded)], ids=["empty", "long"]
)
def test_what_cannot_be_taken_in_is_refused_and_nothing_stored(
    documents: Documents, tenant: UUID, content: bytes, error: type[Exception]
) -> None:
    with pytest.raises(error):
        documents.ingest(request(tenant), BytesIO(content), consolidation_principal(tenant))
    assert documents.documents(tenant, NAMESPACE) == []


@pytest.mark.parametrize("more", [{"key": " "}, {"key": "a\0"}, {"title": "\ud800"}, {"key": "k" * 301}])
def test_bad_names_are_refused(documents: Documents, tenant: UUID, more: dict[str, str]) -> None:
    with pytest.raises(InvalidInput):
        documents.ingest(request(tenant, **more), BytesIO(b"One."), consolidation_principal(tenant))


@pytest.mark.req("AUTH-004")
def test_nobody_sees_or_touches_what_is_another_tenants(
    documents: Documents, tenant: UUID, other_tenant: UUID
) -> None:
    document = taken_in(documents, request(tenant), guide("Rhine"))

    assert passages(documents, other_tenant, "The Rhine") == ()
    assert documents.documents(other_tenant, NAMESPACE) == []
    for touch in (documents.document, documents.cancel, documents.delete):
        with pytest.raises(NotFound):
            touch(other_tenant, NAMESPACE, document.id)
        with pytest.raises(NotFound):
            touch(tenant, "another", document.id)
    mine = taken_in(documents, request(other_tenant), guide("Rhine"))
    assert mine.id != document.id
    assert len(memories(other_tenant)) == len(memories(tenant)) == document.chunks


def test_documents_are_listed_newest_first_page_by_page(documents: Documents, tenant: UUID) -> None:
    made = [
        documents.ingest(
            request(tenant, key=f"k{number}"), BytesIO(b"One."), consolidation_principal(tenant)
        ).id
        for number in range(3)
    ]
    first = documents.documents(tenant, NAMESPACE, limit=2)
    rest = documents.documents(tenant, NAMESPACE, limit=2, after=first[-1].id)

    assert [each.id for each in [*first, *rest]] == made[::-1]


def test_a_document_that_ends_every_process_is_given_up(documents: Documents, tenant: UUID) -> None:
    documents.stop()
    wanted = request(tenant)
    document = documents.ingest(wanted, BytesIO(guide("Rhine")), consolidation_principal(wanted.tenant_id))
    with tenant_transaction(tenant):
        DocumentRow.objects.update(attempts=MAX_ATTEMPTS)
    documents.start(take_over=False)
    documents.ingest(wanted, BytesIO(guide("Rhine")), consolidation_principal(wanted.tenant_id))
    failed = settled(documents, wanted, document)

    assert (failed.status, failed.reason) == (DocumentStatus.FAILED, Reason.LIMIT)
    assert str(MAX_ATTEMPTS) in failed.detail


def test_two_who_take_over_at_once_store_every_chunk_once(brain: Brain, tenant: UUID) -> None:
    from soma.brain.adapters.document_reader_process import ProcessDocumentReader

    wanted = request(tenant)
    libraries = [brain.documents(ProcessDocumentReader()) for _ in range(2)]
    document = libraries[0].ingest(
        wanted, BytesIO(guide(sentences=30)), consolidation_principal(wanted.tenant_id)
    )
    for library in libraries:
        library.start(take_over=True)
    done = settled(libraries[0], wanted, document)
    for library in libraries:
        library.stop()

    assert done.status is DocumentStatus.DONE
    assert [memory.provenance["chunk"] for memory in memories(tenant)] == list(range(done.chunks))


def test_what_people_tell_of_themselves_stands_before_what_documents_say(
    brain: Brain, documents: Documents, tenant: UUID
) -> None:
    brain.remember(tenant, [told("I keep my boat on the Loire", namespace=NAMESPACE)])
    taken_in(documents, request(tenant), guide())
    recalled = brain.recall(
        RecallRequest(tenant_id=tenant, agent_id=None, namespace=NAMESPACE, query="Where do I keep my boat?")
    )

    assert recalled.evidence[0].content == "I keep my boat on the Loire"
    speaker = {each.role: each.features.get("speaker", 0.0) for each in recalled.evidence}
    assert speaker["user"] == 1.0
    assert speaker.get("document", 0.0) == 0.0


def test_a_namespace_is_forgotten_with_its_documents(
    brain: Brain, documents: Documents, tenant: UUID
) -> None:
    owner = new_id()
    wanted = request(tenant, namespace=str(owner))
    taken_in(documents, wanted, guide("Rhine"))

    assert brain.forget_namespace(tenant, owner, "default") > 0
    assert documents.documents(tenant, str(owner)) == []
    assert taken_in(documents, wanted, guide("Rhine")).chunks_done == len(memories(tenant, str(owner))) > 0
