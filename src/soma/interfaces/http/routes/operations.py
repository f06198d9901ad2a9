"""What operators and their machines ask: alive, ready, measured, described. No credential is needed."""

from dataclasses import asdict
from typing import Any

from django.http import HttpRequest, HttpResponse
from ninja import Router
from prometheus_client import generate_latest
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4

from soma import __version__
from soma.base.errors import Unavailable
from soma.interfaces.event_metrics import measure_events
from soma.interfaces.http.failures import Refusal
from soma.interfaces.http.problem import Kind
from soma.interfaces.metrics import MEMORY_ANALYSED, MEMORY_ANALYSING, READY, REGISTRY
from soma.interfaces.runtime import ReadyCheck, current

router = Router(tags=["operations"])
NOT_READY = Kind(status=503, code="not_ready", title="Not ready to serve")


@router.get("/healthz", response=dict[str, str])
async def alive(request: HttpRequest) -> dict[str, str]:
    """The process answers."""
    return {"status": "ok", "version": __version__}


@router.get("/readyz", response=dict[str, Any])
async def ready(request: HttpRequest) -> dict[str, Any]:
    """Every dependency answers, or turns complete without those that do not ("degraded"); otherwise 503 with
    the checks that failed."""
    runtime = current()
    checks = await runtime.database.run(runtime.readiness)
    _measure(checks)
    shown = {name: asdict(check) for name, check in checks.items()}
    failing = [name for name, check in checks.items() if not check.ok]
    if any(checks[name].essential for name in failing):
        raise Refusal(NOT_READY, f"not ready: {', '.join(failing)}", failing=failing, checks=shown)
    return {"status": "degraded" if failing else "ready", "failing": failing, "checks": shown}


@router.get("/metrics", include_in_schema=False)
async def metrics(request: HttpRequest) -> HttpResponse:
    """Prometheus' text format."""
    await _measure_memory_and_events()
    return HttpResponse(generate_latest(REGISTRY), content_type=CONTENT_TYPE_PLAIN_0_0_4)


def _measure(checks: dict[str, ReadyCheck]) -> None:
    for name, check in checks.items():
        READY.labels(name).set(check.ok)


async def _measure_memory_and_events() -> None:
    try:
        runtime = current()
    except Unavailable:
        measure_events(None)
        return
    MEMORY_ANALYSED.set(runtime.brain.analysis.analysed)
    MEMORY_ANALYSING.set(runtime.brain.analysis.running)
    await runtime.database.run(measure_events, runtime)
