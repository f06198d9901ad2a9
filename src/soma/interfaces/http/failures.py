"""From a raised error to its problem details, wherever in the stack it was raised."""

import logging
import sys
from typing import Any

from django.core.exceptions import BadRequest
from django.db import InterfaceError, OperationalError
from django.http import Http404, HttpRequest, HttpResponse
from ninja import NinjaAPI
from ninja.errors import HttpError, ValidationError

from soma.base.errors import SomaError, Unavailable
from soma.interfaces.http import problem
from soma.interfaces.http.problem import Kind, problem_response
from soma.interfaces.http.trace import trace_id

logger = logging.getLogger(__name__)


class Refusal(Exception):
    """A request that HTTP itself makes us refuse: its form, not what it asks for."""

    def __init__(self, kind: Kind, detail: str, **extra: object) -> None:
        super().__init__(detail)
        self.kind = kind
        self.detail = detail
        self.extra = extra


def register(api: NinjaAPI) -> None:
    """Have every error that leaves a view of `api` answered as a problem."""
    api.add_exception_handler(SomaError, _anticipated)
    api.add_exception_handler(Refusal, _refused)
    api.add_exception_handler(ValidationError, _invalid)
    api.add_exception_handler(HttpError, _of_framework)
    api.add_exception_handler(Http404, lambda request, _: not_found(request))
    api.add_exception_handler(OperationalError, _database_down)
    api.add_exception_handler(InterfaceError, _database_down)
    api.add_exception_handler(Exception, _unanticipated)


def not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """Django's handler404."""
    return _answer(request, problem.NOT_FOUND, f"there is nothing at {request.path}")


def bad_request(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """Django's handler400: a host that is not ours, or a form that cannot be read."""
    detail = str(exception) if isinstance(exception, BadRequest) else "the request is not acceptable"
    return _answer(request, problem.BAD_REQUEST, detail)


def forbidden(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """Django's handler403."""
    return _answer(request, problem.FORBIDDEN, "this is not allowed")


def internal_error(request: HttpRequest) -> HttpResponse:
    """Django's handler500, for views that are not of the API."""
    logger.error("unanticipated failure, trace_id=%s", trace_id(request), exc_info=sys.exc_info())
    return _answer(request, problem.INTERNAL, _ASK_WITH_TRACE)


_ASK_WITH_TRACE = "an unanticipated failure; the log holds it under this trace_id"


def _anticipated(request: HttpRequest, error: Any) -> HttpResponse:
    return _answer(request, problem.kind_of(error), error.detail, error.extra)


def _refused(request: HttpRequest, error: Any) -> HttpResponse:
    return _answer(request, error.kind, error.detail, error.extra)


def _invalid(request: HttpRequest, error: Any) -> HttpResponse:
    errors = [_finding(item) for item in error.errors]
    detail = "; ".join(f"{item['pointer'] or item['in']}: {item['message']}" for item in errors[:3])
    return _answer(request, problem.INVALID, detail, {"errors": errors})


def _of_framework(request: HttpRequest, error: Any) -> HttpResponse:
    cause = error.__cause__
    if isinstance(cause, Refusal):
        return _refused(request, cause)
    kind = Kind(status=error.status_code, code="bad_request", title=problem.BAD_REQUEST.title)
    return _answer(request, kind, error.message)


def _database_down(request: HttpRequest, error: Any) -> HttpResponse:
    logger.error("the database does not answer, trace_id=%s: %s", trace_id(request), error)
    down = Unavailable("the database does not answer; try again")
    return _answer(request, problem.kind_of(down), down.detail)


def _unanticipated(request: HttpRequest, error: Any) -> HttpResponse:
    logger.error("unanticipated failure, trace_id=%s", trace_id(request), exc_info=error)
    return _answer(request, problem.INTERNAL, _ASK_WITH_TRACE)


def _answer(
    request: HttpRequest, kind: Kind, detail: str, extra: dict[str, object] | None = None
) -> HttpResponse:
    return problem_response(kind, detail, path=request.path, trace_id=trace_id(request), extra=extra)


def _finding(item: dict[str, Any]) -> dict[str, str]:
    """One finding of the validation. `pointer` is a JSON pointer (RFC 6901) into the body, or the name
    of the parameter elsewhere."""
    source, *location = item["loc"]
    if source == "body":
        pointer = "".join(f"/{_escaped(step)}" for step in location[1:])
    else:
        pointer = "/".join(str(step) for step in location)
    return {"in": str(source), "pointer": pointer, "message": item["msg"], "code": item["type"]}


def _escaped(step: object) -> str:
    return str(step).replace("~", "~0").replace("/", "~1")
