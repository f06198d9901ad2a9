"""Links between memories: always the caller's own."""

from typing import Annotated
from uuid import UUID

from django.http import HttpRequest
from ninja import Query, Router, Status

from soma.brain.api import (
    DEFAULT,
    NAMESPACE_PATTERN,
    GraphMetrics,
    LinkPage,
    MemoryLink,
    WantedLink,
    owned_namespace,
)
from soma.interfaces.http.access import SessionToken, audited, principal_of
from soma.interfaces.http.documents import memory_links as documents
from soma.interfaces.memory_place import namespace_of
from soma.interfaces.runtime import current

router = Router(tags=["memory"])


@router.post("/v1/memory/link", auth=SessionToken("memory:write"), response={201: documents.Link})
@audited
async def link(request: HttpRequest, wanted: documents.LinkRequest) -> Status[documents.Link]:
    """Link two memories of one namespace: recall of the one brings along the other."""
    runtime, principal = current(), principal_of(request)

    def act() -> MemoryLink:
        asked = WantedLink(**wanted.model_dump())
        namespace = namespace_of(runtime.brain, principal, (asked.source_id, asked.target_id))
        return runtime.brain.links.link(principal.tenant_id, namespace, asked)

    return Status(201, documents.Link.model_validate(await runtime.database.run(act)))


@router.delete("/v1/memory/link", auth=SessionToken("memory:write"), response={204: None})
@audited
async def unlink(
    request: HttpRequest,
    source_id: Annotated[UUID, Query()],
    target_id: Annotated[UUID, Query()],
    kind: Annotated[str, Query()],
) -> None:
    """Remove a link, made by hand or by usage."""
    runtime, principal = current(), principal_of(request)

    def act() -> None:
        namespace = namespace_of(runtime.brain, principal, (source_id, target_id))
        runtime.brain.links.unlink(principal.tenant_id, namespace, source_id, target_id, kind)

    await runtime.database.run(act)


@router.get("/v1/memory/{uuid:record_id}/links", auth=SessionToken("memory:read"), response=documents.Links)
async def links(
    request: HttpRequest,
    record_id: UUID,
    k_hop: Annotated[int, Query()] = 1,
    limit: Annotated[int, Query()] = 100,
    cursor: Annotated[str | None, Query()] = None,
) -> documents.Links:
    """The links within `k_hop` (0 to 3) of a memory, a page of at most `limit` (1 to 1000)."""
    runtime, principal = current(), principal_of(request)

    def act() -> LinkPage:
        namespace = namespace_of(runtime.brain, principal, (record_id,))
        return runtime.brain.links.around(
            principal.tenant_id, namespace, record_id, k_hop=k_hop, limit=limit, cursor=cursor
        )

    return documents.Links.model_validate(await runtime.database.run(act))


@router.get("/v1/memory/graph", auth=SessionToken("memory:read"), response=documents.GraphMetrics)
async def graph(
    request: HttpRequest,
    ids: Annotated[list[UUID] | None, Query()] = None,
    namespace: Annotated[str, Query(pattern=NAMESPACE_PATTERN)] = DEFAULT,
) -> documents.GraphMetrics:
    """How a namespace is linked, and how well each two of `ids` (at most 8) are connected; with `ids`, the
    namespace is theirs."""
    runtime, principal = current(), principal_of(request)

    def act() -> GraphMetrics:
        place = (
            namespace_of(runtime.brain, principal, ids)
            if ids
            else owned_namespace(principal.user_id, namespace)
        )
        return runtime.brain.links.metrics(principal.tenant_id, place, ids or ())

    return documents.GraphMetrics.model_validate(await runtime.database.run(act))
