"""Tampering with the real tables, by a superuser who has switched off what protects them."""

from collections.abc import Callable
from uuid import UUID

import psycopg
import pytest

from soma.base.crypto import SigningKey
from soma.base.errors import InvalidInput, NotFound
from soma.base.ids import new_id
from soma.events.api import AuditTrail, PostgresEventLog
from soma.events.audit.checkpoint import sign
from soma.events.audit.link import Link

pytestmark = pytest.mark.req("AUDIT-001")

EVENTS = 12
FREE = "ALTER TABLE event_log DROP CONSTRAINT IF EXISTS event_log_sequence"

TAMPERINGS = {
    # statement: where, what, of what
    "UPDATE event_log SET payload = payload || '{{\"more\": 1}}' WHERE {one} 5": (5, "changed", "event"),
    "UPDATE event_log SET payload = payload - 'turn_id' WHERE {one} 1": (1, "changed", "event"),
    "UPDATE event_log SET payload = jsonb_set(payload, '{{turn_id}}', '\"x\"') WHERE {one} 12": (
        12,
        "changed",
        "event",
    ),
    "UPDATE event_log SET key = key || ' ' WHERE {one} 6": (6, "changed", "event"),
    "UPDATE event_log SET type = 'chat.turn_failed' WHERE {one} 7": (7, "changed", "event"),
    "UPDATE event_log SET topic = 'other' WHERE {one} 2": (2, "changed", "event"),
    "UPDATE event_log SET version = 2 WHERE {one} 3": (3, "changed", "event"),
    "UPDATE event_log SET trace_id = '' WHERE {one} 4": (4, "changed", "event"),
    "UPDATE event_log SET occurred_at = occurred_at + interval '1 us' WHERE {one} 8": (8, "changed", "event"),
    "UPDATE event_log SET recorded_at = recorded_at - interval '1 us' WHERE {one} 9": (9, "changed", "event"),
    "UPDATE event_log SET event_id = gen_random_uuid() WHERE {one} 10": (10, "changed", "event"),
    "UPDATE event_log SET tenant_id = gen_random_uuid() WHERE {one} 11": (11, "removed", "event"),
    "UPDATE event_log SET position = position - 5 - 1000000 * 1000 WHERE {one} 11": (
        11,
        "reordered",
        "event",
    ),
    "UPDATE event_log SET sequence = 1000 WHERE {one} 6": (6, "reordered", "event"),
    FREE + ";UPDATE event_log SET sequence = sequence + 1 WHERE {tenant} AND sequence > 5": (
        6,
        "reordered",
        "event",
    ),
    "DELETE FROM event_log WHERE {one} 1": (1, "removed", "event"),
    "DELETE FROM event_log WHERE {one} 6": (6, "removed", "event"),
    "DELETE FROM event_log WHERE {one} 12": (12, "truncated", "event"),
    "DELETE FROM event_log WHERE {tenant} AND sequence > 7": (8, "truncated", "event"),
    "DELETE FROM event_log WHERE {tenant}": (1, "truncated", "event"),
    "DELETE FROM event_log WHERE {one} 4; DELETE FROM audit_link WHERE {one} 4": (4, "removed", "event"),
    "DELETE FROM event_log WHERE {tenant} AND sequence > 9;"
    "DELETE FROM audit_link WHERE {tenant} AND sequence > 9": (10, "truncated", "event"),
    "DELETE FROM event_log WHERE {tenant} AND sequence > 9;"
    "DELETE FROM audit_link WHERE {tenant} AND sequence > 9;"
    "UPDATE event_stream SET last_sequence = 9 WHERE {tenant}": (10, "truncated", "event"),
    "DELETE FROM event_log WHERE {tenant} AND sequence > 9;"
    "DELETE FROM audit_link WHERE {tenant} AND sequence > 9;"
    "DELETE FROM audit_checkpoint WHERE {tenant} AND sequence > 9": (10, "truncated", "event"),
    "DELETE FROM event_log WHERE {tenant}; DELETE FROM audit_link WHERE {tenant};"
    "DELETE FROM audit_checkpoint WHERE {tenant}": (1, "truncated", "event"),
    "UPDATE event_log SET payload = '{{}}' WHERE {one} 3; UPDATE audit_link SET digest ="
    " sha512('x') WHERE {one} 3": (3, "changed", "event"),
    "UPDATE event_log AS one SET payload = two.payload, key = two.key FROM event_log AS two"
    " WHERE one.tenant_id = '{id}' AND two.tenant_id = '{id}' AND one.sequence + two.sequence = 9": (
        1,
        "changed",
        "event",
    ),
    FREE + ";UPDATE event_log SET sequence = 9 - sequence WHERE {tenant} AND sequence IN (2, 7)": (
        2,
        "reordered",
        "event",
    ),
    FREE
    + ";INSERT INTO event_log (sequence, event_id, tenant_id, topic, type, version, key, payload, trace_id,"
    " occurred_at, recorded_at) SELECT sequence, gen_random_uuid(), tenant_id, topic, type, version, key,"
    " payload, trace_id, occurred_at, recorded_at FROM event_log WHERE {one} 5": (5, "inserted", "event"),
    "INSERT INTO event_log (sequence, event_id, tenant_id, topic, type, version, key, payload, trace_id,"
    " occurred_at, recorded_at) SELECT 13, gen_random_uuid(), tenant_id, topic, type, version, key,"
    " payload, trace_id, occurred_at, recorded_at FROM event_log WHERE {one} 5": (13, "inserted", "event"),
    FREE + ";UPDATE event_log SET sequence = sequence + 1 WHERE {tenant} AND sequence > 4;"
    "INSERT INTO event_log (sequence, event_id, tenant_id, topic, type, version, key, payload, trace_id,"
    " occurred_at, recorded_at) SELECT 5, gen_random_uuid(), tenant_id, topic, type, version, key,"
    " payload, trace_id, occurred_at, recorded_at FROM event_log WHERE {one} 4": (5, "inserted", "event"),
    "DELETE FROM audit_link WHERE {one} 12": (12, "removed", "link"),
    "DELETE FROM audit_link WHERE {one} 5": (5, "removed", "link"),
    "DELETE FROM audit_link WHERE {tenant}": (1, "removed", "link"),
    "UPDATE audit_link SET digest = set_byte(digest, 63, get_byte(digest, 63) # 1) WHERE {one} 8": (
        8,
        "changed",
        "link",
    ),
    "UPDATE audit_link SET event_id = gen_random_uuid() WHERE {one} 8": (8, "changed", "link"),
    "INSERT INTO audit_link SELECT tenant_id, 13, gen_random_uuid(), digest FROM audit_link WHERE {one} 12": (
        13,
        "truncated",
        "event",
    ),
    "UPDATE audit_checkpoint SET digest = set_byte(digest, 0, get_byte(digest, 0) # 1) WHERE {one} 8": (
        8,
        "changed",
        "checkpoint",
    ),
    "UPDATE audit_checkpoint SET signature = set_byte(signature, 0, get_byte(signature, 0) # 1)"
    " WHERE {one} 4": (4, "changed", "checkpoint"),
    "UPDATE audit_checkpoint SET created_at = created_at + interval '1 day' WHERE {one} 12": (
        12,
        "changed",
        "checkpoint",
    ),
    "UPDATE audit_checkpoint SET sequence = 7 WHERE {one} 8": (7, "changed", "checkpoint"),
    "DELETE FROM audit_checkpoint WHERE {one} 4": (8, "removed", "checkpoint"),
}


