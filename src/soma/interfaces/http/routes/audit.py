"""The audit chain of the caller's tenant: verified, exported, and the key to do it oneself."""

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from ninja import Router

from soma.base.tenancy import Principal
from soma.events.api import AuditCheckpoint, AuditReport, audit_checkpoint_from
from soma.interfaces.http.access import SessionToken, audited, principal_of
from soma.interfaces.http.documents import audit as documents
from soma.interfaces.http.ndjson import lines_response
from soma.interfaces.runtime import Runtime, current

router = Router(tags=["audit"])


@router.get("/v1/audit/verify", auth=SessionToken("audit:verify"), response=documents.AuditReport)
async def verify(request: HttpRequest) -> documents.AuditReport:
    """Verify every event that was ever recorded: what was changed, removed, inserted or reordered is found,
    and the first of it is named."""
    return _document(await _verified(current(), principal_of(request)))


@router.post("/v1/audit/verify", auth=SessionToken("audit:verify"), response=documents.AuditReport)
async def verify_since(request: HttpRequest, wanted: documents.VerifyRequest) -> documents.AuditReport:
    """Verify what follows a checkpoint that you have kept, and that the log still holds what it names."""
    since = audit_checkpoint_from(wanted.checkpoint.model_dump_json().encode())
    return _document(await _verified(current(), principal_of(request), since))


@router.get("/v1/audit/export", auth=SessionToken("audit:export"))
@audited
async def export(request: HttpRequest) -> HttpResponseBase:
    """Events, links and checkpoints as JSON Lines, up to a checkpoint that is signed now. `somagent audit
    verifier` prints a program that verifies them with nothing but the public key."""
    runtime, principal = current(), principal_of(request)
    lines = await runtime.database.run(runtime.audit.export, principal.tenant_id)
    return await lines_response(runtime, lines, name="audit.jsonl")


@router.get("/v1/audit/key", auth=SessionToken("audit:verify"), response=documents.PublicKey)
async def key(request: HttpRequest) -> documents.PublicKey:
    """The public key that checkpoints are signed with."""
    return documents.PublicKey.model_validate(current().audit.public_key())


async def _verified(
    runtime: Runtime, principal: Principal, since: AuditCheckpoint | None = None
) -> AuditReport:
    """Each page is one visit to a database thread: requests come in between."""
    reports = runtime.audit.verify(principal.tenant_id, since=since)

    def advanced() -> AuditReport | None:
        return next(reports, None)

    report = await runtime.database.run(lambda: next(reports))
    while further := await runtime.database.run(advanced):
        report = further
    return report


def _document(report: AuditReport) -> documents.AuditReport:
    return documents.AuditReport.model_validate(report.as_json())
