"""Whatever is done to a log is found: a thousand random tamperings of what a real relay has recorded."""

import random
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from soma.base.crypto import SigningKey
from soma.base.ids import new_id
from soma.events.api import AuditReport, PostgresEventLog
from soma.events.audit.event_document import stored_document
from soma.events.audit.finding import Fault, Part
from soma.events.audit.link import ROOT, Link, digest_after
from soma.events.audit.stored_evidence import StoredEvidence
from soma.events.event import StoredEvent
from tests.events.audit.held import Held

pytestmark = pytest.mark.req("AUDIT-001")

EVENTS, EVERY = 90, 12
ROUNDS, IN_A_ROUND = 20, 50
Tampering = Callable[[Held, random.Random], int]
"""Changes what is held; the sequence of the first event that is no longer as it was."""


@pytest.fixture(scope="module")
def genuine(recorded: Callable[..., UUID], key: SigningKey) -> Held:
    """What the tables hold of a tenant, as it was recorded."""
    tenant = recorded(EVENTS, every=EVERY)
    return Held.of(StoredEvidence(tenant, PostgresEventLog()), tenant, key)


def test_what_was_recorded_is_intact(genuine: Held) -> None:
    for size in (1, 7, 12, 1000):
        held = genuine.copy()
        held.size = size
        report = held.verify()
        assert report.intact, report.broken
        assert (report.events, report.sequence, report.proven) == (EVENTS, EVENTS, EVENTS)
        assert report.checkpoints == len(genuine.checkpoints) == 8


def edited(held: Held, chance: random.Random) -> int:
    at = chance.randrange(len(held.events))
    event = held.events[at]
    name = chance.choice(list(EDITS))
    held.events[at] = EDITS[name](event, chance)
    assert held.events[at] != event
    return event.sequence


def payload_edited(event: StoredEvent, chance: random.Random) -> StoredEvent:
    payload = dict(event.payload)
    name = chance.choice(list(payload))
    how = chance.randrange(3)
    if how == 0:
        del payload[name]
    elif how == 1:
        payload[f"{name} "] = payload.pop(name)
    else:
        payload[name] = other(payload[name])
    return replace(event, payload=payload)


def other(value: Any) -> Any:
    """Something as like `value` as can be."""
    if isinstance(value, bool) or value is None:
        return not value
    if isinstance(value, (int, float)):
        return value + 1
    if isinstance(value, dict):
        return {**value, "more": 0}
    return [*value, 0] if isinstance(value, list) else f"{value} "


EDITS: dict[str, Callable[[StoredEvent, random.Random], StoredEvent]] = {
    "payload": payload_edited,
    "type": lambda event, _: replace(event, type=f"{event.type}x"),
    "topic": lambda event, _: replace(event, topic=f"{event.topic}x"),
    "key": lambda event, _: replace(event, key=event.key[:-1]),
    "trace_id": lambda event, _: replace(event, trace_id=""),
    "version": lambda event, _: replace(event, version=2),
    "event_id": lambda event, _: replace(event, event_id=new_id()),
    "tenant_id": lambda event, _: replace(event, tenant_id=new_id()),
    "occurred_at": lambda event, _: replace(event, occurred_at=event.occurred_at - timedelta(microseconds=1)),
    "recorded_at": lambda event, _: replace(event, recorded_at=event.recorded_at + timedelta(days=1)),
}


def deleted(held: Held, chance: random.Random) -> int:
    """Up to three in a row; sometimes with their links; sometimes the later ones move up."""
    first, count = chance.randrange(1, EVENTS - 3), chance.randrange(1, 4)
    gone = range(first, first + count)
    held.events = [event for event in held.events if event.sequence not in gone]
    how = chance.randrange(3)
    if how == 0:
        held.links = [link for link in held.links if link.sequence not in gone]
    if how == 1:
        held.events = [moved(event, -count) if event.sequence > first else event for event in held.events]
    return first


def moved(event: StoredEvent, by: int) -> StoredEvent:
    return replace(event, sequence=event.sequence + by, position=event.position + by)


def inserted(held: Held, chance: random.Random) -> int:
    """At the place of another, between two, or at the end; sometimes with a link."""
    at, how = chance.randrange(1, EVENTS + 1), chance.randrange(3)
    model = held.events[at - 1]
    if how == 0:
        held.events = [moved(event, 1) if event.sequence >= at else event for event in held.events]
    if how == 1:
        at, model = EVENTS + 1, moved(held.events[-1], 1)
    alien = replace(model, event_id=new_id(), sequence=at)
    held.events = sorted([*held.events, alien], key=lambda event: event.sequence)
    if how != 1 and chance.random() < 0.3:
        digest = digest_after(held.links[at - 2].digest if at > 1 else ROOT, stored_document(alien))
        held.links.append(Link(sequence=at, event_id=alien.event_id, digest=digest))
    return at


