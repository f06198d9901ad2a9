"""The API: its operations, its error handling, its description."""

from functools import cache

import orjson
from django.http import HttpRequest, HttpResponse
from ninja import NinjaAPI

from soma import __version__
from soma.interfaces.http import failures
from soma.interfaces.http.body import StrictParser
from soma.interfaces.http.openapi import described
from soma.interfaces.http.renderer import JsonRenderer
from soma.interfaces.http.routes import (
    audit,
    brain,
    conversations,
    events,
    learning,
    memory,
    memory_calibration,
    memory_capsules,
    memory_frames,
    memory_links,
    memory_transfer,
    operations,
    rag,
    session,
    traces,
    turns,
)

api = NinjaAPI(
    title="SomaStack",
    version=__version__,
    description="Governed agents that learn: conversations, turns, traces.",
    openapi_url=None,
    docs_url=None,
    parser=StrictParser(),
    renderer=JsonRenderer(),
    urls_namespace="gateway",
)
failures.register(api)
for routes in (
    session,
    conversations,
    turns,
    traces,
    learning,
    memory,
    memory_transfer,
    memory_calibration,
    memory_frames,
    rag,
    memory_links,
    memory_capsules,
    events,
    brain,
    audit,
    operations,
):
    api.add_router("", routes.router)


@api.get("/api/openapi.json", include_in_schema=False)
async def openapi(request: HttpRequest) -> HttpResponse:
    """This API's description, OpenAPI 3.1."""
    return HttpResponse(_description(), content_type="application/json")


@cache
def _description() -> bytes:
    return orjson.dumps(described(api), option=orjson.OPT_NON_STR_KEYS)
