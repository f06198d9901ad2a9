"""soma.brain.services.guard: the decision on each item, and what is stored of it."""

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest

from soma.base.canonical import sha256_hex
from soma.base.database import tenant_transaction
from soma.base.errors import Denied, InvalidInput
from soma.base.ids import new_id
from soma.base.tenancy import Principal
from soma.brain.api import (
    Brain,
    Embedder,
    Guard,
    GuardSettings,
    MemoryPolicy,
    PersonalData,
    Pseudonyms,
    RecallRequest,
    RefusalReason,
    RememberUnavailable,
    Treatment,
    Verdict,
)
from soma.fractalmemory.adapters.vector_store_pgvector import PgvectorStore
from soma.fractalmemory.api import FractalMemory, MemoryRecord, Quota, Quotas
from soma.policy.adapters.policy_engine_rego import RegoPolicyEngine
from soma.policy.api import Decision, Policy, PolicyInput
from tests.brain.requested import requested
from tests.brain.turns import told
from tests.fractalmemory.exactness import assert_exact
from tests.fractalmemory.leftovers import everything_with

pytestmark = pytest.mark.req("MEM-001", "PRIV-001")

CARD = "4111 1111 1111 1111"
KEYS = Pseudonyms(b"k" * 32)


class CountedPolicy(Policy):
    """The policy, and how often it was asked."""

    def __init__(self) -> None:
        super().__init__(RegoPolicyEngine())
        self.asked: list[PolicyInput] = []

    def decide(self, policy_input: PolicyInput) -> Decision:
        self.asked.append(policy_input)
        return super().decide(policy_input)


def guarded(embedder: Embedder, policy: Policy | None = None, **settings: Any) -> Brain:
    """A brain with the guard of an installation."""
    guard = Guard(
        policy=MemoryPolicy(policy or Policy(RegoPolicyEngine())),
        pseudonyms=KEYS,
        settings=GuardSettings(**settings),
    )
    return Brain(FractalMemory(PgvectorStore()), embedder, guard=guard)


def writer(tenant: UUID, *roles: str) -> Principal:
    return Principal(tenant_id=tenant, user_id=new_id(), session_id=new_id(), roles=roles)


def kept(tenant: UUID, *ids: UUID) -> list[MemoryRecord]:
    with tenant_transaction(tenant):
        return PgvectorStore().get(tenant, ids)


def recalled(brain: Brain, tenant: UUID, query: str) -> list[str]:
    request = RecallRequest(tenant_id=tenant, agent_id=None, namespace="n", query=query, kinds=None)
    return [each.content for each in brain.recall(request).evidence]


def test_every_item_has_a_decision_in_order(embedder: Embedder, tenant: UUID) -> None:
    items = [
        told("I live in Lisbon", key="a"),
        told(f"My card is {CARD}", key="b"),
        told(" ", key="c"),
        told("Recalled", key="d", provenance={"trace_id": "t", "source_turn": "s", "recalled_from": "x"}),
    ]
    result = guarded(embedder).remember(tenant, items, principal=writer(tenant, "owner"))
    decided = [(each.key, each.verdict, each.rule) for each in result.decisions]
    assert decided == [
        ("a", Verdict.STORE, "guard.passed"),
        ("b", Verdict.HASH, "personal_data.card"),
        ("c", Verdict.REFUSE, "form.empty"),
        ("d", Verdict.REFUSE, "recalled.whole"),
    ]
    assert all(each.detail for each in result.decisions)
    assert result.decisions[1].hashed == ("card",)


def test_what_is_hashed_is_stored_nowhere_and_found_by_its_value(embedder: Embedder, tenant: UUID) -> None:
    brain = guarded(embedder)
    item = told(
        f"Mine is {CARD}",
        key=f"told:{CARD}",
        speaker=f"Ada {CARD}",
        session=f"about {CARD}",
        provenance={"trace_id": "t", "source_turn": "s", "note": f"see {CARD}", "input_hash": "a" * 64},
    )
    others = [told(f"Number {number} is the amount of invoice {number}") for number in range(30)]
    [stored, *_] = brain.remember(tenant, [item, *others]).stored
    [record] = kept(tenant, stored.record_id)
    assert CARD.replace(" ", "") not in re.sub("[ -]", "", repr(record))
    assert record.provenance["hashed"] == "card"
    assert record.provenance["input_hash"] == KEYS.digest(tenant, "a" * 64)
    assert recalled(brain, tenant, "Whose is 4111-1111-1111-1111?")[0] == record.content


def test_the_message_itself_is_left_out_though_its_hash_is_kept_keyed(
    embedder: Embedder, tenant: UUID
) -> None:
    brain = guarded(embedder)
    provenance = {"trace_id": "t", "source_turn": "s", "input_hash": "a" * 64}
    brain.remember(tenant, [told(f"My card is {CARD}", provenance=provenance)])
    request = RecallRequest(tenant_id=tenant, agent_id=None, namespace="n", query=f"My card is {CARD}")
    assert len(brain.recall(request).evidence) == 1
    assert brain.recall(replace(request, exclude_input_hash="a" * 64)).evidence == ()


