"""Memory, asked and told directly: always the caller's own."""

from typing import Annotated, Any
from uuid import UUID

from django.http import HttpRequest
from ninja import Query, Router

from soma.base.errors import NotFound
from soma.brain.api import (
    NAMESPACE_PATTERN,
    CapsuleReference,
    RecallFilter,
    RecallRequest,
    UtteranceKind,
    owned_namespace,
)
from soma.interfaces.http.access import SessionToken, audited, principal_of
from soma.interfaces.http.documents.base import Time
from soma.interfaces.http.documents.memory import (
    Forgotten,
    Memory,
    Namespaces,
    Recalled,
    RecallFilters,
    RecallQuery,
    Remembered,
    RememberRequest,
)
from soma.interfaces.http.idempotency import IdempotencyKey
from soma.interfaces.runtime import current
from soma.interfaces.told import told

router = Router(tags=["memory"])
OF_PROVENANCE = (
    "session", "conversation_id", "agent_id", "source_turn", "source_document", "source_request",
)  # fmt: skip
ID = "/v1/memory/{uuid:record_id}"


@router.post("/v1/memory/recall", auth=SessionToken("memory:read"), response=Recalled, exclude_unset=True)
async def recall(request: HttpRequest, wanted: RecallQuery) -> Recalled:
    """What memory knows that bears on the query, explained."""
    runtime, principal = current(), principal_of(request)
    if wanted.conversation_id is not None:
        await runtime.agent.require_readable(principal, wanted.conversation_id)
    question = RecallRequest(
        tenant_id=principal.tenant_id,
        agent_id=None,
        namespace=owned_namespace(principal.user_id, wanted.namespace),
        query=wanted.query,
        top_k=wanted.top_k,
        k_hop=wanted.k_hop,
        min_score=wanted.min_score,
        as_of=wanted.as_of,
        kinds=None if wanted.kinds is None else tuple(UtteranceKind(kind) for kind in wanted.kinds),
        only=_filter(wanted.filters),
        capsule_ids=tuple(map(CapsuleReference.parse, wanted.capsule_ids)),
        explain=wanted.explain,
        diversity=wanted.diversity,
        conversation_id=wanted.conversation_id,
    )
    found = Recalled.model_validate(await runtime.database.run(runtime.brain.recall, question))
    return found if wanted.explain else found.model_copy(update={"understood": None, "timings_ms": None})


@router.post("/v1/memory/remember", auth=SessionToken("memory:write"), response=Remembered)
@audited
async def remember(
    request: HttpRequest, wanted: RememberRequest, idempotency_key: IdempotencyKey = None
) -> Remembered:
    """Remember things; each is stored, known already, or refused with its reason."""
    runtime, principal = current(), principal_of(request)
    items = [
        told(
            principal,
            item.content,
            namespace=item.namespace or wanted.namespace,
            **item.model_dump(exclude={"content", "namespace"}),
        )
        for item in wanted.items
    ]

    def act() -> Any:
        kept = Remembered.model_validate(
            runtime.brain.remember(principal.tenant_id, items, principal=principal)
        )
        return kept.model_dump(mode="json")

    if idempotency_key is None:
        return Remembered.model_validate(await runtime.database.run(act))
    sent = wanted.model_dump(mode="json")
    answer = await runtime.database.run(
        runtime.idempotency.once, principal, "remember", idempotency_key, sent, act
    )
    return Remembered.model_validate(answer)


@router.get("/v1/memory/namespaces", auth=SessionToken("memory:read"), response=Namespaces)
async def namespaces(request: HttpRequest) -> Namespaces:
    """The caller's namespaces, each with how many memories it holds."""
    runtime, principal = current(), principal_of(request)
    sizes = await runtime.database.run(runtime.brain.namespaces, principal.tenant_id, principal.user_id)
    return Namespaces.model_validate({"items": sizes})


@router.get(ID, auth=SessionToken("memory:read"), response=Memory)
async def read_memory(request: HttpRequest, record_id: UUID) -> Memory:
    """One memory."""
    runtime, principal = current(), principal_of(request)
    found = await runtime.database.run(runtime.brain.get, principal.tenant_id, principal.user_id, [record_id])
    if not found:
        raise _unknown(record_id)
    return Memory.model_validate(found[0])


@router.delete(ID, auth=SessionToken("memory:write"), response={204: None})
@audited
async def forget(request: HttpRequest, record_id: UUID) -> None:
    """Delete one memory for good."""
    runtime, principal = current(), principal_of(request)
    gone = await runtime.database.run(
        runtime.brain.forget_own, principal.tenant_id, principal.user_id, [record_id]
    )
    if not gone:
        raise _unknown(record_id)


@router.delete("/v1/memory", auth=SessionToken("memory:write"), response=Forgotten)
@audited
async def forget_namespace(
    request: HttpRequest,
    namespace: Annotated[str, Query(pattern=NAMESPACE_PATTERN)],
    before: Annotated[Time | None, Query()] = None,
) -> Forgotten:
    """Delete what a namespace holds, or what of it happened before a moment, for good."""
    runtime, principal = current(), principal_of(request)
    gone = await runtime.database.run(
        runtime.brain.forget_namespace,
        principal.tenant_id,
        principal.user_id,
        namespace,
        before=before,
    )
    return Forgotten(forgotten=gone)


def _filter(wanted: RecallFilters) -> RecallFilter:
    named = {name: getattr(wanted, name) for name in OF_PROVENANCE}
    given = {**wanted.provenance, **{name: values for name, values in named.items() if values}}
    return RecallFilter(
        roles=tuple(wanted.role or ()),
        speakers=tuple(wanted.speaker or ()),
        since=wanted.since,
        until=wanted.until,
        provenance={name: tuple(values) for name, values in given.items()},
    )


def _unknown(record_id: UUID) -> NotFound:
    return NotFound(f"you have no memory {record_id}")
