"""Whether recall is as right as it is confident: of the caller's own memory."""

from django.http import HttpRequest
from ninja import Router

from soma.brain.api import owned_namespace
from soma.interfaces.http.access import SessionToken, principal_of
from soma.interfaces.http.documents.memory import Namespace
from soma.interfaces.http.documents.memory_calibration import CalibrationReport
from soma.interfaces.runtime import current

router = Router(tags=["memory"])


@router.get("/v1/memory/calibration", auth=SessionToken("memory:read"), response=CalibrationReport)
async def calibration(request: HttpRequest, namespace: Namespace = "default") -> CalibrationReport:
    """How the confidence of evidence is told, and how far it was from what turned out relevant."""
    runtime, principal = current(), principal_of(request)
    owned = owned_namespace(principal.user_id, namespace)
    found = await runtime.database.run(runtime.brain.calibration, principal.tenant_id, owned)
    return CalibrationReport.model_validate(found)