def test_the_same_batch_again_changes_nothing_though_it_is_hashed(embedder: Embedder, tenant: UUID) -> None:
    brain, items = guarded(embedder), [told(f"My card is {CARD}", key=f"k{CARD}")]
    first = brain.remember(tenant, items)
    again = brain.remember(tenant, items)
    assert (again.stored, again.deduplicated) == ((), first.stored)


@pytest.mark.parametrize(
    ("text", "kept_plain"),
    [("Write to ada@example.org", True), ("Call +351 912 345 678", True), ("My password is hunter2", False)],
)
def test_telephone_and_mail_are_kept_unless_the_setting_says_otherwise(
    embedder: Embedder, tenant: UUID, text: str, kept_plain: bool
) -> None:
    [stored] = guarded(embedder).remember(tenant, [told(text, key="plain")]).stored
    [record] = kept(tenant, stored.record_id)
    assert (record.content == text) is kept_plain
    everything = dict.fromkeys(PersonalData, Treatment.HASH)
    hashing = guarded(embedder, treatments=everything)
    [stored] = hashing.remember(tenant, [told(text, key="hashed", namespace="m")]).stored
    [record] = kept(tenant, stored.record_id)
    assert record.content != text


def test_a_class_that_is_not_kept_is_refused_without_its_value(embedder: Embedder, tenant: UUID) -> None:
    treatments = {PersonalData.CARD: Treatment.REFUSE, PersonalData.SECRET: Treatment.HASH}
    brain = guarded(embedder, treatments=treatments)
    result = brain.remember(tenant, [told(f"My card is {CARD}", key="a"), told("I live in Lisbon", key="b")])
    [refused] = result.refused
    assert (refused.key, refused.reason) == ("a", RefusalReason.PERSONAL_DATA)
    assert "card" in refused.detail
    assert "4111" not in repr(result)
    assert [each.key for each in result.stored] == ["b"]


def test_without_a_key_what_is_to_be_hashed_is_refused(brain: Brain, tenant: UUID) -> None:
    [refused] = brain.remember(tenant, [told(f"My card is {CARD}")]).refused
    assert refused.reason is RefusalReason.PERSONAL_DATA


def test_the_policy_is_asked_once_for_a_batch(embedder: Embedder, tenant: UUID) -> None:
    policy = CountedPolicy()
    items = [told(f"Fact number {number}", namespace=f"n{number % 3}") for number in range(20)]
    guarded(embedder, policy).remember(tenant, items, principal=writer(tenant, "operator"))
    [asked] = policy.asked
    assert asked.resource == {"tenant_id": tenant, "namespaces": ["n0", "n1", "n2"], "kinds": ["statement"]}


@pytest.mark.parametrize("roles", [(), ("guest",), ("observer",), ("nobody",)])
def test_who_may_not_write_has_nothing_stored(embedder: Embedder, tenant: UUID, roles: Sequence[str]) -> None:
    result = guarded(embedder).remember(tenant, [told("I live in Lisbon")], principal=writer(tenant, *roles))
    [refused] = result.refused
    assert refused.reason is RefusalReason.POLICY
    assert result.decisions[0].rule.startswith("policy.")
    assert result.stored == ()


def test_a_writer_of_another_tenant_is_refused(embedder: Embedder, tenant: UUID, other_tenant: UUID) -> None:
    stranger = writer(other_tenant, "owner")
    policy = CountedPolicy()
    guarded(embedder, policy).remember(other_tenant, [told("I live in Lisbon")], principal=stranger)
    assert policy.asked[0].resource["tenant_id"] == other_tenant
    [refused] = guarded(embedder).remember(tenant, [told("I live in Lisbon")], principal=stranger).refused
    assert refused.reason is RefusalReason.POLICY


def test_a_setting_that_keeps_secrets_plain_is_denied_by_the_policy(embedder: Embedder, tenant: UUID) -> None:
    plain = dict.fromkeys(PersonalData, Treatment.STORE)
    [refused] = guarded(embedder, treatments=plain).remember(tenant, [told("I live in Lisbon")]).refused
    assert refused.reason is RefusalReason.POLICY


def test_while_the_policy_cannot_decide_nothing_is_stored_and_nothing_refused(
    embedder: Embedder, tenant: UUID, tmp_path: Any
) -> None:
    broken = Policy(RegoPolicyEngine(tmp_path / "nowhere"))
    with pytest.raises(RememberUnavailable, match="could not be asked"):
        guarded(embedder, broken).remember(tenant, [told("I live in Lisbon")])


