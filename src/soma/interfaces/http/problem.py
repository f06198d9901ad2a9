"""Problem details (RFC 9457): the one shape of every error, and the one mapping of our errors to it."""

from collections.abc import Mapping
from dataclasses import dataclass

import orjson
from django.http import HttpResponse

from soma.base.errors import (
    Conflict,
    Denied,
    InvalidInput,
    LimitExceeded,
    NotFound,
    RateLimited,
    SomaError,
    Unauthenticated,
    Unavailable,
)

MEDIA_TYPE = "application/problem+json"
TYPE_PREFIX = "urn:somastack:problem:"


@dataclass(frozen=True, kw_only=True, slots=True)
class Kind:
    """A kind of problem: its HTTP status, its code for programs and its title for people."""

    status: int
    code: str
    title: str


BAD_REQUEST = Kind(status=400, code="bad_request", title="The request cannot be read")
MALFORMED_JSON = Kind(status=400, code="malformed_json", title="The body is not JSON")
NOT_UTF8 = Kind(status=400, code="not_utf8", title="The text is not UTF-8")
FORBIDDEN = Kind(status=403, code="denied", title="Not allowed")
NOT_FOUND = Kind(status=404, code="not_found", title="Not found")
METHOD_NOT_ALLOWED = Kind(status=405, code="method_not_allowed", title="The method is not allowed")
UNSUPPORTED_MEDIA_TYPE = Kind(
    status=415, code="unsupported_media_type", title="The content type is not supported"
)
INVALID = Kind(status=422, code="invalid_input", title="The input is not valid")
INTERNAL = Kind(status=500, code="internal_error", title="Something failed on our side")

_STATUS: tuple[tuple[type[SomaError], int], ...] = (
    (Unauthenticated, 401),
    (Denied, 403),
    (NotFound, 404),
    (Conflict, 409),
    (InvalidInput, 422),
    (RateLimited, 429),
    (Unavailable, 503),
)
_HEADERS: dict[int, dict[str, str]] = {401: {"WWW-Authenticate": "Bearer"}, 503: {"Retry-After": "1"}}


def problem_bytes(
    kind: Kind, detail: str, *, path: str, trace_id: str, extra: Mapping[str, object] | None = None
) -> bytes:
    """The JSON document. Members of `extra` never replace the standard ones."""
    standard = {
        "type": TYPE_PREFIX + kind.code,
        "title": kind.title,
        "status": kind.status,
        "detail": detail,
        "instance": path,
        "code": kind.code,
        "trace_id": trace_id,
    }
    told = {name: _written(value) for name, value in (extra or {}).items()}
    return orjson.dumps({**told, **standard}, default=str, option=orjson.OPT_NON_STR_KEYS)


def _written(value: object) -> object:
    """`value`, as text where it is a number that JSON libraries do not read."""
    too_large = isinstance(value, int) and not -(2**63) <= value < 2**63
    return str(value) if too_large else value


def problem_response(
    kind: Kind, detail: str, *, path: str, trace_id: str, extra: Mapping[str, object] | None = None
) -> HttpResponse:
    """The response that carries the document, with the headers its status asks for."""
    body = problem_bytes(kind, detail, path=path, trace_id=trace_id, extra=extra)
    headers = {"Cache-Control": "no-store", **_HEADERS.get(kind.status, {})}
    if extra and "retry_after" in extra:
        headers["Retry-After"] = str(extra["retry_after"])
    return HttpResponse(body, status=kind.status, content_type=MEDIA_TYPE, headers=headers)


def kind_of(error: SomaError) -> Kind:
    """The kind of an anticipated failure of any tier."""
    return Kind(status=_status_of(error), code=error.code, title=error.title)


def _status_of(error: SomaError) -> int:
    if isinstance(error, LimitExceeded) and error.extra.get("unit") == "bytes":
        return 413
    return next((status for family, status in _STATUS if isinstance(error, family)), 500)
