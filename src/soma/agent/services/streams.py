"""The live frames of the turns that run in this process."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

from soma.agent.domain.frames import Frame, append_delta, frame
from soma.agent.domain.turn import Turn


class TurnStream:
    """The frames of one attempt of a turn, growing until it is closed."""

    def __init__(self, turn: Turn) -> None:
        self.turn = turn
        self.turn_id = turn.id
        self.first_id = turn.first_frame_id
        self.frames: list[Frame] = []
        self.closed = False
        self._grown = asyncio.Event()
        self._script: list[list[Any]] = []
        self._iteration: int | None = None
        self._iteration_first = self.first_id

    @property
    def whole(self) -> bool:
        """Whether this has the turn's frames from its very first on."""
        return self.turn.attempt == 1

    @property
    def next_id(self) -> int:
        """The id the next frame will have."""
        return self.first_id + len(self.frames)

    def begin_iteration(self, number: int) -> None:
        """Start the script of iteration `number`."""
        self._iteration, self._script, self._iteration_first = number, [], self.next_id

    def end_loop(self) -> None:
        """What follows belongs to no iteration."""
        self._iteration = None

    def script(self) -> tuple[int, tuple[list[Any], ...]]:
        """First frame id and script of the current iteration, with verify and learn to come."""
        return self._iteration_first, (*self._script, ["verify"], ["learn"])

    def emit(self, event: str, data: dict[str, Any], *reference: int) -> None:
        """Append a frame; `reference` is what the script needs to make it again."""
        if event == "answer.delta":
            append_delta(self._script, len(data["text"]))
        else:
            self._script.append([event, *reference])
        self.frames.append(frame(self.next_id, event, str(self.turn_id), self._iteration, data))
        self._wake()

    def close(self) -> None:
        """Nothing more will come from this process."""
        self.closed = True
        self._wake()

    async def follow(self, after: int) -> AsyncIterator[Frame]:
        """Frames with an id above `after`: those there are, then those that come, until closed."""
        position = max(0, after + 1 - self.first_id)
        while True:
            grown = self._grown
            while position < len(self.frames):
                yield self.frames[position]
                position += 1
            if self.closed:
                return
            await grown.wait()

    def _wake(self) -> None:
        grown, self._grown = self._grown, asyncio.Event()
        grown.set()


class TurnStreams:
    """The streams of this process by turn."""

    def __init__(self) -> None:
        self._streams: dict[UUID, TurnStream] = {}

    def open(self, turn: Turn) -> TurnStream:
        """A fresh stream for this attempt of `turn`."""
        stream = TurnStream(turn)
        self._streams[turn.id] = stream
        return stream

    def get(self, turn_id: UUID) -> TurnStream | None:
        """The stream of a turn that runs here."""
        return self._streams.get(turn_id)

    def close(self, stream: TurnStream) -> None:
        """End `stream`. Whoever follows it still reads it to its end; others read what was committed."""
        stream.close()
        if self._streams.get(stream.turn_id) is stream:
            del self._streams[stream.turn_id]