@pytest.mark.parametrize(
    ("quotas", "rule"),
    [
        (Quotas(tenant=Quota(records=2)), "quota.tenant_records"),
        (Quotas(namespace=Quota(records=2)), "quota.namespace_records"),
        (Quotas(tenant=Quota(bytes=30)), "quota.tenant_bytes"),
        (Quotas(namespace=Quota(bytes=30)), "quota.namespace_bytes"),
    ],
)
def test_what_there_is_no_room_for_is_refused_by_the_name_of_its_limit(
    embedder: Embedder, tenant: UUID, quotas: Quotas, rule: str
) -> None:
    brain = Brain(FractalMemory(PgvectorStore(), quotas), embedder)
    items = [told(f"Fact number {n}", key=f"k{n}") for n in range(5)]
    result = brain.remember(tenant, items)
    assert [each.key for each in result.stored] == ["k0", "k1"]
    assert [each.rule for each in result.decisions] == ["guard.passed"] * 2 + [rule] * 3
    assert {each.reason for each in result.refused} == {RefusalReason.QUOTA}
    assert "the limit is" in result.refused[0].detail
    assert len(brain.remember(tenant, items).deduplicated) == 2
    brain.forget(tenant, [result.stored[0].record_id])
    assert [each.key for each in brain.remember(tenant, items).stored] == ["k0"]


def test_an_import_brings_in_nothing_that_would_be_hashed(
    brain: Brain, embedder: Embedder, tenant: UUID
) -> None:
    owner = new_id()
    unkeyed = Brain(
        FractalMemory(PgvectorStore()),
        embedder,
        guard=Guard(settings=GuardSettings(treatments=dict.fromkeys(PersonalData, Treatment.STORE))),
    )
    unkeyed.remember(tenant, [told(f"My card is {CARD}", namespace=str(owner))])
    lines = list(unkeyed.export(tenant, owner))
    with pytest.raises(InvalidInput, match="personal data that memory does not keep as it is: card"):
        guarded(embedder).importing(tenant, new_id()).take(lines)


@pytest.mark.parametrize("roles", [("owner",), ("observer",), ()])
def test_an_import_is_of_what_its_caller_may_remember(
    embedder: Embedder, tenant: UUID, roles: Sequence[str]
) -> None:
    policy, owner, caller = CountedPolicy(), new_id(), writer(tenant, *roles)
    source = guarded(embedder)
    source.remember(tenant, [told(f"Fact number {n}", namespace=str(owner)) for n in range(5)])
    lines = list(source.export(tenant, owner))
    importing = guarded(embedder, policy).importing(tenant, caller.user_id, principal=caller)
    if "owner" in roles:
        assert importing.take(lines).stored == 5
        assert [asked.principal for asked in policy.asked] == [caller]
        return
    for attempt in (importing.check, importing.take):
        with pytest.raises(Denied, match="does not let you"):
            attempt(lines)
    assert source.namespaces(tenant, caller.user_id) == []


def test_while_the_policy_cannot_decide_nothing_is_imported(
    embedder: Embedder, tenant: UUID, tmp_path: Any
) -> None:
    owner, source = new_id(), guarded(embedder)
    source.remember(tenant, [told("I live in Lisbon", namespace=str(owner))])
    lines = list(source.export(tenant, owner))
    broken = guarded(embedder, Policy(RegoPolicyEngine(tmp_path / "nowhere"))).importing(tenant, new_id())
    with pytest.raises(RememberUnavailable, match="could not be asked"):
        broken.check(lines)


def test_what_is_forgotten_is_in_no_table(embedder: Embedder, tenant: UUID) -> None:
    brain, words = guarded(embedder), ("quokka", "Wombatville")
    said = "Yesterday Bruno fed a quokka in Wombatville. I gave it an apple."
    [stored] = brain.remember(tenant, [told(said, key="k", speaker="Ada", session="s")]).stored
    assert {"memory_record", "memory_passage"} <= set(everything_with(words, tenant))
    assert brain.forget(tenant, [stored.record_id]) == 1
    assert everything_with(words, tenant) == []
    assert_exact(tenant)


def test_what_a_conversation_has_at_hand_holds_tokens_too(embedder: Embedder, tenant: UUID) -> None:
    brain, conversation = guarded(embedder), new_id()
    with tenant_transaction(tenant):
        brain.hold(requested(tenant, conversation, f"My card is {CARD}"), novelty=1.0, used=())
    [item] = brain.working(tenant, conversation)
    assert item.content.startswith("My card is [card:")
    refusing = guarded(embedder, treatments={PersonalData.CARD: Treatment.REFUSE})
    with tenant_transaction(tenant):
        refusing.hold(requested(tenant, conversation, f"Mine is {CARD}"), novelty=1.0, used=())
    assert brain.working(tenant, conversation) == (item,)


def test_the_message_itself_is_left_out_of_what_is_at_hand_too(embedder: Embedder, tenant: UUID) -> None:
    brain, conversation, said = guarded(embedder), new_id(), f"My card is {CARD}"
    with tenant_transaction(tenant):
        brain.hold(requested(tenant, conversation, said), novelty=1.0, used=())
    request = RecallRequest(
        tenant_id=tenant, agent_id=None, namespace="person", query=said, conversation_id=conversation
    )
    assert len(brain.recall(request).evidence) == 1
    own = sha256_hex(said.encode())
    assert brain.recall(replace(request, exclude_input_hash=own)).evidence == ()
