"""Memory as JSON Lines, out and in."""

from typing import Annotated

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from ninja import Query, Router

from soma.brain.api import DEFAULT, NAMESPACE_PATTERN
from soma.interfaces.http.access import SessionToken, audited, principal_of
from soma.interfaces.http.documents.memory import Imported
from soma.interfaces.http.ndjson import lines_of, lines_response, require_lines
from soma.interfaces.runtime import current

router = Router(tags=["memory"])
PAGE = 50
"""Lines that hold a database thread at once: requests come in between."""


@router.get("/v1/memory/export", auth=SessionToken("memory:read"))
@audited
async def export_memory(
    request: HttpRequest,
    namespace: Annotated[str, Query(pattern=NAMESPACE_PATTERN)] = DEFAULT,
    vectors: Annotated[bool, Query(description="With vectors: to be imported without a model.")] = False,
) -> HttpResponseBase:
    """A namespace as JSON Lines: a header, memories with their provenance, the links between them."""
    runtime, principal = current(), principal_of(request)
    lines = runtime.brain.export(principal.tenant_id, principal.user_id, namespace, vectors=vectors)
    return await lines_response(runtime, lines, name=f"{namespace}.jsonl")


@router.post("/v1/memory/import", auth=SessionToken("memory:write"), response=Imported)
@audited
async def import_memory(
    request: HttpRequest, namespace: Annotated[str, Query(pattern=NAMESPACE_PATTERN)] = DEFAULT
) -> Imported:
    """Read such lines (`application/x-ndjson`) into a namespace. A line that cannot be taken is named, and
    nothing is stored then. The same again changes nothing."""
    require_lines(request)
    runtime, principal = current(), principal_of(request)
    importing = runtime.brain.importing(
        principal.tenant_id, principal.user_id, namespace, principal=principal
    )
    lines = await runtime.database.run(lines_of, request)
    await runtime.database.run(importing.check, lines)
    done = await runtime.database.run(importing.take, [])
    for start in range(0, len(lines), PAGE):
        done = await runtime.database.run(importing.take, lines[start : start + PAGE])
    return Imported.model_validate(done)
