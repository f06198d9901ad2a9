"""Memory capsules: taken in whole and signed, looked at without their contents, revoked."""

from typing import Annotated

from django.http import HttpRequest
from ninja import Query, Router, Status

from soma.brain.api import CapsuleReference, UploadedCapsule
from soma.interfaces.capsule_admission import admission
from soma.interfaces.http.access import SessionToken, audited, principal_of
from soma.interfaces.http.body import require_json
from soma.interfaces.http.documents.memory_capsule import CapsuleMetadata, CapsuleVersion, CapsuleVersions
from soma.interfaces.runtime import current

router = Router(tags=["memory"])
PAGE = 200
CAPSULE = "/v1/memory/capsule/{reference}"
SIGNED = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {
                "schema": {
                    "type": "object",
                    "description": "A signed memory capsule in canonical JSON (RFC 8785), at most 4 MiB",
                }
            }
        },
    }
}


@router.post(
    "/v1/memory/capsule/upload",
    auth=SessionToken("memory:write"),
    response={200: CapsuleVersion, 201: CapsuleVersion},
    openapi_extra=SIGNED,
)
async def upload_capsule(request: HttpRequest) -> Status[CapsuleVersion]:
    """Take in a signed capsule; the same again changes nothing (200)."""
    require_json(request)
    runtime, principal = current(), principal_of(request)
    uploaded: UploadedCapsule = await runtime.database.run(
        runtime.memory_capsules.upload, principal, request.read(), admission(runtime, principal, face="http")
    )
    return Status(201 if uploaded.new else 200, CapsuleVersion.model_validate(uploaded.capsule))


@router.get("/v1/memory/capsules", auth=SessionToken("memory:read"), response=CapsuleVersions)
async def list_capsules(
    request: HttpRequest,
    cursor: Annotated[str | None, Query(max_length=100)] = None,
    limit: Annotated[int, Query(ge=1, le=PAGE)] = 50,
) -> CapsuleVersions:
    """The tenant's capsules, version by version, in the order of their ids."""
    runtime, principal = current(), principal_of(request)
    after = None if cursor is None else CapsuleReference.parse(cursor)
    items = await runtime.database.run(
        runtime.memory_capsules.page, principal.tenant_id, after=after, limit=limit
    )
    more = f"{items[-1].id}@{items[-1].version}" if len(items) == limit else None
    return CapsuleVersions.model_validate({"items": items, "next_cursor": more})


@router.get(CAPSULE, auth=SessionToken("memory:read"), response=CapsuleMetadata)
async def read_capsule(request: HttpRequest, reference: str) -> CapsuleMetadata:
    """What was signed of a version (ID@VERSION), or of the latest one (ID), without the contents."""
    runtime, principal = current(), principal_of(request)
    named, capsules = CapsuleReference.parse(reference), runtime.memory_capsules
    found = await runtime.database.run(capsules.find, principal.tenant_id, named)
    versions = await runtime.database.run(capsules.versions, principal.tenant_id, named.id)
    shown = CapsuleMetadata.model_validate(found)
    return shown.model_copy(update={"versions": [CapsuleVersion.model_validate(each) for each in versions]})


@router.delete(CAPSULE, auth=SessionToken("memory:write"), response=CapsuleVersions)
@audited
async def revoke_capsule(
    request: HttpRequest,
    reference: str,
    reason: Annotated[str, Query(min_length=1, max_length=500)],
) -> CapsuleVersions:
    """Revoke a version (ID@VERSION) or all of a capsule (ID): its memories are deleted, what was signed
    stays."""
    runtime, principal = current(), principal_of(request)
    named = CapsuleReference.parse(reference)
    revoked = await runtime.database.run(runtime.memory_capsules.revoke, principal, named, reason)
    return CapsuleVersions.model_validate({"items": revoked})
