"""The real application behind a real server on a free port, for a whole test run."""

import asyncio
import dataclasses
import signal
import threading
from collections.abc import Coroutine
from typing import Any, TypeVar

import uvloop

from soma.base.configuration import Configuration
from soma.interfaces import runtime as installed
from soma.interfaces.cli.server import Server, address, bind, configured
from soma.interfaces.runtime import Runtime

T = TypeVar("T")
STOP_SECONDS = 30
HEARTBEAT_SECONDS = 0.2


class Served:
    """Runs the runtime and the server in a thread of their own."""

    def __init__(self, configuration: Configuration) -> None:
        self._configuration = configuration
        self._listening = threading.Event()
        self._thread = threading.Thread(target=self._run, name="soma-test-server")
        self._failure: BaseException | None = None
        self.url = ""
        self.runtime: Runtime
        self.server: Server
        self._loop: asyncio.AbstractEventLoop

    def start(self) -> None:
        """Return once the server listens. Raises what kept it from doing so."""
        self._thread.start()
        self._listening.wait()
        if self._failure is not None:
            raise RuntimeError("the server did not start") from self._failure

    def stop(self) -> None:
        """Stop as a signal would, and wait."""
        self._loop.call_soon_threadsafe(self.server.stop, signal.SIGTERM)
        self._thread.join(STOP_SECONDS)
        assert not self._thread.is_alive()

    def call(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """The result of `coroutine`, run in the server's event loop."""
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(STOP_SECONDS)

    def _run(self) -> None:
        try:
            with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
                runner.run(self._serve())
        except BaseException as failure:
            self._failure = failure
            raise
        finally:
            self._listening.set()

    async def _serve(self) -> None:
        from soma.project.asgi import application
        from soma.project.bootstrap import open_runtime

        self._loop = asyncio.get_running_loop()
        async with open_runtime(self._configuration, lambda step: None, serve=True) as opened:
            self.runtime = dataclasses.replace(opened, heartbeat_seconds=HEARTBEAT_SECONDS)
            installed.install(self.runtime)
            with bind("127.0.0.1", 0) as bound:
                self.url = address(bound).rstrip("/")
                self.server = Server(
                    configured(application), closing=self.runtime.closing, listening=self._listening.set
                )
                await self.server.serve(sockets=[bound])
