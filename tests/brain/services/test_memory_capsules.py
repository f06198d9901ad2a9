"""soma.brain.services.memory_capsules: taking in, recalling from, revoking"""

import json
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest
from django.db import DatabaseError, connections

from soma.base.crypto import SigningKey
from soma.base.database import tenant_transaction
from soma.base.errors import InvalidInput, LimitExceeded, NotFound
from soma.base.ids import new_id
from soma.brain.api import (
    Brain,
    CapsuleConflict,
    CapsuleIssuerUnknown,
    CapsuleLimits,
    CapsulePlan,
    CapsuleQuotaExceeded,
    CapsuleReference,
    CapsuleRefused,
    Embedder,
    MemoryCapsules,
    Recall,
    RecallRequest,
    RememberUnavailable,
    blocks_of_file,
)
from soma.brain.models import CapsuleIssuerRow, MemoryCapsuleRow
from soma.events.models import EventLogEntry, OutboxMessage
from soma.fractalmemory.models import MemoryRecordRow, NamespaceRow, PassageRow, PostingBlockRow
from tests.brain.capsules import HASH, KEY, MADE, STRANGER, block, capsule, signed, somebody
from tests.brain.turns import told

pytestmark = pytest.mark.req("MEM-005")

KETTLE = "The green kettle stands in the workshop."
LADDER = "The long ladder hangs behind the shed."
LIMITS = CapsuleLimits()


@pytest.fixture
def capsules(brain: Brain) -> MemoryCapsules:
    return brain.memory_capsules(KEY, LIMITS)


@pytest.fixture
def limited(brain: Brain) -> Callable[..., MemoryCapsules]:
    """Makes capsules with other limits."""
    return lambda **limits: brain.memory_capsules(KEY, replace(LIMITS, **limits))


def ask(brain: Brain, tenant: UUID, query: str, *ids: UUID | str, **more: Any) -> Recall:
    named = tuple(CapsuleReference.parse(str(each)) for each in ids)
    values = {"agent_id": None, "namespace": "n", "min_score": 0.0, "capsule_ids": named, **more}
    return brain.recall(RecallRequest(tenant_id=tenant, query=query, **values))


def contents(recall: Recall) -> set[str]:
    return {each.content for each in recall.evidence}


def left_of(tenant: UUID) -> dict[str, int]:
    """How many rows of memories' texts and vectors the tenant has."""
    with tenant_transaction(tenant):
        models = (MemoryRecordRow, PassageRow, NamespaceRow, PostingBlockRow)
        return {model._meta.db_table: model._default_manager.count() for model in models}


def published(tenant: UUID) -> list[dict[str, Any]]:
    """The events of the tenant in order, whether they wait or a relay has moved them meanwhile."""
    with tenant_transaction(tenant):
        waiting = [(row.event_id, row.type, json.loads(row.payload)) for row in OutboxMessage.objects.all()]
        logged = [(row.event_id, row.type, row.payload) for row in EventLogEntry.objects.all()]
    found = {event_id: {"type": kind, **payload} for event_id, kind, payload in [*logged, *waiting]}
    return [found[event_id] for event_id in sorted(found)]


def test_what_is_taken_in_is_recalled_with_its_origin(
    brain: Brain, capsules: MemoryCapsules, tenant: UUID
) -> None:
    made = capsule(KETTLE, LADDER)
    uploaded = capsules.upload(somebody(tenant), signed(made))
    assert (uploaded.new, uploaded.capsule.version, uploaded.capsule.blocks) == (True, 1, 2)
    found = ask(brain, tenant, "Where is the green kettle?", made.id)
    best = found.evidence[0]
    assert best.content == KETTLE
    assert best.capsule == f"{made.id}@1"
    assert best.provenance["capsule_block"] == made.blocks[0].key
    assert best.provenance["capsule_digest"] == made.blocks[0].digest
    assert best.provenance["capsule_issuer"] == KEY.public.hex()
    assert best.provenance["source_document"] == "handbook.md"
    assert best.provenance["trace_id"] == "a" * 32


