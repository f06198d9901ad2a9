"""The chain as the relay makes it."""

import hashlib
import logging
from collections.abc import Callable
from uuid import UUID

import psycopg
import pytest
import rfc8785

from soma.base.clock import iso
from soma.base.crypto import SigningKey
from soma.base.database import worker_transaction
from soma.base.ids import new_id
from soma.events.api import AuditReport, AuditSigner, AuditTrail, EventLog, Relay
from soma.events.audit.event_document import as_json, stored_document
from soma.events.event import StoredEvent
from soma.events.models import AuditCheckpoint, AuditLink
from tests.events.audit.recording import event, publish_to, record, relay
from tests.events.samples import pending
from tests.events.waiting import wait_until

pytestmark = pytest.mark.req("AUDIT-001")


def verified(log: EventLog, key: SigningKey, tenant: UUID, *, page: int = 1000) -> AuditReport:
    *_, report = AuditTrail(log, key).verify(tenant, page=page)
    return report


def links_of(tenant: UUID) -> list[AuditLink]:
    return list(AuditLink.objects.using("worker").filter(tenant_id=tenant).order_by("sequence"))


def document(entry: StoredEvent) -> dict[str, object]:
    """What the chain covers, written down by hand."""
    return {
        "event_id": str(entry.event_id),
        "tenant_id": str(entry.tenant_id),
        "sequence": entry.sequence,
        "topic": entry.topic,
        "type": entry.type,
        "version": entry.version,
        "key": entry.key,
        "payload": entry.payload,
        "trace_id": entry.trace_id,
        "occurred_at": iso(entry.occurred_at),
        "recorded_at": iso(entry.recorded_at),
    }


@pytest.mark.parametrize("page", [1, 5, 1000])
def test_each_link_covers_its_event_and_all_before_it(
    either_log: EventLog, key: SigningKey, page: int
) -> None:
    tenant = relay(either_log, AuditSigner(key), amount=23, every=7)
    digest = bytes(64)
    for entry, link in zip(either_log.read(tenant), links_of(tenant), strict=True):
        assert as_json(entry) == document(entry)
        assert stored_document(entry) == rfc8785.dumps(document(entry))  # type: ignore[arg-type]
        digest = hashlib.sha3_512(digest + rfc8785.dumps(document(entry))).digest()  # type: ignore[arg-type]
        assert (link.sequence, link.event_id, bytes(link.digest)) == (entry.sequence, entry.event_id, digest)
    report = verified(either_log, key, tenant, page=page)
    assert report.intact, report.broken
    assert (report.events, report.sequence, report.proven, report.checkpoints) == (23, 23, 23, 4)
    assert report.digest == digest


def test_tenants_of_one_batch_have_chains_of_their_own(either_log: EventLog, key: SigningKey) -> None:
    tenants = [new_id() for _ in range(5)]
    for number in range(10):
        for tenant in tenants:
            publish_to(tenant, number, number + 1)
    mover = Relay(either_log, batch_size=17)
    mover.start()
    assert mover.drain(30)
    mover.stop()
    for tenant in tenants:
        report = verified(either_log, key, tenant)
        assert report.intact, report.broken
        assert (report.events, report.checkpoints) == (10, 0)


def test_what_had_no_links_gets_them_with_the_next_event(
    either_log: EventLog, key: SigningKey, caplog: pytest.LogCaptureFixture
) -> None:
    """Recorded before there was a chain, or by a process that did not know of it."""
    tenant = new_id()
    with worker_transaction():
        either_log.append([pending(event(tenant, number)) for number in range(5)])
    before = verified(either_log, key, tenant)
    assert before.broken is not None
    assert (before.broken.sequence, before.broken.part) == (1, "link")
    publish_to(tenant, 5, 7)
    mover = Relay(either_log)
    mover.start()
    with caplog.at_level(logging.WARNING):
        assert mover.drain(30)
    mover.stop()
    assert f"linked 5 events of {tenant}" in caplog.text
    report = verified(either_log, key, tenant)
    assert report.intact, report.broken
    assert report.events == 7


def test_a_relay_signs_when_it_starts_and_when_it_stops(own_database: str, trail: AuditTrail) -> None:
    """What an earlier one left unsigned, and what it has moved itself."""
    from soma.events.api import PostgresEventLog

    left, moved = new_id(), new_id()
    publish_to(left, 0, 3)
    unsigned = Relay(PostgresEventLog())
    unsigned.start()
    assert unsigned.drain(30)
    unsigned.stop()
    assert not AuditCheckpoint.objects.using("worker").filter(tenant_id=left).exists()

    mover = Relay(PostgresEventLog(), signer=trail.signer)
    mover.start()
    wait_until(AuditCheckpoint.objects.using("worker").filter(tenant_id=left, sequence=3).exists)
    publish_to(moved, 0, 2)
    assert mover.drain(30)
    mover.stop()
    assert AuditCheckpoint.objects.using("worker").get(tenant_id=moved).sequence == 2


def test_a_relay_signs_after_a_thousand_events(own_database: str, trail: AuditTrail) -> None:
    from soma.events.api import PostgresEventLog

    first, tenant = new_id(), new_id()
    publish_to(first, 0, 1)
    mover = Relay(PostgresEventLog(), signer=trail.signer)
    mover.start()
    wait_until(AuditCheckpoint.objects.using("worker").filter(tenant_id=first).exists)
    publish_to(tenant, 0, 1000)
    wait_until(AuditCheckpoint.objects.using("worker").filter(tenant_id=tenant).exists)
    mover.stop()


def test_a_checkpoint_on_demand_is_made_once(trail: AuditTrail, recorded: Callable[..., UUID]) -> None:
    tenant = recorded(5, every=5)
    made = trail.checkpoint(tenant)
    assert (made.number, made.sequence) == (1, 5)
    assert trail.checkpoint(tenant) == made
    assert made.signed_by(bytes.fromhex(trail.public_key().public))


def test_a_log_in_kafka_that_was_tampered_with(
    kafka_log: EventLog, key: SigningKey, intruder: psycopg.Connection
) -> None:
    """A record cannot be changed there; its place can be forgotten, or be made another's."""

    def tampered(statement: str) -> tuple[int, str]:
        tenant = record(kafka_log, AuditSigner(key), amount=10, every=5)
        intruder.execute(statement.format(tenant=f"tenant_id = '{tenant}'").encode())
        broken = verified(kafka_log, key, tenant).broken
        assert broken is not None, statement
        return broken.sequence, broken.fault

    assert tampered("DELETE FROM event_place WHERE {tenant} AND sequence = 4") == (4, "removed")
    assert tampered("DELETE FROM event_place WHERE {tenant} AND sequence > 8") == (9, "truncated")
    assert tampered("UPDATE event_place SET position = 1000000 WHERE {tenant} AND sequence = 10") == (
        10,
        "removed",
    )
    assert tampered(
        "UPDATE event_place AS one SET partition = two.partition, position = 1000000 + two.position"
        " FROM event_place AS two WHERE one.{tenant} AND one.sequence = 3"
        " AND two.tenant_id = one.tenant_id AND two.sequence = 7"
    ) == (3, "removed")
