"""The description of the API (OpenAPI 3.1), with what the framework does not say by itself."""

from typing import Any

from ninja import NinjaAPI

from soma.interfaces.http.documents.problem import Problem
from soma.interfaces.http.ndjson import MEDIA_TYPE as LINES_TYPE
from soma.interfaces.http.problem import MEDIA_TYPE
from soma.interfaces.http.session_cookie import COOKIE
from soma.interfaces.http.sse import MEDIA_TYPE as STREAM_TYPE

REFERENCE = "#/components/schemas/{model}"
STREAMS = {"stream_turn": 200, "send_message": 200}
"""Operations that answer with an event stream, by function name, and the status they do it with."""
LINES = ("export_memory", "import_memory")
"""Operations of which one answers with JSON Lines and the other takes them."""


def described(api: NinjaAPI) -> dict[str, Any]:
    """The description as JSON."""
    document: dict[str, Any] = dict(api.get_openapi_schema(path_prefix=""))
    schema = Problem.model_json_schema(ref_template=REFERENCE)
    document["components"]["schemas"] |= schema.pop("$defs", {}) | {"Problem": schema}
    schemes = document["components"]["securitySchemes"]
    schemes["SessionCookie"] = {"type": "apiKey", "in": "cookie", "name": COOKIE}
    for operations in document["paths"].values():
        for operation in operations.values():
            _complete(operation)
    return document


def _complete(operation: dict[str, Any]) -> None:
    operation["responses"]["default"] = {
        "description": "Problem details (RFC 9457)",
        "content": {MEDIA_TYPE: {"schema": {"$ref": REFERENCE.format(model="Problem")}}},
    }
    if {"SessionToken": []} in operation.get("security", ()):
        operation["security"].append({"SessionCookie": []})
    _with_lines(operation)
    for name, status in STREAMS.items():
        if operation["operationId"].endswith(name):
            operation["responses"][status] = {
                "description": "Server-sent events of the turn",
                "content": {STREAM_TYPE: {"schema": {"type": "string"}}},
            }


def _with_lines(operation: dict[str, Any]) -> None:
    content = {"content": {LINES_TYPE: {"schema": {"type": "string"}}}}
    answering, taking = LINES
    if operation["operationId"].endswith(answering):
        operation["responses"][200] = {"description": "JSON Lines", **content}
    if operation["operationId"].endswith(taking):
        operation["requestBody"] = {"required": True, **content}
