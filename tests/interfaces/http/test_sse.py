"""The wire form of the stream, and its end."""

import asyncio
from collections.abc import AsyncIterator
from types import SimpleNamespace
from typing import Any, cast

import pytest

from soma.agent.api import Frame
from soma.base.errors import InvalidInput
from soma.interfaces.http.sse import HEARTBEAT, event_stream, frame_bytes, resume_point
from soma.interfaces.runtime import Runtime


class Frames:
    """Frames that come when told, and that know whether they were let go."""

    def __init__(self) -> None:
        self.coming: asyncio.Queue[Frame | None] = asyncio.Queue()
        self.closed = False

    async def __aiter__(self) -> AsyncIterator[Frame]:
        try:
            while (frame := await self.coming.get()) is not None:
                yield frame
        finally:
            self.closed = True


def stream_of(
    frames: Frames, *, heartbeat: float, closing: asyncio.Event | None = None
) -> AsyncIterator[bytes]:
    settings = SimpleNamespace(heartbeat_seconds=heartbeat, closing=closing or asyncio.Event())
    response = event_stream(cast(Runtime, settings), aiter(frames))
    return aiter(response)


def frame(number: int, **data: Any) -> Frame:
    return Frame(id=number, event="answer.delta", data=data)


@pytest.mark.req("CHAT-002")
def test_frame_is_three_lines_whatever_the_text_holds() -> None:
    written = frame_bytes(frame(7, text="one\ntwo\r\n\u2028id: 9\n\nevent: forged"))
    assert written.startswith(b"id: 7\nevent: answer.delta\ndata: {")
    assert written.endswith(b"}\n\n")
    assert len(written.splitlines()) == 4


@pytest.mark.req("CHAT-002")
def test_heartbeats_fill_a_silence_and_consume_no_id() -> None:
    async def watch() -> None:
        frames = Frames()
        stream = stream_of(frames, heartbeat=0.01)
        assert await anext(stream) == HEARTBEAT
        assert await anext(stream) == HEARTBEAT
        assert b"id:" not in HEARTBEAT
        frames.coming.put_nowait(frame(1))
        while (chunk := await anext(stream)) == HEARTBEAT:
            pass
        assert chunk.startswith(b"id: 1\n")
        frames.coming.put_nowait(None)
        assert all([chunk == HEARTBEAT async for chunk in stream])
        assert frames.closed

    asyncio.run(watch())


@pytest.mark.req("CHAT-002")
def test_stopping_server_ends_the_stream_at_once() -> None:
    async def watch() -> None:
        frames, closing = Frames(), asyncio.Event()
        stream = stream_of(frames, heartbeat=60, closing=closing)
        waiting = asyncio.ensure_future(anext(stream, None))
        await asyncio.sleep(0)
        closing.set()
        assert await asyncio.wait_for(waiting, 5) is None
        assert frames.closed

    asyncio.run(watch())


@pytest.mark.req("CHAT-002")
def test_client_that_leaves_lets_the_frames_go() -> None:
    async def watch() -> None:
        frames = Frames()
        stream = stream_of(frames, heartbeat=60)
        frames.coming.put_nowait(frame(1))
        await anext(stream)
        waiting = asyncio.ensure_future(anext(stream))
        await asyncio.sleep(0)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        assert frames.closed

    asyncio.run(watch())


@pytest.mark.req("CHAT-002")
def test_resume_point() -> None:
    assert resume_point(None) == resume_point("") == resume_point("0") == 0
    assert resume_point("100001") == 100_001
    for text in ("-1", "one", "1.0", "²", " 1", "1" * 16):
        with pytest.raises(InvalidInput):
            resume_point(text)