def test_recall_is_from_exactly_the_capsules_named(
    brain: Brain, capsules: MemoryCapsules, tenant: UUID
) -> None:
    owner, one, two, three = somebody(tenant), capsule(KETTLE), capsule(LADDER), capsule("The saw is blunt.")
    brain.remember(tenant, [told("My own kettle is red.")])
    for each in (one, two, three):
        capsules.upload(owner, signed(each))
    question = "Where are the kettle and the ladder?"
    assert contents(ask(brain, tenant, question, one.id)) == {KETTLE}
    assert contents(ask(brain, tenant, question, two.id, one.id, one.id)) == {KETTLE, LADDER}
    assert contents(ask(brain, tenant, question)) == {"My own kettle is red."}


def test_several_capsules_are_ranked_as_one(brain: Brain, capsules: MemoryCapsules, tenant: UUID) -> None:
    owner = somebody(tenant)
    facts = ["My dog is called Rex", "My cat's name is Luna", "We adopted a parrot named Kiwi", "It rained."]
    parts, whole = [capsule(*facts[:1]), capsule(*facts[1:3]), capsule(*facts[3:])], capsule(*facts)
    for each in (*parts, whole):
        capsules.upload(owner, signed(each))
    question = "What is the name of my cat?"
    apart = ask(brain, tenant, question, *(part.id for part in parts), as_of=MADE).evidence
    together = ask(brain, tenant, question, whole.id, as_of=MADE).evidence
    assert [each.content for each in apart] == [each.content for each in together]
    for one, other in zip(apart, together, strict=True):
        assert one.features["lexical" if "lexical" in one.features else "similarity"] == pytest.approx(
            other.features["lexical" if "lexical" in other.features else "similarity"], abs=1e-3
        )


def test_what_another_capsule_says_too_is_still_recalled(
    brain: Brain, capsules: MemoryCapsules, tenant: UUID
) -> None:
    owner, one, two = somebody(tenant), capsule(KETTLE), capsule(KETTLE)
    for each in (one, two):
        capsules.upload(owner, signed(each))
    capsules.revoke(owner, CapsuleReference(id=one.id), "replaced")
    assert contents(ask(brain, tenant, "kettle", two.id)) == {KETTLE}


def test_no_capsule_weighs_in_the_answer_of_another(
    brain: Brain, capsules: MemoryCapsules, tenant: UUID
) -> None:
    owner, one = somebody(tenant), capsule(KETTLE, LADDER)
    capsules.upload(owner, signed(one))
    before = ask(brain, tenant, "Where is the kettle?", one.id, as_of=MADE).evidence
    capsules.upload(owner, signed(capsule(*(f"Kettle number {number}." for number in range(20)))))
    assert ask(brain, tenant, "Where is the kettle?", one.id, as_of=MADE).evidence == before


def test_every_block_is_within_reach(brain: Brain, capsules: MemoryCapsules, tenant: UUID) -> None:
    """Search is exact: none of a hundred among thousands of others is passed over."""
    owner = somebody(tenant)
    wanted = capsule(*(f"Shelf {number} holds box {number * 7}." for number in range(100)))
    capsules.upload(owner, signed(wanted))
    for part in range(3):
        others = (f"Shelf {number} of hall {part} is free." for number in range(300))
        capsules.upload(owner, signed(capsule(*others)))
    found = ask(brain, tenant, "What do the shelves hold?", wanted.id, top_k=100)
    assert found.evidence
    assert {each.capsule for each in found.evidence} == {f"{wanted.id}@1"}
    for number in (3, 50, 97):
        best = ask(brain, tenant, f"What holds box {number * 7}?", wanted.id, top_k=1).evidence
        assert [each.content for each in best] == [f"Shelf {number} holds box {number * 7}."]


def test_same_upload_again_changes_nothing(capsules: MemoryCapsules, tenant: UUID) -> None:
    data = signed(capsule(KETTLE))
    first = capsules.upload(somebody(tenant), data)
    before = left_of(tenant)
    again = capsules.upload(somebody(tenant), data)
    assert (first.new, again.new) == (True, False)
    assert again.capsule == first.capsule
    assert left_of(tenant) == before
    assert [event["type"] for event in published(tenant)] == ["memory.capsule.uploaded"]