@pytest.mark.parametrize("statement", TAMPERINGS)
def test_it_is_found_and_named(
    statement: str, recorded: Callable[..., UUID], trail: AuditTrail, intruder: psycopg.Connection
) -> None:
    tenant = recorded(EVENTS)
    *_, before = trail.verify(tenant)
    assert before.intact, before.broken
    assert (before.events, before.checkpoints) == (EVENTS, 3)
    where = f"tenant_id = '{tenant}'"
    intruder.execute(statement.format(id=tenant, tenant=where, one=f"{where} AND sequence =").encode())
    for page in (5, 1000):
        *_, after = trail.verify(tenant, page=page)
        assert after.broken is not None
        assert (after.broken.sequence, after.broken.fault, after.broken.part) == TAMPERINGS[statement]


def test_no_other_tenant_is_told_apart_from_its_own_chain(
    recorded: Callable[..., UUID], trail: AuditTrail, intruder: psycopg.Connection
) -> None:
    tampered, other = recorded(EVENTS), recorded(EVENTS)
    intruder.execute("DELETE FROM event_log WHERE tenant_id = %s AND sequence = 3", [tampered])
    *_, report = trail.verify(other)
    assert report.intact, report.broken
    assert (report.tenant_id, report.events) == (other, EVENTS)


