"""soma.events.letters: what was given up is listed, and delivered again on request."""

from collections.abc import Callable
from datetime import timedelta
from typing import Self
from uuid import UUID

import psycopg
import pytest

from soma.base.clock import now
from soma.base.errors import Conflict, InvalidInput, LimitExceeded, NotFound
from soma.base.ids import new_id
from soma.events.api import (
    Consumer,
    ConsumerRunner,
    EventLog,
    StoredEvent,
    dead_letter,
    dead_letters,
    retry_dead_letter,
    retry_dead_letters,
)
from soma.events.retry import RetryPolicy
from tests.events.samples import failed_turn
from tests.events.waiting import wait_until

pytestmark = [pytest.mark.req("MEM-003"), pytest.mark.usefixtures("own_database")]

Relayed = Callable[..., list[StoredEvent]]


@pytest.fixture
def log(either_log: EventLog) -> EventLog:
    return either_log


@pytest.fixture
def tenant() -> UUID:
    return new_id()


class Patient:
    """A consumer that refuses what it is told to, and notes the rest of a tenant."""

    def __init__(self, log: EventLog, tenant: UUID) -> None:
        self.name = f"consumer-{new_id()}"
        self.tenant = tenant
        self.refused = {"bad", "worse", "worst"}
        self.details: list[str] = []
        consumer = Consumer(name=self.name, types=("chat.turn_failed",), handler=self)
        self._runner = ConsumerRunner(log, [consumer], retry=RetryPolicy(attempts=2, unit=timedelta(0)))

    def waiting(self) -> int:
        """How many events wait for it."""
        return self._runner.backlogs()[0].waiting

    def __enter__(self) -> Self:
        self._runner.start()
        return self

    def __exit__(self, *failure: object) -> None:
        self._runner.stop()

    def __call__(self, event: StoredEvent) -> None:
        if event.tenant_id != self.tenant:
            return
        if event.payload["detail"] in self.refused:
            raise ValueError("cannot be handled")
        self.details.append(event.payload["detail"])


def test_a_letter_says_what_was_given_up_and_why_and_is_settled_when_it_is_tried_again(
    tenant: UUID, log: EventLog, relayed: Relayed
) -> None:
    with Patient(log, tenant) as patient:
        bad, _ = relayed(failed_turn(tenant, "bad"), failed_turn(tenant, "after"))
        wait_until(lambda: patient.details == ["after"])
        _given_up_and_tried_again(tenant, patient, bad)
    assert patient.details == ["after", "bad"]
    assert dead_letters(tenant) == []
    assert patient.waiting() == 0


def _given_up_and_tried_again(tenant: UUID, patient: Patient, bad: StoredEvent) -> None:
    [letter] = dead_letters(tenant, source=patient.name)
    assert (letter.event_id, letter.type, letter.attempts) == (bad.event_id, "chat.turn_failed", 2)
    assert letter.error == "ValueError: cannot be handled"
    assert letter.payload == bad.payload

    assert retry_dead_letter(tenant, letter.id).event_id == bad.event_id
    wait_until(lambda: [each.id for each in dead_letters(tenant)] not in ([], [letter.id]))
    [again] = dead_letters(tenant)
    patient.refused.clear()
    retry_dead_letter(tenant, again.id, source=patient.name)
    wait_until(lambda: patient.waiting() == 0)


def test_what_never_reached_the_log_is_published_again(
    tenant: UUID, log: EventLog, relayed: Relayed, superuser: psycopg.Connection
) -> None:
    [event] = relayed(failed_turn(tenant, "known"))
    superuser.execute(
        """
        INSERT INTO dead_letter (id, source, attempts, error, failed_at, event_id, tenant_id, topic, type,
                                 version, key, trace_id, occurred_at, payload)
        VALUES (gen_random_uuid(), 'relay', 5, '', now(), gen_random_uuid(), %s, %s, %s, 1, %s, '', now(),
                '{"conversation_id": "c", "code": "c", "detail": "refused"}')
        """,
        [tenant, event.topic, event.type, event.key],
    )
    [letter] = dead_letters(tenant, source="relay")
    retry_dead_letter(tenant, letter.id)
    wait_until(lambda: len(log.read(tenant)) == 2)
    assert log.read(tenant)[1].event_id == letter.event_id
    assert log.read(tenant)[1].payload["detail"] == "refused"
    assert dead_letters(tenant) == []