def test_of_two_uploads_at_once_one_is_stored(capsules: MemoryCapsules, tenant: UUID) -> None:
    data, barrier = signed(capsule(KETTLE, LADDER)), threading.Barrier(4)

    def upload(_: int) -> Any:
        barrier.wait()
        try:
            return capsules.upload(somebody(tenant), data)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(4) as pool:
        uploads = list(pool.map(upload, range(4)))
    assert [each.new for each in uploads].count(True) == 1
    assert len({each.capsule for each in uploads}) == 1
    assert left_of(tenant)["memory_record"] == 2
    assert len(published(tenant)) == 1


def test_of_two_contents_for_one_version_one_wins(capsules: MemoryCapsules, tenant: UUID) -> None:
    name, barrier = new_id(), threading.Barrier(2)

    def upload(content: str) -> str:
        barrier.wait()
        try:
            capsules.upload(somebody(tenant), signed(capsule(content, capsule_id=name)))
        except CapsuleConflict as conflict:
            return conflict.reason
        finally:
            connections.close_all()
        return "stored"

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(upload, [KETTLE, LADDER])) == ["stored", "version_not_above"]
    assert left_of(tenant)["memory_record"] == 1


def test_the_latest_version_answers_unless_one_is_named(
    brain: Brain, capsules: MemoryCapsules, tenant: UUID
) -> None:
    owner, first = somebody(tenant), capsule(KETTLE, LADDER)
    third = capsule("The green kettle is broken.", LADDER, capsule_id=first.id, version=3)
    for each in (first, third):
        capsules.upload(owner, signed(each))
    old, new = {KETTLE, LADDER}, {"The green kettle is broken.", LADDER}
    question = "What of the green kettle and the ladder?"
    assert contents(ask(brain, tenant, question, first.id)) == new
    assert contents(ask(brain, tenant, question, f"{first.id}@1")) == old
    assert contents(ask(brain, tenant, question, f"{first.id}@1", first.id)) == old | new
    assert [each.version for each in capsules.versions(tenant, first.id)] == [3, 1]
    assert capsules.find(tenant, CapsuleReference(id=first.id, version=1)).intact
    with pytest.raises(NotFound, match="@2"):
        ask(brain, tenant, question, f"{first.id}@2")
    capsules.revoke(owner, CapsuleReference(id=first.id, version=3), "wrong")
    assert contents(ask(brain, tenant, question, first.id)) == old


@pytest.mark.parametrize("version", [1, 2])
def test_a_version_has_to_be_above_the_last(capsules: MemoryCapsules, tenant: UUID, version: int) -> None:
    name = new_id()
    capsules.upload(somebody(tenant), signed(capsule(KETTLE, capsule_id=name, version=2)))
    with pytest.raises(CapsuleConflict) as refused:
        capsules.upload(somebody(tenant), signed(capsule(LADDER, capsule_id=name, version=version)))
    assert refused.value.reason == "version_not_above"
    assert refused.value.extra["latest"] == 2


def test_a_capsule_stays_with_its_issuer(capsules: MemoryCapsules, tenant: UUID) -> None:
    owner, mine = somebody(tenant), capsule(KETTLE)
    capsules.upload(owner, signed(mine))
    capsules.trust(owner, STRANGER.public.hex(), "A neighbour")
    theirs = capsule("Nonsense.", capsule_id=mine.id, version=2, issuer=STRANGER.public.hex())
    with pytest.raises(CapsuleConflict) as refused:
        capsules.upload(owner, signed(theirs, STRANGER))
    assert refused.value.reason == "issuer_changed"


