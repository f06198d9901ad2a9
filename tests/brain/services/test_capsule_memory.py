"""soma.brain.services.capsule_memory: what recall from memory capsules reaches, and what reaches them"""

from collections.abc import Iterator, Sequence
from uuid import UUID

import pytest
from django.db.models import F
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from soma.base.database import tenant_transaction
from soma.base.errors import InvalidInput
from soma.base.ids import new_id
from soma.brain.adapters.document_reader_process import ProcessDocumentReader
from soma.brain.api import Brain, CapsuleLimits, CapsuleReference, Embedder, Recall, RecallRequest
from soma.fractalmemory.adapters.link_store_postgres import PostgresLinkStore
from soma.fractalmemory.adapters.vector_store_pgvector import PgvectorStore
from soma.fractalmemory.api import FractalMemory, Link, LinkKey
from soma.fractalmemory.models import MemoryRecordRow, SketchBlockRow
from tests.brain.capsules import KEY, MADE, capsule, signed, somebody
from tests.brain.requested import requested
from tests.brain.services.documents.library import request, taken_in
from tests.brain.turns import told
from tests.events.waiting import wait_until

pytestmark = pytest.mark.req("MEM-005")

KETTLE = "The green kettle stands in the workshop."
PIN = "Locker 12 opens with 4471."
ASKED = "Where is the kettle?"
PLACES = ["own", "asked", "asked too", "not asked", "theirs"]


@pytest.fixture
def indexing_brain(embedder: Embedder) -> Iterator[Brain]:
    """A brain for which every namespace is large enough to be indexed."""
    memory = FractalMemory(PgvectorStore(exact_rows=0))
    memory.start()
    yield Brain(memory, embedder)
    memory.stop()


def upload(brain: Brain, tenant: UUID, *contents: str) -> UUID:
    made = capsule(*contents)
    brain.memory_capsules(KEY, CapsuleLimits()).upload(somebody(tenant), signed(made))
    return made.id


def place(capsule_id: UUID) -> str:
    return f"memory-capsule:{capsule_id}@1"


def ask(brain: Brain, tenant: UUID, query: str, *ids: UUID, **more: object) -> Recall:
    named = tuple(CapsuleReference(id=each) for each in ids)
    values = {"agent_id": None, "namespace": "n", "min_score": 0.0, "capsule_ids": named, **more}
    return brain.recall(RecallRequest(tenant_id=tenant, query=query, **values))  # type: ignore[arg-type] # by name


def contents(recall: Recall) -> list[str]:
    return [each.content for each in recall.evidence]


def held(tenant: UUID, namespace: str) -> list[UUID]:
    """The ids of what is remembered there, in the order of their keys."""
    with tenant_transaction(tenant):
        rows = MemoryRecordRow.objects.filter(tenant_id=tenant, namespace=namespace)
        return list(rows.order_by("key").values_list("id", flat=True))


def link(tenant: UUID, pairs: Sequence[tuple[UUID, UUID]]) -> None:
    """Make links behind the brain's back, which links nothing across namespaces."""
    links = [
        Link(key=LinkKey(source_id=a, target_id=b, kind="any"), conductance=10.0, created_at=MADE)
        for a, b in pairs
    ]
    with tenant_transaction(tenant):
        PostgresLinkStore().link(tenant, links)


def test_what_a_conversation_has_at_hand_is_in_no_capsule(brain: Brain, tenant: UUID) -> None:
    conversation, asked = new_id(), upload(brain, tenant, KETTLE)
    with tenant_transaction(tenant):
        brain.hold(requested(tenant, conversation, "My kettle is red.", namespace="n"), novelty=1.0, used=())
    assert contents(ask(brain, tenant, ASKED, conversation_id=conversation)) == ["My kettle is red."]
    assert contents(ask(brain, tenant, ASKED, asked, conversation_id=conversation)) == [KETTLE]


def test_documents_and_capsules_do_not_answer_for_each_other(brain: Brain, tenant: UUID) -> None:
    asked = upload(brain, tenant, KETTLE)
    documents = brain.documents(ProcessDocumentReader())
    documents.start(take_over=False)
    try:
        taken_in(documents, request(tenant), b"# Kitchen\n\nThe kettle is kept under the sink.\n")
    finally:
        documents.stop()
    [passage] = contents(ask(brain, tenant, ASKED))
    assert "under the sink" in passage
    assert contents(ask(brain, tenant, ASKED, asked)) == [KETTLE]


def test_links_between_what_was_asked_are_followed(brain: Brain, tenant: UUID) -> None:
    """In one capsule, and from one to another."""
    one, two = upload(brain, tenant, KETTLE, PIN), upload(brain, tenant, "Form 730 is due in September.")
    # In the order of their keys, which begin like their contents.
    [pin, kettle], [form] = held(tenant, place(one)), held(tenant, place(two))
    link(tenant, [(kettle, pin), (kettle, form)])
    alone = {"min_score": 0.5, "k_hop": 0}
    assert contents(ask(brain, tenant, ASKED, one, two, **alone)) == [KETTLE]
    found = ask(brain, tenant, ASKED, one, two, min_score=0.5).evidence
    ways = {each.record_id: each.provenance.get("path") for each in found}
    assert ways == {
        kettle: None,
        pin: [str(kettle), str(pin)],
        form: [str(kettle), str(form)],
    }
    assert {each.capsule for each in found} == {f"{one}@1", f"{two}@1"}
    assert set(contents(ask(brain, tenant, ASKED, one, min_score=0.5))) == {KETTLE, PIN}