@pytest.mark.req("AUTH-004")
def test_nobody_sees_or_tries_the_letters_of_another(tenant: UUID, log: EventLog, relayed: Relayed) -> None:
    with Patient(log, tenant):
        relayed(failed_turn(tenant, "bad"))
        wait_until(lambda: dead_letters(tenant))
    [letter] = dead_letters(tenant)
    assert dead_letters(new_id()) == []
    assert dead_letters(tenant, source="nobody") == []
    for somebody, source in ((new_id(), ""), (tenant, "nobody")):
        with pytest.raises(NotFound):
            retry_dead_letter(somebody, letter.id, source=source)
    assert dead_letters(tenant) == [letter]


def test_a_settled_letter_is_shown_and_not_tried_again(tenant: UUID, log: EventLog, relayed: Relayed) -> None:
    with Patient(log, tenant) as patient:
        relayed(failed_turn(tenant, "bad"))
        wait_until(lambda: dead_letters(tenant))
        [letter] = dead_letters(tenant)
        assert dead_letter(tenant, letter.id) == letter
        patient.refused.clear()
        started = now()
        settled = retry_dead_letter(tenant, letter.id)
        assert settled.settled_at is not None
        assert started <= settled.settled_at <= now()
        assert dead_letter(tenant, letter.id) == settled
        with pytest.raises(Conflict):
            retry_dead_letter(tenant, letter.id)
        wait_until(lambda: patient.details)
    assert patient.details == ["bad"]
    with pytest.raises(NotFound):
        dead_letter(new_id(), letter.id)


def test_all_are_tried_again_in_their_order(tenant: UUID, log: EventLog, relayed: Relayed) -> None:
    with Patient(log, tenant) as patient:
        relayed(*[failed_turn(tenant, detail) for detail in ("bad", "worse", "worst")])
        wait_until(lambda: len(dead_letters(tenant)) == 3)
        patient.refused.clear()
        assert retry_dead_letters(tenant, failed_before=now(), source="nobody") == []
        assert retry_dead_letters(new_id(), failed_before=now()) == []
        oldest = dead_letters(tenant)[-1]
        assert retry_dead_letters(tenant, failed_before=oldest.failed_at) == []
        first = retry_dead_letters(tenant, failed_before=now(), limit=2)
        rest = retry_dead_letters(tenant, failed_before=now(), source=patient.name)
        assert [letter.payload["detail"] for letter in first] == ["bad", "worse"]
        assert [letter.payload["detail"] for letter in rest] == ["worst"]
        assert dead_letters(tenant) == []
        wait_until(lambda: len(patient.details) == 3)
    assert patient.details == ["bad", "worse", "worst"]


def test_a_list_goes_on_behind_its_last_letter(tenant: UUID, log: EventLog, relayed: Relayed) -> None:
    with Patient(log, tenant):
        relayed(*[failed_turn(tenant, detail) for detail in ("bad", "worse", "worst")])
        wait_until(lambda: len(dead_letters(tenant)) == 3)
    everything = dead_letters(tenant)
    assert [letter.payload["detail"] for letter in everything] == ["worst", "worse", "bad"]
    assert dead_letters(tenant, limit=1, after=everything[0].id) == everything[1:2]
    retry_dead_letter(tenant, everything[1].id)  # its place is remembered
    assert dead_letters(tenant, after=everything[1].id) == everything[2:]
    with pytest.raises(InvalidInput):
        dead_letters(tenant, after=new_id())


def test_a_list_is_bounded(tenant: UUID, log: EventLog) -> None:
    with pytest.raises(LimitExceeded):
        dead_letters(tenant, limit=201)
    assert dead_letters(tenant, limit=0) == []