def test_a_stranger_is_believed_once_trusted_and_by_that_tenant_alone(
    capsules: MemoryCapsules, tenant: UUID, other_tenant: UUID
) -> None:
    owner, other = somebody(tenant), somebody(other_tenant)
    data = signed(capsule(KETTLE, issuer=STRANGER.public.hex()), STRANGER)
    for each in (owner, other):
        with pytest.raises(CapsuleIssuerUnknown):
            capsules.upload(each, data)
    capsules.trust(owner, STRANGER.public.hex(), "A neighbour")
    capsules.trust(owner, STRANGER.public.hex(), "again")
    assert [(each.own, each.label) for each in capsules.issuers(tenant)] == [
        (True, "this installation"),
        (False, "A neighbour"),
    ]
    assert capsules.upload(owner, data).new
    with pytest.raises(CapsuleIssuerUnknown):
        capsules.upload(other, data)
    capsules.distrust(owner, STRANGER.public.hex())
    with pytest.raises(CapsuleIssuerUnknown):
        capsules.upload(owner, data)
    with pytest.raises(NotFound):
        capsules.distrust(owner, STRANGER.public.hex())


@pytest.mark.parametrize(("key", "label"), [("", ""), ("0f" * 31, ""), ("0F" * 32, ""), ("0f" * 32, "a\nb")])
def test_what_is_no_key_is_not_trusted(capsules: MemoryCapsules, tenant: UUID, key: str, label: str) -> None:
    with pytest.raises(InvalidInput):
        capsules.trust(somebody(tenant), key, label)


def test_revoked_means_gone(brain: Brain, capsules: MemoryCapsules, tenant: UUID) -> None:
    owner, made = somebody(tenant), capsule(KETTLE, LADDER)
    capsules.upload(owner, signed(made))
    assert ask(brain, tenant, "kettle", made.id).evidence
    (revoked,) = capsules.revoke(owner, CapsuleReference(id=made.id), "out of date")
    assert revoked.revoked_by == owner.user_id
    assert revoked.revocation_reason == "out of date"
    for reference in (made.id, f"{made.id}@1"):
        with pytest.raises(CapsuleConflict) as refused:
            ask(brain, tenant, "kettle", reference)
        assert refused.value.reason == "revoked"
    assert set(left_of(tenant).values()) == {0}
    assert [event["type"] for event in published(tenant)][1:] == ["memory.capsule.revoked"]
    assert published(tenant)[1]["deleted"] == 2
    with pytest.raises(CapsuleConflict) as refused:
        capsules.upload(owner, signed(made))
    assert refused.value.reason == "revoked"


def test_what_was_signed_stays_for_the_audit(capsules: MemoryCapsules, tenant: UUID) -> None:
    owner, made = somebody(tenant), capsule(KETTLE, LADDER)
    capsules.upload(owner, signed(made))
    capsules.revoke(owner, CapsuleReference(id=made.id), "out of date")
    kept = capsules.find(tenant, CapsuleReference(id=made.id))
    assert kept.intact
    assert (kept.description, kept.created_at, kept.version.policy_hash) == (made.description, MADE, HASH)
    assert [(each.key, each.digest) for each in kept.blocks] == [
        (each.key, each.digest) for each in made.blocks
    ]


def test_revoked_again_stays_as_it_was(capsules: MemoryCapsules, tenant: UUID) -> None:
    owner, made = somebody(tenant), capsule(KETTLE)
    capsules.upload(owner, signed(made))
    first = capsules.revoke(owner, CapsuleReference(id=made.id), "first")
    assert capsules.revoke(somebody(tenant), CapsuleReference(id=made.id), "second") == first
    assert len(published(tenant)) == 2


@pytest.mark.parametrize("reason", ["", " ", "a\nb", "r" * 501])
def test_a_revocation_says_why(capsules: MemoryCapsules, tenant: UUID, reason: str) -> None:
    made = capsule(KETTLE)
    capsules.upload(somebody(tenant), signed(made))
    with pytest.raises(InvalidInput):
        capsules.revoke(somebody(tenant), CapsuleReference(id=made.id), reason)
    assert capsules.find(tenant, CapsuleReference(id=made.id)).version.revoked_at is None


