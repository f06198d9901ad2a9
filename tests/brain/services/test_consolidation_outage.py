"""Consolidation from the log while what it needs is away, and with events that it can never take."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from typing import Any
from uuid import UUID

import numpy as np
import pytest
from numpy.typing import NDArray

from soma.base.database import tenant_transaction
from soma.base.errors import NotFound
from soma.base.ids import new_id
from soma.brain.api import Brain, Embedder, EmbedderUnavailable, RecallRequest
from soma.events.api import (
    Consumer,
    ConsumerRunner,
    Event,
    PostgresEventLog,
    Relay,
    RetryPolicy,
    StoredEvent,
    dead_letters,
    publish,
    retry_dead_letter,
)
from soma.fractalmemory.adapters.vector_store_pgvector import PgvectorStore
from soma.fractalmemory.api import FractalMemory, Selection
from tests.brain.requested import NAMESPACE, requested
from tests.events.waiting import wait_until

pytestmark = pytest.mark.req("MEM-003")

AT_ONCE = RetryPolicy(unit=timedelta(0))


class Fickle:
    """An embedder that can be taken away."""

    def __init__(self, embedder: Embedder) -> None:
        self.name, self.dimensions = embedder.name, embedder.dimensions
        self.away = False
        self.refused = 0
        self._embedder = embedder

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        if self.away:
            self.refused += 1
            raise EmbedderUnavailable("the model is not there")
        return self._embedder.embed(texts)

    def embed_parts(
        self, texts: Sequence[str], spans: Sequence[Sequence[tuple[int, int]]]
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        self.embed(())
        return self._embedder.embed_parts(texts, spans)


@pytest.fixture
def fickle(embedder: Embedder) -> Fickle:
    return Fickle(embedder)


@pytest.fixture
def fickle_brain(fickle: Fickle) -> Brain:
    return Brain(FractalMemory(PgvectorStore()), fickle)


@pytest.fixture
def tell() -> Iterator[Callable[..., None]]:
    """Publishes and sees to it that the log has it."""
    relay = Relay(PostgresEventLog())
    relay.start()

    def told(*events: Event) -> None:
        for event in events:
            with tenant_transaction(event.tenant_id):
                publish(event)
        assert relay.drain(30)

    yield told
    relay.stop()


@contextmanager
def consolidating(brain: Brain, tenant: UUID) -> Iterator[tuple[str, ConsumerRunner]]:
    """The consolidation of one tenant, under a name of its own: that of an installation may be at work."""
    usual = brain.consolidation()

    def handle(event: StoredEvent) -> None:
        if event.tenant_id == tenant:
            usual.handler(event)

    name = f"consolidation-{new_id()}"
    runner = ConsumerRunner(
        PostgresEventLog(), [Consumer(name=name, types=usual.types, handler=handle)], retry=AT_ONCE
    )
    runner.start()
    try:
        yield name, runner
    finally:
        runner.stop()


def remembered(brain: Brain, tenant: UUID) -> list[str]:
    """Contents in the order of their storing."""
    with tenant_transaction(tenant):
        records = brain._memory.select(tenant, Selection(namespace=NAMESPACE), limit=1000)
    return [record.content for record in sorted(records, key=lambda record: record.created_at)]


def test_through_an_outage_nothing_is_lost_or_comes_twice_or_in_another_order(
    fickle: Fickle, fickle_brain: Brain, tenant: UUID, tell: Callable[..., None]
) -> None:
    conversations = [new_id(), new_id(), new_id()]
    facts = [f"Fact number {number} is about the harbour" for number in range(150)]
    events = [
        requested(tenant, conversations[number % 3], fact, number=number) for number, fact in enumerate(facts)
    ]
    with consolidating(fickle_brain, tenant) as (_, runner):
        tell(*events[:20])
        assert runner.drain(60)
        fickle.away = True
        tell(*events[20:])
        wait_until(lambda: fickle.refused >= 2)
        [status], [backlog] = runner.status(), runner.backlogs()
        assert status.last_error == "EmbedderUnavailable: the model is not there"
        assert backlog.waiting >= 130
        assert remembered(fickle_brain, tenant) == facts[:20]
        fickle.away = False
        assert runner.drain(60)
    assert remembered(fickle_brain, tenant) == facts
    assert dead_letters(tenant) == []
    for conversation in conversations:
        segment = fickle_brain.segment(tenant, conversation)
        assert segment is not None
        assert segment.turns == 50
    assert fickle.refused < 30  # it waited longer each time


def test_what_was_just_said_is_recalled_while_consolidation_stands_still(brain: Brain, tenant: UUID) -> None:
    """The consumer does not run at all."""
    conversation, fact = new_id(), "My dog is called Rex"
    event = requested(tenant, conversation, fact)
    with tenant_transaction(tenant):
        brain.hold(event, novelty=1.0, used=())
        publish(event)
    asked: dict[str, Any] = {"tenant_id": tenant, "agent_id": None, "namespace": NAMESPACE}
    query = "What is my dog's name?"
    assert brain.recall(RecallRequest(**asked, query=query)).evidence == ()
    found = brain.recall(RecallRequest(**asked, query=query, conversation_id=conversation)).evidence
    assert [(each.content, each.layer) for each in found] == [(fact, "working")]


def test_what_can_never_be_remembered_holds_up_nobody_for_good(
    brain: Brain, tenant: UUID, tell: Callable[..., None]
) -> None:
    conversation = new_id()
    before, bad, after = (
        requested(tenant, conversation, text, number=number)
        for number, text in enumerate(["Rain came before", "x" * 40_000, "Sun came after"])
    )
    with consolidating(brain, tenant) as (name, runner):
        tell(before, bad, after)
        assert runner.drain(60)
        assert remembered(brain, tenant) == ["Rain came before", "Sun came after"]
        [letter] = dead_letters(tenant, source=name)
        assert (letter.event_id, letter.attempts) == (bad.event_id, 5)
        assert "40000 bytes; the limit is 32768 bytes" in letter.error

        retry_dead_letter(tenant, letter.id, source=name)
        wait_until(lambda: [each.id for each in dead_letters(tenant, source=name)] not in ([], [letter.id]))
    assert remembered(brain, tenant) == ["Rain came before", "Sun came after"]


@pytest.mark.req("AUTH-004")
def test_the_brain_lists_and_retries_its_own_letters_alone(
    brain: Brain, tenant: UUID, tell: Callable[..., None]
) -> None:
    with consolidating(brain, tenant) as (name, runner):
        tell(requested(tenant, new_id(), "x" * 40_000))
        assert runner.drain(60)
    [letter] = dead_letters(tenant, source=name)
    assert brain.dead_letters(tenant) == []
    with pytest.raises(NotFound):
        brain.retry_dead_letter(tenant, letter.id)
