"""The turns of this process: launching, cancelling, leases, taking over."""

import asyncio
import logging
import time
from uuid import UUID

from django.db import DatabaseError

from soma.agent.domain.turn import Turn
from soma.agent.services import leases
from soma.agent.services.load_turn import Beginning
from soma.agent.services.run_turn import TurnRunner
from soma.agent.services.streams import TurnStreams
from soma.base.database import DatabaseThreads

logger = logging.getLogger(__name__)

TAKE_OVER_SECONDS = 1.0
RETRY_SECONDS = 1.0


class Supervisor:
    """Keeps a task for each running turn, and one that looks after their leases."""

    def __init__(
        self, *, database: DatabaseThreads, runner: TurnRunner, streams: TurnStreams, owner: str
    ) -> None:
        self._database = database
        self._runner = runner
        self._streams = streams
        self._owner = owner
        self._tasks: dict[UUID, asyncio.Task[None]] = {}
        self._stops: dict[UUID, asyncio.Event] = {}
        self._watch: asyncio.Task[None] | None = None

    def start(self, *, take_over: bool) -> None:
        """Begin to look after leases, and with `take_over` after turns that others have left behind."""
        self._watch = asyncio.create_task(self._look_after(take_over=take_over), name="soma-leases")

    async def stop(self) -> None:
        """Abandon what runs, at its last commit, and release the leases."""
        tasks = [*self._tasks.values(), *([self._watch] if self._watch else [])]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._database.run(leases.release, self._owner)

    def launch(self, turn: Turn, beginning: Beginning | None = None) -> None:
        """Run `turn` in a task of its own; its stream is open when this returns."""
        stop = self._stops[turn.id] = asyncio.Event()
        stream = self._streams.open(turn)

        async def run() -> None:
            try:
                await self._runner.run(turn, stream, stop, beginning)
            finally:
                self._streams.close(stream)
                self._tasks.pop(turn.id, None)
                self._stops.pop(turn.id, None)

        self._tasks[turn.id] = asyncio.create_task(run(), name=f"soma-turn-{turn.id}")

    def cancel(self, turn_id: UUID) -> None:
        """Stop a turn that runs here."""
        stop = self._stops.get(turn_id)
        if stop is not None:
            stop.set()

    async def _look_after(self, *, take_over: bool) -> None:
        taken_over = 0.0
        while True:
            try:
                if self._tasks:
                    for turn_id in await self._database.run(leases.renew, self._owner, list(self._tasks)):
                        self.cancel(turn_id)
                if take_over and time.monotonic() - taken_over >= TAKE_OVER_SECONDS:
                    taken_over = time.monotonic()
                    for turn in await self._database.run(leases.take_over, self._owner):
                        logger.info("turn %s is resumed, attempt %d", turn.id, turn.attempt)
                        self.launch(turn)
            except DatabaseError:
                logger.exception("leases could not be renewed; trying again")
                await asyncio.sleep(RETRY_SECONDS)
            await asyncio.sleep(leases.RENEW_SECONDS)