class RevokedMeanwhile:
    """An embedder during whose work a capsule is revoked: recall has begun by then, and read nothing yet."""

    def __init__(self, embedder: Embedder, revoke: Callable[[], object]) -> None:
        self.name, self.dimensions = embedder.name, embedder.dimensions
        self._embedder, self._revoke = embedder, revoke

    def embed(self, texts: Any) -> Any:
        self._revoke()
        return self._embedder.embed(texts)

    def embed_parts(self, texts: Any, spans: Any) -> Any:
        return self._embedder.embed_parts(texts, spans)


def test_a_recall_that_is_under_way_does_not_show_what_is_revoked(
    brain: Brain, embedder: Embedder, capsules: MemoryCapsules, tenant: UUID
) -> None:
    owner, made, other = somebody(tenant), capsule(KETTLE), capsule(LADDER)
    for each in (made, other):
        capsules.upload(owner, signed(each))

    def revoke() -> None:
        capsules.revoke(owner, CapsuleReference(id=made.id), "at once")

    racing = Brain(brain._memory, RevokedMeanwhile(embedder, revoke))
    with pytest.raises(CapsuleConflict) as refused:
        ask(racing, tenant, "kettle", other.id, made.id)
    assert refused.value.reason == "revoked"
    assert contents(ask(brain, tenant, "ladder", other.id)) == {LADDER}


@pytest.mark.req("AUTH-004")
def test_another_tenant_has_no_such_capsule(
    brain: Brain, capsules: MemoryCapsules, tenant: UUID, other_tenant: UUID
) -> None:
    made = capsule(KETTLE)
    capsules.upload(somebody(tenant), signed(made))
    named, other = CapsuleReference(id=made.id), somebody(other_tenant)
    for probe in (
        lambda: ask(brain, other_tenant, "kettle", made.id),
        lambda: ask(brain, other_tenant, "kettle", f"{made.id}@1"),
        lambda: capsules.find(other_tenant, named),
        lambda: capsules.versions(other_tenant, made.id),
        lambda: capsules.revoke(other, named, "not mine"),
    ):
        with pytest.raises(NotFound):
            probe()
    assert capsules.page(other_tenant) == []
    own = capsules.upload(other, signed(capsule(LADDER, capsule_id=made.id, version=7)))
    assert own.new
    assert contents(ask(brain, other_tenant, "kettle", made.id)) == {LADDER}
    assert contents(ask(brain, tenant, "kettle", made.id)) == {KETTLE}


def test_quotas_of_a_tenant(limited: Callable[..., MemoryCapsules], tenant: UUID) -> None:
    owner, first = somebody(tenant), capsule(KETTLE, LADDER)
    size = len(signed(first))
    limited().upload(owner, signed(first))
    second, successor = capsule(KETTLE), capsule(LADDER, capsule_id=first.id, version=2)
    for limits, unit, actual, refused in (
        ({"tenant_capsules": 1}, "capsules", 2, second),
        ({"tenant_blocks": 2}, "blocks", 3, successor),
        ({"tenant_bytes": size + 10}, "bytes", size + len(signed(successor)), successor),
    ):
        before = left_of(tenant)
        with pytest.raises(CapsuleQuotaExceeded) as exceeded:
            limited(**limits).upload(owner, signed(refused))
        assert (exceeded.value.extra["unit"], exceeded.value.extra["actual"]) == (unit, actual)
        assert exceeded.value.extra["maximum"] == next(iter(limits.values()))
        assert left_of(tenant) == before
    assert limited(tenant_capsules=1).upload(owner, signed(successor)).new
    limited().revoke(owner, CapsuleReference(id=first.id), "room")
    assert limited(tenant_capsules=1, tenant_blocks=1).upload(owner, signed(second)).new


def test_a_quota_holds_for_uploads_at_once(limited: Callable[..., MemoryCapsules], tenant: UUID) -> None:
    capsules, barrier = limited(tenant_capsules=2), threading.Barrier(4)

    def upload(number: int) -> bool:
        barrier.wait()
        try:
            return capsules.upload(somebody(tenant), signed(capsule(f"Fact {number}."))).new
        except CapsuleQuotaExceeded:
            return False
        finally:
            connections.close_all()

    with ThreadPoolExecutor(4) as pool:
        assert sorted(pool.map(upload, range(4))) == [False, False, True, True]


