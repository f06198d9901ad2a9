"""soma.brain.services.capsule_privacy: what memory would not keep as it was signed is not taken"""

from uuid import UUID

import pytest

from soma.base.errors import LimitExceeded
from soma.brain.api import (
    Brain,
    CapsuleLimits,
    CapsulePlan,
    CapsuleRefused,
    Embedder,
    Guard,
    GuardSettings,
    MemoryCapsules,
    PersonalData,
    Pseudonyms,
    RecallRequest,
    Treatment,
)
from soma.brain.domain.capsule_reference import CapsuleReference
from soma.brain.domain.memory_capsule import CapsuleBlock
from soma.fractalmemory.adapters.vector_store_pgvector import PgvectorStore
from soma.fractalmemory.api import FractalMemory, Quota, Quotas
from tests.brain.capsules import HASH, KEY, MADE, block, capsule, signed, somebody
from tests.brain.turns import told
from tests.fractalmemory.leftovers import everything_with

pytestmark = pytest.mark.req("MEM-005", "PRIV-001")

CARD = "4111 1111 1111 1111"
PLAIN = GuardSettings(treatments=dict.fromkeys(PersonalData, Treatment.STORE))


def guarded(embedder: Embedder, memory: FractalMemory | None = None) -> Brain:
    guard = Guard(pseudonyms=Pseudonyms(b"k" * 32))
    return Brain(memory or FractalMemory(PgvectorStore()), embedder, guard=guard)


def capsules_of(brain: Brain) -> MemoryCapsules:
    return brain.memory_capsules(KEY, CapsuleLimits())


def plan(*blocks: CapsuleBlock) -> CapsulePlan:
    return CapsulePlan(name="Handbook", version=1, blocks=blocks, policy_hash=HASH, created_at=MADE)


@pytest.mark.parametrize(
    "bad",
    [
        block(f"The ferry is paid with the card {CARD}."),
        block("The ferry sails at nine.", key=f"card {CARD}"),
        block("The ferry sails at nine.", speaker=f"Card {CARD}"),
        block("The ferry sails at nine.", provenance={"source_document": f"{CARD}.md"}),
    ],
)
def test_a_block_that_memory_would_rewrite_keeps_its_capsule_out(
    embedder: Embedder, tenant: UUID, bad: CapsuleBlock
) -> None:
    capsules = capsules_of(guarded(embedder))
    document = signed(capsule(blocks=(block("The kettle is green."), bad)))
    for take in (capsules.verify, lambda _, data: capsules.upload(somebody(tenant), data)):
        with pytest.raises(CapsuleRefused, match="card") as refused:
            take(tenant, document)
        assert refused.value.reason == "personal_data"
    with pytest.raises(CapsuleRefused) as refused:
        capsules.build(plan(bad))
    assert refused.value.reason == "personal_data"
    assert everything_with([CARD, "kettle", "ferry"], tenant) == []


def test_an_installation_that_keeps_it_takes_it(embedder: Embedder, tenant: UUID) -> None:
    keeps = Brain(FractalMemory(PgvectorStore()), embedder, guard=Guard(settings=PLAIN))
    document = signed(capsule(f"The ferry is paid with the card {CARD}."))
    assert capsules_of(keeps).upload(somebody(tenant), document).new


def test_tokens_in_memories_are_signed_and_found_by_what_they_stand_for(
    embedder: Embedder, tenant: UUID
) -> None:
    brain = guarded(embedder)
    capsules = capsules_of(brain)
    brain.remember(tenant, [told(f"The ferry is paid with {CARD}."), told("The taxi is paid in cash.")])
    made = capsules.upload(somebody(tenant), capsules.build(plan(*capsules.blocks_of(tenant, "n"))))
    named = (CapsuleReference(id=made.capsule.id),)
    asked = RecallRequest(
        tenant_id=tenant, agent_id=None, namespace="n", query=f"Who has {CARD}?", capsule_ids=named
    )
    [best, *_] = brain.recall(asked).evidence
    assert best.content.startswith("The ferry is paid with [card:")
    assert best.features["lexical"] > 0


def test_quotas_of_memory_hold_for_capsules(embedder: Embedder, tenant: UUID) -> None:
    memory = FractalMemory(PgvectorStore(), Quotas(tenant=Quota(records=2)))
    capsules = capsules_of(guarded(embedder, memory))
    capsules.upload(somebody(tenant), signed(capsule("The kettle is green.")))
    with pytest.raises(LimitExceeded, match="tenant_records is 3 records; the limit is 2 records"):
        capsules.upload(somebody(tenant), signed(capsule("The saw is blunt.", "The ladder is long.")))
    assert everything_with(["saw", "ladder"], tenant) == []
    [kept] = capsules.page(tenant)
    capsules.revoke(somebody(tenant), CapsuleReference(id=kept.id), "room")
    capsules.upload(somebody(tenant), signed(capsule("The saw is blunt.", "The ladder is long.")))


def test_no_table_holds_a_word_of_what_is_revoked(embedder: Embedder, tenant: UUID) -> None:
    capsules = capsules_of(guarded(embedder))
    made = capsule(blocks=(block("Yesterday Bruno fed a quokka in Wombatville.", key="first"),))
    capsules.upload(somebody(tenant), signed(made))
    assert everything_with(["quokka", "Wombatville"], tenant)
    capsules.revoke(somebody(tenant), CapsuleReference(id=made.id), "out of date")
    assert everything_with(["quokka", "Wombatville"], tenant) == []