def swapped(held: Held, chance: random.Random) -> int:
    one, two = sorted(chance.sample(range(EVENTS), 2))
    first, second = held.events[one], held.events[two]
    if chance.random() < 0.5:
        held.events[one] = replace(second, sequence=first.sequence, position=first.position)
        held.events[two] = replace(first, sequence=second.sequence, position=second.position)
    else:
        held.events[one] = replace(first, payload=second.payload, key=second.key, type=second.type)
        held.events[two] = replace(second, payload=first.payload, key=first.key, type=first.type)
    return first.sequence


def truncated(held: Held, chance: random.Random) -> int:
    """The last events; with their links; with their checkpoints too. What is left of all this tells of it."""
    last, how = EVENTS - chance.randrange(1, 30), chance.randrange(4)
    held.events = [event for event in held.events if event.sequence <= last]
    if how > 0:
        held.links = [link for link in held.links if link.sequence <= last]
    if how == 2:
        held.recorded = last
    if how == 3:
        held.checkpoints = [each for each in held.checkpoints if each.sequence <= last]
    return last + 1


def links_tampered(held: Held, chance: random.Random) -> int:
    at, how = chance.randrange(EVENTS), chance.randrange(4)
    link = held.links[at]
    if how == 0:
        held.links[at] = replace(link, digest=flipped(link.digest, chance))
    elif how == 1:
        held.links.pop(at)
    elif how == 2:
        held.links[at] = replace(link, event_id=new_id())
    else:
        held.links.append(replace(link, digest=flipped(link.digest, chance)))
    return link.sequence