def test_who_is_asked_may_keep_a_capsule_out(capsules: MemoryCapsules, tenant: UUID) -> None:
    seen: list[str] = []

    def refuse(asked: Any) -> None:
        seen.append(asked.capsule.policy_hash)
        raise InvalidInput("not here")

    with pytest.raises(InvalidInput):
        capsules.upload(somebody(tenant), signed(capsule(KETTLE)), refuse)
    assert seen == [HASH]
    assert capsules.page(tenant) == []


def test_a_store_that_does_not_answer_leaves_nothing(
    cut_off_brain: Brain, brain: Brain, tenant: UUID
) -> None:
    data = signed(capsule(KETTLE))
    with pytest.raises(RememberUnavailable):
        cut_off_brain.memory_capsules(KEY, LIMITS).upload(somebody(tenant), data)
    assert published(tenant) == []
    assert brain.memory_capsules(KEY, LIMITS).upload(somebody(tenant), data).new


def test_pages_go_on_where_the_last_ended(capsules: MemoryCapsules, tenant: UUID) -> None:
    owner, first = somebody(tenant), capsule(KETTLE)
    for each in (first, capsule(LADDER), capsule(LADDER, capsule_id=first.id, version=2)):
        capsules.upload(owner, signed(each))

    def walk() -> Iterator[tuple[UUID, int]]:
        after = None
        while page := capsules.page(tenant, after=after, limit=1):
            yield page[0].id, page[0].version
            after = CapsuleReference(id=page[0].id, version=page[0].version)

    walked = list(walk())
    assert walked == sorted(walked)
    assert len(set(walked)) == 3
    for bad in ({"limit": 0}, {"limit": 201}, {"after": CapsuleReference(id=first.id)}):
        with pytest.raises(InvalidInput):
            capsules.page(tenant, **bad)


def test_no_more_capsules_than_the_limit_at_once(brain: Brain, tenant: UUID) -> None:
    with pytest.raises(LimitExceeded, match="capsule_ids is 17"):
        ask(brain, tenant, "kettle", *(new_id() for _ in range(17)))


CHANGES = [
    "UPDATE memory_capsule SET manifest = ''",
    "UPDATE memory_capsule SET digest = digest || '0'",
    "UPDATE memory_capsule SET version = version + 1",
    "UPDATE memory_capsule SET revoked_at = NULL, revoked_by = NULL, revocation_reason = ''",
    "UPDATE memory_capsule SET revocation_reason = 'another'",
    "UPDATE memory_capsule SET revoked_at = now(), size = 0",
    "DELETE FROM memory_capsule",
    "TRUNCATE memory_capsule",
]


@pytest.mark.parametrize("role", ["default", "worker", "owner"])
@pytest.mark.parametrize("change", CHANGES)
def test_nobody_changes_a_version(capsules: MemoryCapsules, tenant: UUID, role: str, change: str) -> None:
    owner, made, gone = somebody(tenant), capsule(KETTLE), capsule(LADDER)
    for each in (made, gone):
        capsules.upload(owner, signed(each))
    capsules.revoke(owner, CapsuleReference(id=gone.id), "out of date")

    def rows() -> list[Any]:
        with tenant_transaction(tenant):
            return list(MemoryCapsuleRow.objects.order_by("capsule_id").values())

    before = rows()
    with pytest.raises(DatabaseError), tenant_transaction(tenant, using=role):
        connections[role].cursor().execute(change)
    assert len(before) == 2
    assert rows() == before


@pytest.mark.req("AUTH-004")
def test_tables_show_no_other_tenant(capsules: MemoryCapsules, tenant: UUID, other_tenant: UUID) -> None:
    capsules.upload(somebody(tenant), signed(capsule(KETTLE)))
    capsules.trust(somebody(tenant), STRANGER.public.hex())
    for model in (MemoryCapsuleRow, CapsuleIssuerRow):
        with tenant_transaction(tenant):
            assert model._default_manager.count() == 1
        with tenant_transaction(other_tenant):
            assert model._default_manager.count() == 0