def test_a_key_that_is_not_ours_proves_nothing(
    recorded: Callable[..., UUID], trail: AuditTrail, intruder: psycopg.Connection
) -> None:
    """Whoever rewrites everything cannot sign it."""
    tenant = recorded(EVENTS)
    forger = SigningKey.from_seed(bytes(32))
    *_, report = AuditTrail(PostgresEventLog(), forger).verify(tenant)
    assert report.broken is not None
    assert (report.broken.sequence, report.broken.part) == (4, "checkpoint")
    made = trail.checkpoint(tenant)
    link = Link(sequence=made.sequence, event_id=made.event_id, digest=made.digest)
    forged = sign(tenant, link, number=made.number, created_at=made.created_at, key=forger)
    with pytest.raises(InvalidInput, match="not signed"):
        trail.verify(tenant, since=forged)
    with pytest.raises(InvalidInput, match="not this tenant's"):
        trail.verify(recorded(1), since=made)


def test_from_a_checkpoint_that_was_kept(
    recorded: Callable[..., UUID], trail: AuditTrail, intruder: psycopg.Connection
) -> None:
    tenant = recorded(EVENTS)
    kept = trail.checkpoint(tenant)
    *_, report = trail.verify(tenant, since=kept)
    assert report.intact, report.broken
    assert (report.after, report.events, report.proven) == (EVENTS, 0, EVENTS)
    for table in ("event_log", "audit_link", "audit_checkpoint"):
        statement = f"DELETE FROM {table} WHERE tenant_id = %s AND sequence > 8"
        intruder.execute(statement.encode(), [tenant])
    intruder.execute("UPDATE event_stream SET last_sequence = 8 WHERE tenant_id = %s", [tenant])
    *_, report = trail.verify(tenant)
    assert report.intact, "nothing inside tells of it"
    *_, report = trail.verify(tenant, since=kept)
    assert report.broken is not None
    assert (report.broken.sequence, report.broken.fault) == (9, "truncated")


def test_where_nothing_was_recorded(trail: AuditTrail) -> None:
    tenant = new_id()
    *_, report = trail.verify(tenant)
    assert (report.intact, report.events) == (True, 0)
    with pytest.raises(NotFound):
        trail.checkpoint(tenant)


def test_what_the_retention_has_signed_for_is_stood_for_by_its_links(
    recorded: Callable[..., UUID], trail: AuditTrail, intruder: psycopg.Connection
) -> None:
    """Only that, and only the oldest: else somebody has removed them, however old they are."""
    tenant = recorded(EVENTS)
    intruder.execute("DELETE FROM event_log WHERE tenant_id = %s AND sequence < 4", [tenant])
    assert first_break(trail, tenant) == (1, "removed")
    trail.signer.announce_expiry({tenant: 3})
    *_, report = trail.verify(tenant)
    assert report.intact, report.broken
    assert (report.expired, report.events, report.proven) == (3, EVENTS - 3, EVENTS)
    intruder.execute("DELETE FROM event_log WHERE tenant_id = %s AND sequence = 4", [tenant])
    assert first_break(trail, tenant) == (4, "removed")
    trail.signer.announce_expiry({tenant: 5})
    intruder.execute("DELETE FROM event_log WHERE tenant_id = %s AND sequence = 6", [tenant])
    assert first_break(trail, tenant) == (6, "removed")


def test_an_expiry_counts_only_as_it_was_signed(
    recorded: Callable[..., UUID], trail: AuditTrail, intruder: psycopg.Connection
) -> None:
    tenant, other = recorded(EVENTS), recorded(EVENTS)
    AuditTrail(PostgresEventLog(), SigningKey.from_seed(bytes(32))).signer.announce_expiry({tenant: 7})
    trail.signer.announce_expiry({tenant: 3, other: 9})
    # One that stood elsewhere, and one whose sequence was raised.
    intruder.execute("UPDATE audit_expiry SET tenant_id = %s WHERE tenant_id = %s", [tenant, other])
    intruder.execute("DELETE FROM event_log WHERE tenant_id = %s AND sequence < 6", [tenant])
    assert first_break(trail, tenant) == (4, "removed")
    intruder.execute("UPDATE audit_expiry SET sequence = 8 WHERE tenant_id = %s AND sequence = 3", [tenant])
    assert first_break(trail, tenant) == (1, "removed")


def first_break(trail: AuditTrail, tenant: UUID) -> tuple[int, str]:
    """Where a verification ends."""
    *_, report = trail.verify(tenant)
    assert report.broken is not None
    return report.broken.sequence, report.broken.fault
