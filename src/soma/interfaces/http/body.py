"""Reading a JSON body strictly: what two parsers could read differently is refused."""

import json
from typing import Any

from django.http import HttpRequest
from ninja.parser import Parser

from soma.interfaces.http.failures import Refusal
from soma.interfaces.http.problem import MALFORMED_JSON, NOT_UTF8, UNSUPPORTED_MEDIA_TYPE

JSON_TYPE = "application/json"


class StrictParser(Parser):
    """JSON in UTF-8, with no duplicate names, no NaN and no infinities. Raises Refusal."""

    def parse_body(self, request: HttpRequest) -> Any:
        """The value that the body spells."""
        require_json(request)
        return parse(_text(request.body))


def parse(text: str) -> Any:
    """The value that JSON `text` spells. Raises Refusal."""
    try:
        return json.loads(text, parse_constant=_no_constant, object_pairs_hook=_unique)
    except RecursionError:
        raise Refusal(MALFORMED_JSON, "the body is nested too deeply") from None
    except ValueError as error:
        raise Refusal(MALFORMED_JSON, f"the body is not JSON: {error}") from None


def require_json(request: HttpRequest) -> None:
    """Raises Refusal unless the body is said to be JSON in UTF-8."""
    if request.content_type != JSON_TYPE:
        given = request.content_type or "nothing"
        raise Refusal(UNSUPPORTED_MEDIA_TYPE, f"the body must be {JSON_TYPE}; Content-Type says {given}")
    charset = (request.content_params or {}).get("charset", "utf-8")
    if charset.lower() not in {"utf-8", "utf8"}:
        raise Refusal(UNSUPPORTED_MEDIA_TYPE, f"JSON is UTF-8; Content-Type says charset {charset}")


def _text(body: bytes) -> str:
    try:
        return body.decode("utf-8")
    except UnicodeDecodeError as error:
        raise Refusal(NOT_UTF8, f"the body is not UTF-8: byte {error.start} is out of place") from None


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is not a JSON value")


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) != len(pairs):
        raise ValueError("an object names a member twice")
    return result
