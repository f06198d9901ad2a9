"""JSON Lines over HTTP, in both directions, without holding more of them than a part."""

from collections.abc import AsyncIterator, Iterator

from django.http import HttpRequest, StreamingHttpResponse

from soma.base.errors import LimitExceeded
from soma.interfaces.http.failures import Refusal
from soma.interfaces.http.problem import UNSUPPORTED_MEDIA_TYPE
from soma.interfaces.runtime import Runtime

MEDIA_TYPE = "application/x-ndjson"
PART = 65_536
"""Bytes that are sent at once, about."""
MAX_LINES = 10_000
MAX_LINE = 1_048_576
"""Lines in a request, and bytes in a line."""
_HEADERS = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}


async def lines_response(runtime: Runtime, lines: Iterator[bytes], *, name: str) -> StreamingHttpResponse:
    """The response that carries `lines`, read as the client takes them; no transaction stands open between
    two parts. What fails before the first part is answered as an error, what fails later breaks the
    connection off, so that nobody takes a part for the whole."""
    first = await runtime.database.run(_part, lines)
    headers = {**_HEADERS, "Content-Disposition": f'attachment; filename="{name}"'}
    return StreamingHttpResponse(_parts(runtime, first, lines), content_type=MEDIA_TYPE, headers=headers)


async def _parts(runtime: Runtime, part: bytes, lines: Iterator[bytes]) -> AsyncIterator[bytes]:
    while part:
        yield part
        part = await runtime.database.run(_part, lines)


def _part(lines: Iterator[bytes]) -> bytes:
    """The next lines, together at least PART bytes unless they end; empty behind the last."""
    taken, size = list[bytes](), 0
    for line in lines:
        taken.append(line)
        size += len(line)
        if size >= PART:
            break
    return b"".join(taken)


def require_lines(request: HttpRequest) -> None:
    """Raise Refusal unless the body says that it is JSON Lines."""
    if request.content_type != MEDIA_TYPE:
        given = request.content_type or "nothing"
        raise Refusal(UNSUPPORTED_MEDIA_TYPE, f"the body must be {MEDIA_TYPE}; Content-Type says {given}")


def lines_of(request: HttpRequest) -> list[bytes]:
    """The lines of the body. Blocking: it may lie on the disk. Raises LimitExceeded."""
    lines = list[bytes]()
    while line := request.readline(MAX_LINE + 1):
        if len(line) > MAX_LINE:
            raise LimitExceeded("line", maximum=MAX_LINE, actual=len(line), unit="bytes")
        if len(lines) == MAX_LINES:
            raise LimitExceeded("import", maximum=MAX_LINES, actual=MAX_LINES + 1, unit="lines")
        lines.append(line)
    return lines