@settings(deadline=None, max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(st.sampled_from(PLACES), min_size=1, max_size=8),
    st.lists(st.tuples(st.integers(0, 8), st.integers(0, 8)), max_size=25),
    st.integers(0, 3),
)
@pytest.mark.req("AUTH-004")
def test_no_hop_leads_out_of_the_capsules_asked_or_into_any(
    brain: Brain, where: list[str], pairs: list[tuple[int, int]], hops: int
) -> None:
    """Links across every border."""
    here, there = new_id(), new_id()
    spread: dict[str, list[str]] = {"asked": [KETTLE]} | {each: [] for each in PLACES if each != "asked"}
    for number, each in enumerate(where):
        spread[each].append(f"Kettle {number} of the ledger.")
    for each in ("own", "theirs"):
        told_there = [told(content) for content in spread[each]]
        brain.remember(there if each == "theirs" else here, told_there)
    capsules = {
        each: upload(brain, here, *spread[each])
        for each in ("asked", "asked too", "not asked")
        if spread[each]
    }
    known = [*held(here, "n"), *held(there, "n")]
    known += [record for each in capsules.values() for record in held(here, place(each))]
    links = [(known[a % len(known)], known[b % len(known)]) for a, b in pairs]
    for tenant in (here, there):
        link(tenant, links)
    named = [capsules[each] for each in ("asked", "asked too") if each in capsules]
    among = ask(brain, here, ASKED, *named, k_hop=hops, top_k=100).evidence
    assert {each.content for each in among} == {*spread["asked"], *spread["asked too"]}
    own = ask(brain, here, ASKED, k_hop=hops, top_k=100).evidence
    assert {each.content for each in own} == set(spread["own"])
    allowed = {each.record_id for each in (*among, *own)}
    for found in (*among, *own):
        assert {UUID(step) for step in found.provenance.get("path", ())} <= allowed


def test_a_capsule_is_not_asked_by_its_place(brain: Brain, tenant: UUID) -> None:
    asked = upload(brain, tenant, KETTLE)
    with pytest.raises(InvalidInput, match="capsule_ids"):
        ask(brain, tenant, ASKED, namespace=place(asked))


def test_nothing_is_added_to_a_capsule(brain: Brain, tenant: UUID) -> None:
    asked = upload(brain, tenant, KETTLE)
    kept = brain.remember(tenant, [told("My kettle is red.", namespace=place(asked))])
    assert [each.reason for each in kept.refused] == ["bad_name"]
    assert contents(ask(brain, tenant, ASKED, asked)) == [KETTLE]


def test_a_large_capsule_is_found_by_its_sketches(brain: Brain, indexing_brain: Brain, tenant: UUID) -> None:
    """Were it read whole, it would answer without them, too. No word of the question is in a block."""
    facts, parrot = (
        ("My dog is called Rex", "Copper conducts electricity well"),
        "We adopted a parrot named Kiwi",
    )
    query, more = "Which animals do I keep?", {"as_of": MADE}
    asked, other = upload(indexing_brain, tenant, *facts), upload(indexing_brain, tenant, parrot)
    wait_until(lambda: _indexed(tenant, asked) == 2 and _indexed(tenant, other) == 1)
    found = ask(indexing_brain, tenant, query, asked, other, **more).evidence
    assert {facts[0], parrot} <= {each.content for each in found}
    assert found == ask(brain, tenant, query, asked, other, **more).evidence
    _blank(tenant, place(asked))
    assert contents(ask(indexing_brain, tenant, query, asked, other, **more)) == [parrot]


def test_revocation_takes_a_capsule_out_of_the_index(indexing_brain: Brain, tenant: UUID) -> None:
    gone, kept = upload(indexing_brain, tenant, KETTLE), upload(indexing_brain, tenant, PIN)
    wait_until(lambda: _indexed(tenant, gone) == _indexed(tenant, kept) == 1)
    capsules = indexing_brain.memory_capsules(KEY, CapsuleLimits())
    capsules.revoke(somebody(tenant), CapsuleReference(id=gone), "moved")
    with tenant_transaction(tenant):
        left = {row.namespace: bytes(row.entries) for row in SketchBlockRow.objects.all()}
    assert not left.get(place(gone))
    assert left[place(kept)]


def _indexed(tenant: UUID, capsule_id: UUID) -> int:
    with tenant_transaction(tenant):
        rows = MemoryRecordRow.objects.filter(tenant_id=tenant, namespace=place(capsule_id))
        return rows.exclude(indexed_by=None).count()


def _blank(tenant: UUID, namespace: str) -> None:
    with tenant_transaction(tenant):
        rows = SketchBlockRow.objects.filter(tenant_id=tenant, namespace=namespace)
        assert rows.update(entries=b"", version=F("version") + 1)
