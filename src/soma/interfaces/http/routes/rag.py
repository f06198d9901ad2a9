"""Documents: taken in, listed, asked, deleted; always the caller's own."""

from typing import Annotated, Any
from uuid import UUID

from django.http import HttpRequest
from ninja import Query, Router, Status

from soma.base.tenancy import Principal
from soma.brain.api import DEFAULT, IngestRequest, MediaType, RetrieveRequest, owned_namespace
from soma.interfaces.http.access import SessionToken, audited, principal_of
from soma.interfaces.http.documents.memory import Namespace
from soma.interfaces.http.documents.rag import (
    Document,
    DocumentList,
    RetrievedPassages,
    RetrieveQuery,
)
from soma.interfaces.http.upload import FIELDS, FORM, upload_of
from soma.interfaces.runtime import Runtime, current

router = Router(tags=["documents"])

BINARY = {"type": "string", "format": "binary"}
BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            FORM: {
                "schema": {
                    "type": "object",
                    "required": ["file"],
                    "properties": {"file": BINARY, **{name: {"type": "string"} for name in sorted(FIELDS)}},
                }
            },
            **{str(media_type): {"schema": BINARY} for media_type in MediaType},
        },
    },
    "parameters": [
        {"in": "query", "name": name, "schema": {"type": "string"}, "required": False}
        for name in sorted(FIELDS)
    ],
}


@router.post("/rag/ingest", auth=SessionToken("memory:write"), response={202: Document}, openapi_extra=BODY)
@audited
async def ingest(request: HttpRequest) -> Status[Document]:
    """Take a document in: text, Markdown, HTML or PDF of at most 32 MiB, as the body with its Content-Type,
    or as the file of a form. The answer comes before it is read; `/rag/documents/{id}` tells how far it is.
    `key` names it, else its `name`; another content under the same key replaces it."""
    runtime, principal = current(), principal_of(request)
    document = await runtime.database.run(_ingest, runtime, principal, request)
    return Status(202, Document.model_validate(document))


@router.get("/rag/documents", auth=SessionToken("memory:read"), response=DocumentList)
async def list_documents(
    request: HttpRequest,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    after: UUID | None = None,
    namespace: Namespace = DEFAULT,
) -> DocumentList:
    """The documents, newest first, from behind `after` on."""
    runtime, principal = current(), principal_of(request)
    found = await runtime.database.run(
        runtime.documents.documents,
        principal.tenant_id,
        owned_namespace(principal.user_id, namespace),
        limit=limit + 1,
        after=after,
    )
    items = [Document.model_validate(each) for each in found[:limit]]
    return DocumentList(items=items, next=items[-1].id if len(found) > limit else None)


@router.get("/rag/documents/{uuid:document_id}", auth=SessionToken("memory:read"), response=Document)
async def read_document(request: HttpRequest, document_id: UUID, namespace: Namespace = DEFAULT) -> Document:
    """Where a document stands: chunks done of chunks, or why it failed."""
    runtime, principal = current(), principal_of(request)
    place = owned_namespace(principal.user_id, namespace)
    found = await runtime.database.run(runtime.documents.document, principal.tenant_id, place, document_id)
    return Document.model_validate(found)


@router.post("/rag/documents/{uuid:document_id}/cancel", auth=SessionToken("memory:write"), response=Document)
@audited
async def cancel_document(
    request: HttpRequest, document_id: UUID, namespace: Namespace = DEFAULT
) -> Document:
    """Break off the work on a document and forget what was stored of it; what it was to replace stays."""
    runtime, principal = current(), principal_of(request)
    place = owned_namespace(principal.user_id, namespace)
    found = await runtime.database.run(runtime.documents.cancel, principal.tenant_id, place, document_id)
    return Document.model_validate(found)


@router.delete("/rag/documents/{uuid:document_id}", auth=SessionToken("memory:write"), response={204: None})
@audited
async def delete_document(
    request: HttpRequest, document_id: UUID, namespace: Namespace = DEFAULT
) -> Status[None]:
    """Forget a document with all its chunks, for good."""
    runtime, principal = current(), principal_of(request)
    place = owned_namespace(principal.user_id, namespace)
    await runtime.database.run(runtime.documents.delete, principal.tenant_id, place, document_id)
    return Status(204, None)


@router.post("/rag/retrieve", auth=SessionToken("memory:read"), response=RetrievedPassages)
async def retrieve(request: HttpRequest, wanted: RetrieveQuery) -> RetrievedPassages:
    """The passages of documents that bear on the query, with where each stands."""
    runtime, principal = current(), principal_of(request)
    question = RetrieveRequest(
        tenant_id=principal.tenant_id,
        namespace=owned_namespace(principal.user_id, wanted.namespace),
        query=wanted.query,
        top_k=wanted.top_k,
        min_score=wanted.min_score,
        document_ids=None if wanted.document_ids is None else tuple(wanted.document_ids),
        explain=wanted.explain,
    )
    return RetrievedPassages.model_validate(await runtime.database.run(runtime.documents.retrieve, question))


def _ingest(runtime: Runtime, principal: Principal, request: HttpRequest) -> object:
    with upload_of(request) as upload:
        wanted = IngestRequest(
            tenant_id=principal.tenant_id,
            namespace=owned_namespace(principal.user_id, upload.namespace),
            key=upload.key or f"sent:{principal.trace_id}",
            media_type=upload.media_type,
            trace_id=principal.trace_id,
            name=upload.name,
            title=upload.title,
            charset=upload.charset,
        )
        return runtime.documents.ingest(wanted, upload.content, principal)
