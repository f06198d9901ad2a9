"""Several tenants whose users remember the same, nearly the same, and each something of their own."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from soma.base.ids import new_id
from soma.brain.api import Brain, RememberItem, owned_namespace

START = datetime(2025, 1, 1, tzinfo=UTC)
NAMES = ("default", "home", "work")
SHARED = (
    "The spare key hangs behind the kitchen door.",
    "My sister's birthday is on the ninth of May.",
    "The quarterly report is due on Friday.",
    "We adopted a grey cat last winter.",
)
"""Told by everybody, word for word, under the same keys."""

PATTERNS = (
    "The code of the safe is {secret}.",
    "The password of the router is {secret}.",
    "My doctor is called Dr. {secret}.",
    "The invoice of {secret} is not paid yet.",
    "We meet {secret} at the station on Monday.",
    "The boat is named {secret}.",
)
"""Told by everybody with a secret of their own."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Fact:
    """A memory as it was told; `secret` is in nobody else's."""

    record_id: UUID
    key: str
    content: str
    secret: str
    session: str
    occurred_at: datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class Place:
    """A namespace of a user, with all that it holds."""

    mark: str
    tenant_id: UUID
    owner_id: UUID
    name: str
    facts: Mapping[UUID, Fact] = field(repr=False)

    @property
    def namespace(self) -> str:
        """Its inner name."""
        return owned_namespace(self.owner_id, self.name)

    @property
    def told(self) -> list[Fact]:
        """The facts in the order in which they were told."""
        return sorted(self.facts.values(), key=lambda fact: fact.occurred_at)


def item(namespace: str, mark: str, number: int, content: str) -> RememberItem:
    """The memory number `number` of the place `mark`: keys and times are everywhere the same."""
    return RememberItem(
        namespace=namespace,
        key=f"k{number}",
        content=content,
        role="user",
        speaker="Ada",
        session=f"{mark}/{number // 4}",
        occurred_at=START + timedelta(hours=number),
        provenance={
            "trace_id": "t",
            "source_request": "r",
            "mark": mark,
            "conversation_id": f"c-{mark}",
            "session": f"{mark}/{number // 4}",
        },
    )


def contents_of(mark: str) -> Iterator[tuple[str, str]]:
    """What a place is told, each with its secret ("" for what all are told)."""
    for shared in SHARED:
        yield shared, ""
    for number, pattern in enumerate(PATTERNS):
        secret = f"{mark}{number}zq"
        yield pattern.format(secret=secret), secret


def settled(brain: Brain, tenant_id: UUID, owner_id: UUID, name: str, mark: str) -> Place:
    """The place, with everything told."""
    namespace = owned_namespace(owner_id, name)
    contents = list(contents_of(mark))
    items = [item(namespace, mark, number, content) for number, (content, _) in enumerate(contents)]
    kept = brain.remember(tenant_id, items).stored
    assert len(kept) == len(items)
    facts = {
        each.record_id: Fact(
            record_id=each.record_id,
            key=told.key,
            content=told.content,
            secret=secret,
            session=told.session,
            occurred_at=told.occurred_at,
        )
        for each, told, (_, secret) in zip(kept, items, contents, strict=True)
    }
    return Place(mark=mark, tenant_id=tenant_id, owner_id=owner_id, name=name, facts=facts)


def world(brain: Brain, tenants: Sequence[UUID], users: int) -> list[Place]:
    """Places of `users` in each of `tenants`. The ids of the users are the same in every tenant: only the
    tenant tells them apart."""
    owners = [new_id() for _ in range(users)]
    return [
        settled(brain, tenant, owner, name, f"{'abcdefgh'[t]}{'mnop'[u]}{name[0]}")
        for t, tenant in enumerate(tenants)
        for u, owner in enumerate(owners)
        for name in NAMES
    ]


def state(brain: Brain, place: Place) -> list[Any]:
    """All that a place holds, as it is exported, but for what probes write themselves."""
    lines = brain.export(place.tenant_id, place.owner_id, place.name)
    return sorted(line for line in lines if b'"scratch"' not in line)