def flipped(data: bytes, chance: random.Random) -> bytes:
    changed = bytearray(data)
    changed[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
    return bytes(changed)


def checkpoints_tampered(held: Held, chance: random.Random) -> int:
    at, how = chance.randrange(len(held.checkpoints) - 1), chance.randrange(6)
    made = held.checkpoints[at]
    changes: list[dict[str, Any]] = [
        {"digest": flipped(made.digest, chance)},
        {"signature": flipped(made.signature, chance)},
        {"created_at": made.created_at + timedelta(seconds=1)},
        {"number": made.number + 1},
        {"key_id": "0" * 16},
    ]
    if how < len(changes):
        held.checkpoints[at] = replace(made, **changes[how])
        return made.sequence
    held.checkpoints.pop(at)
    return held.checkpoints[at].sequence


def rewritten(held: Held, chance: random.Random) -> int:
    """An event is changed and all links after it are computed anew, as anybody can who knows how."""
    edited_at = edited(held, chance)
    digest = held.links[edited_at - 2].digest if edited_at > 1 else ROOT
    for at in range(edited_at - 1, EVENTS):
        event = held.events[at]
        digest = digest_after(digest, stored_document(event))
        held.links[at] = Link(sequence=event.sequence, event_id=event.event_id, digest=digest)
    return next(each.sequence for each in held.checkpoints if each.sequence >= edited_at)


TAMPERINGS: list[Tampering] = [
    edited,
    edited,
    deleted,
    inserted,
    swapped,
    truncated,
    links_tampered,
    checkpoints_tampered,
    rewritten,
]


@pytest.mark.parametrize("round_number", range(ROUNDS))
def test_a_thousand_tamperings_are_found_where_they_are(genuine: Held, round_number: int) -> None:
    chance = random.Random(round_number)
    for number in range(IN_A_ROUND):
        tampering = TAMPERINGS[number % len(TAMPERINGS)]
        held = genuine.copy()
        held.size = chance.choice([5, 33, 1000])
        sequence = tampering(held, chance)
        broken = held.verify().broken
        assert broken is not None, tampering
        assert broken.sequence == sequence, (tampering, broken, sequence)


def found(held: Held) -> tuple[int, str, str]:
    broken = held.verify().broken
    assert broken is not None
    return broken.sequence, broken.fault, broken.part


def test_what_was_done_is_named(genuine: Held) -> None:
    held = genuine.copy()
    held.events[9] = replace(held.events[9], key="other")
    assert found(held) == (10, Fault.CHANGED, Part.EVENT)

    held = genuine.copy()
    gone = held.events.pop(9)
    assert found(held) == (10, Fault.REMOVED, Part.EVENT)
    broken = held.verify().broken
    assert broken is not None
    assert broken.event_id == gone.event_id

    held = genuine.copy()
    alien = replace(held.events[9], event_id=new_id())
    held.events[9:] = [alien, *(moved(event, 1) for event in held.events[9:])]
    broken = held.verify().broken
    assert broken is not None
    assert (broken.sequence, broken.fault, broken.event_id) == (10, Fault.INSERTED, alien.event_id)

    held = genuine.copy()
    held.events[9], held.events[19] = (
        replace(held.events[19], sequence=10),
        replace(held.events[9], sequence=20),
    )
    assert found(held) == (10, Fault.REORDERED, Part.EVENT)

    held = genuine.copy()
    held.events, held.links = held.events[:80], held.links[:80]
    assert found(held) == (81, Fault.TRUNCATED, Part.EVENT)

    held = genuine.copy()
    held.links[9] = replace(held.links[9], digest=bytes(64))
    assert found(held) == (10, Fault.CHANGED, Part.LINK)


def test_an_event_that_was_moved_within_its_partition_is_found(genuine: Held) -> None:
    held = genuine.copy()
    held.events[9] = replace(held.events[9], position=held.events[8].position)
    assert found(held) == (10, Fault.REORDERED, Part.EVENT)


def test_with_a_checkpoint_from_outside_even_a_perfect_truncation_is_found(genuine: Held) -> None:
    kept = genuine.checkpoints[-1]
    held = genuine.copy()
    held.events, held.links, held.checkpoints = held.events[:60], held.links[:60], held.checkpoints[:5]
    held.recorded = 60
    assert held.verify().intact
    report: AuditReport = held.verify(since=kept)
    assert report.broken is not None
    assert (report.broken.sequence, report.broken.fault) == (61, Fault.TRUNCATED)


def test_with_a_checkpoint_from_outside_a_perfect_forgery_is_found(genuine: Held) -> None:
    """Everything after 60 was replaced by whoever has the key, too."""
    held = genuine.copy()
    held.checkpoints.pop()
    assert held.verify().intact
    broken = held.verify(since=genuine.checkpoints[-1]).broken
    assert broken is not None
    assert (broken.fault, broken.part) == (Fault.REMOVED, Part.CHECKPOINT)
    held.links[-1] = replace(held.links[-1], digest=bytes(64))
    broken = held.verify(since=genuine.checkpoints[-1]).broken
    assert broken is not None
    assert (broken.sequence, broken.fault, broken.part) == (EVENTS, Fault.CHANGED, Part.LINK)


@pytest.mark.parametrize("size", [10, 1000])
def test_what_follows_a_checkpoint_is_verified_alone(genuine: Held, size: int) -> None:
    held = genuine.copy()
    held.size = size
    held.events[0] = replace(held.events[0], key="other")
    report = held.verify(since=genuine.checkpoints[2])
    assert report.intact, report.broken
    assert (report.after, report.events, report.checkpoints) == (36, EVENTS - 36, 5)
    held.events[40] = replace(held.events[40], key="other")
    assert held.verify(since=genuine.checkpoints[2]).broken is not None


def test_what_has_expired_is_stood_for_by_its_links(genuine: Held) -> None:
    held = genuine.copy()
    held.gone = {1, 2, 3, 5}
    held.events = [event for event in held.events if event.sequence not in held.gone]
    report = held.verify()
    assert report.intact, report.broken
    assert (report.expired, report.events) == (4, EVENTS - 4)
    held.events.pop(0)
    assert found(held) == (4, Fault.REMOVED, Part.EVENT)


def test_a_chain_that_began_later_than_what_has_expired_holds(genuine: Held) -> None:
    held = genuine.copy()
    held.gone, held.checkpoints, digest = set(range(1, 41)), [], ROOT
    held.events, held.links = held.events[40:], []
    for event in held.events:
        digest = digest_after(digest, stored_document(event))
        held.links.append(Link(sequence=event.sequence, event_id=event.event_id, digest=digest))
    report = held.verify()
    assert report.intact, report.broken
    assert (report.expired, report.events) == (40, EVENTS - 40)


def test_nothing_is_intact(key: SigningKey) -> None:
    held = Held(tenant_id=new_id(), key=key, recorded=0, events=[], links=[], checkpoints=[])
    assert held.verify().intact
    held.recorded = 1
    assert found(held) == (1, Fault.TRUNCATED, Part.EVENT)
