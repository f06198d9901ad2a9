"""The event backbone, for those who operate it: how it is doing, what it gave up, what events look like."""

from typing import Annotated, Any
from uuid import UUID

from django.http import HttpRequest
from ninja import Query, Router

from soma.base.errors import InvalidInput
from soma.base.ids import parse_id
from soma.events.api import (
    TOPICS,
    backbone_status,
    dead_letter,
    dead_letters,
    retry_dead_letter,
    schema_document,
    schemas_of,
)
from soma.interfaces.http.access import SessionToken, audited, principal_of
from soma.interfaces.http.documents import events as documents
from soma.interfaces.runtime import current

router = Router(tags=["events"])

LETTERS = "/v1/events/dead-letters"


@router.get("/v1/events/status", auth=SessionToken("events:read"), response=documents.Status)
async def status(request: HttpRequest) -> documents.Status:
    """What waits in the outbox, how far behind each consumer is, and what was given up; of all tenants."""
    runtime = current()
    return documents.Status.model_validate(await runtime.database.run(backbone_status, runtime.consumers))


@router.get(LETTERS, auth=SessionToken("events:read"), response=documents.Letters)
async def letters(
    request: HttpRequest,
    source: Annotated[str, Query(max_length=200, pattern=r"^[a-z0-9._-]*$")] = "",
    limit: Annotated[int, Query(ge=1)] = 50,
    cursor: Annotated[str | None, Query()] = None,
) -> documents.Letters:
    """The tenant's dead letters, of a consumer or the relay where `source` names one, the latest first; at
    most 200."""
    runtime, tenant_id = current(), principal_of(request).tenant_id
    found = await runtime.database.run(
        dead_letters, tenant_id, source=source, limit=limit, after=_place(cursor)
    )
    behind = str(found[-1].id) if len(found) == limit else None
    return documents.Letters.model_validate({"letters": found, "cursor": behind})


@router.get(f"{LETTERS}/{{uuid:letter_id}}", auth=SessionToken("events:read"), response=documents.Letter)
async def letter(request: HttpRequest, letter_id: UUID) -> documents.Letter:
    """One dead letter, also after it was tried again."""
    runtime, tenant_id = current(), principal_of(request).tenant_id
    return documents.Letter.model_validate(await runtime.database.run(dead_letter, tenant_id, letter_id))


@router.post(
    f"{LETTERS}/{{uuid:letter_id}}/retry", auth=SessionToken("events:write"), response=documents.Letter
)
@audited
async def retry(request: HttpRequest, letter_id: UUID) -> documents.Letter:
    """Have the event delivered again, by whoever gave it up and from its first attempt on. Once only: what is
    given up again is a new letter."""
    runtime, tenant_id = current(), principal_of(request).tenant_id
    return documents.Letter.model_validate(
        await runtime.database.run(retry_dead_letter, tenant_id, letter_id)
    )


@router.get("/v1/events/schemas", auth=SessionToken("events:read"), response=list[documents.Topic])
async def topics(request: HttpRequest) -> list[documents.Topic]:
    """All topics and their event types."""
    return [_topic(topic) for topic in TOPICS]


@router.get("/v1/events/schemas/{name}", auth=SessionToken("events:read"), response=dict[str, Any])
async def schema(
    request: HttpRequest, name: str, version: Annotated[int | None, Query(ge=1)] = None
) -> dict[str, Any]:
    """The JSON Schema of an event type's payload, or of a topic's records."""
    return schema_document(name, version)


def _place(cursor: str | None) -> UUID | None:
    place = parse_id(cursor) if cursor is not None else None
    if cursor is not None and place is None:
        raise InvalidInput("cursor is none that was given", limit="cursor")
    return place


def _topic(topic: str) -> documents.Topic:
    types: dict[str, list[int]] = {}
    for each in schemas_of(topic):
        types.setdefault(each.type, []).append(each.version)
    return documents.Topic(topic=topic, description=TOPICS[topic], types=types)