def plan(*contents: str, **changes: Any) -> CapsulePlan:
    values = {
        "name": "Handbook",
        "version": 1,
        "policy_hash": HASH,
        "created_at": MADE,
        "blocks": [block(content) for content in contents],
    }
    return CapsulePlan(**{**values, **changes})


def test_what_is_built_is_the_same_for_the_same(capsules: MemoryCapsules, tenant: UUID) -> None:
    built = capsules.build(plan(KETTLE, LADDER))
    assert capsules.build(plan(KETTLE, LADDER)) == built
    assert capsules.build(plan(LADDER, KETTLE)) != built
    assert capsules.verify(tenant, built).capsule.issuer == capsules.public_key
    assert capsules.upload(somebody(tenant), built).new


def test_a_name_goes_on_with_the_next_version(capsules: MemoryCapsules, brain: Brain, tenant: UUID) -> None:
    owner = somebody(tenant)
    assert capsules.next_version(tenant, "Handbook") == 1
    first = capsules.upload(owner, capsules.build(plan(KETTLE))).capsule
    assert capsules.next_version(tenant, "Handbook") == 2
    second = capsules.upload(owner, capsules.build(plan(LADDER, version=2))).capsule
    assert (second.id, second.version) == (first.id, 2)
    elsewhere = brain.memory_capsules(SigningKey.from_seed(bytes(31) + b"1"), LIMITS)
    other = json.loads(elsewhere.build(plan(KETTLE)))
    assert other["id"] != str(first.id)


@pytest.mark.parametrize(
    "bad", [plan(), plan(KETTLE, name=""), plan(KETTLE, KETTLE), plan(KETTLE, version=0)]
)
def test_what_no_reader_would_take_is_not_built(capsules: MemoryCapsules, bad: CapsulePlan) -> None:
    with pytest.raises(CapsuleRefused):
        capsules.build(bad)


def test_memories_become_a_capsule_and_memories_again(
    brain: Brain, capsules: MemoryCapsules, tenant: UUID, other_tenant: UUID
) -> None:
    brain.remember(tenant, [told("My dog is called Rex", key="a"), told("I live in Lisbon", key="b")])
    both = capsules.blocks_of(tenant, "n")
    assert [each.key for each in both] == ["a", "b"]
    assert [each.key for each in capsules.blocks_of(tenant, "n", keys=["b", "none"])] == ["b"]
    assert capsules.blocks_of(other_tenant, "n") == []
    data = capsules.build(plan(blocks=both))
    taken = capsules.upload(somebody(other_tenant), data).capsule
    found = ask(brain, other_tenant, "What is my dog's name?", taken.id)
    assert found.evidence[0].content == "My dog is called Rex"
    assert found.evidence[0].provenance["source_turn"] == "turn-1"


def test_one_memory_too_many_is_seen(
    limited: Callable[..., MemoryCapsules], brain: Brain, tenant: UUID
) -> None:
    brain.remember(tenant, [told(f"Fact {number}", key=str(number)) for number in range(4)])
    capsules = limited(blocks=2)
    blocks = capsules.blocks_of(tenant, "n")
    assert len(blocks) == 3
    with pytest.raises(LimitExceeded, match="the limit is 2 blocks"):
        capsules.build(plan(blocks=blocks))


def test_a_file_becomes_a_capsule(brain: Brain, capsules: MemoryCapsules, tenant: UUID) -> None:
    text = f"# Tools\n\n{KETTLE}\n\n## Outside\n\nThe ladder hangs behind the shed."
    blocks = blocks_of_file("tools.md", text.encode(), at=MADE)
    taken = capsules.upload(somebody(tenant), capsules.build(plan(blocks=blocks))).capsule
    found = ask(brain, tenant, "Where is the ladder?", taken.id).evidence[0]
    assert found.content == "Tools – Outside\n\nThe ladder hangs behind the shed."
    assert (found.role, found.provenance["source_document"]) == ("document", "tools.md")
