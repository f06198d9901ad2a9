"""Server-sent events, written by hand: frames with ids, and heartbeats that consume none.

The stream only watches a turn. When the client goes away the watching ends and the turn does not.
"""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from typing import Any

import orjson
from django.http import HttpRequest, StreamingHttpResponse

from soma.agent.api import Frame
from soma.base.errors import InvalidInput
from soma.interfaces.metrics import OPEN_STREAMS
from soma.interfaces.runtime import Runtime

MEDIA_TYPE = "text/event-stream"
HEARTBEAT = b"event: heartbeat\ndata: {}\n\n"
FIRST = asyncio.FIRST_COMPLETED
ID_DIGITS = 15
_HEADERS = {"Cache-Control": "no-cache, no-transform", "X-Accel-Buffering": "no"}


def wants_stream(request: HttpRequest) -> bool:
    """Whether the caller asks for the stream rather than for JSON."""
    return MEDIA_TYPE in request.headers.get("Accept", "").lower()


def resume_point(text: str | None) -> int:
    """The id of the last frame that the caller has, 0 for none. Raises InvalidInput."""
    if not text:
        return 0
    if not (text.isascii() and text.isdigit()) or len(text) > ID_DIGITS:
        raise InvalidInput("Last-Event-ID (or ?after=) must be the id of a frame: a whole number")
    return int(text)


def event_stream(runtime: Runtime, frames: AsyncIterator[Frame]) -> StreamingHttpResponse:
    """The response that carries `frames` until they end, the client leaves or the server stops."""
    return StreamingHttpResponse(_chunks(runtime, frames), content_type=MEDIA_TYPE, headers=_HEADERS)


def frame_bytes(frame: Frame) -> bytes:
    """One frame on the wire. The data is JSON on one line."""
    data = orjson.dumps(frame.data, default=str, option=orjson.OPT_NON_STR_KEYS)
    return b"id: %d\nevent: %s\ndata: %s\n\n" % (frame.id, frame.event.encode(), data)


async def _chunks(runtime: Runtime, frames: AsyncIterator[Frame]) -> AsyncIterator[bytes]:
    closing = asyncio.ensure_future(runtime.closing.wait())
    coming = _next(frames)
    with OPEN_STREAMS.track_inprogress():
        try:
            while True:
                watched: set[asyncio.Future[Any]] = {coming, closing}
                await asyncio.wait(watched, timeout=runtime.heartbeat_seconds, return_when=FIRST)
                if coming.done():
                    frame = coming.result()
                    if frame is None:
                        return
                    yield frame_bytes(frame)
                    coming = _next(frames)
                elif closing.done():
                    return
                else:
                    yield HEARTBEAT
        finally:
            await _end(coming, closing)
            if isinstance(frames, AsyncGenerator):
                await frames.aclose()


def _next(frames: AsyncIterator[Frame]) -> asyncio.Future[Frame | None]:
    return asyncio.ensure_future(anext(frames, None))


async def _end(*futures: asyncio.Future[Any]) -> None:
    for future in futures:
        future.cancel()
    await asyncio.gather(*futures, return_exceptions=True)
