"""The HTTP server, in the same event loop as the runtime that it serves."""

import asyncio
import contextlib
import errno
import socket
from collections.abc import Awaitable, Callable, Iterator
from signal import Signals as Signal
from typing import Any

import uvicorn

from soma.interfaces.cli.exits import NotReady

BACKLOG = 2048
GRACE_SECONDS = 5
KEEP_ALIVE_SECONDS = 65


class Server(uvicorn.Server):
    """uvicorn, told of signals by the command and telling when it listens."""

    def __init__(
        self, config: uvicorn.Config, *, closing: asyncio.Event, listening: Callable[[], None]
    ) -> None:
        super().__init__(config)
        self._closing = closing
        self._listening = listening

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Listen, and say so."""
        await super().startup(sockets)
        self._listening()

    def stop(self, number: Signal) -> None:
        """Finish what runs and end; at the second call, end."""
        self.force_exit = self.should_exit
        self.should_exit = True
        self._closing.set()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """The command handles signals: uvicorn would raise them again once it has stopped, which would
        end the process before the runtime has."""
        yield


def configured(application: Callable[[Any, Any, Any], Awaitable[None]]) -> uvicorn.Config:
    """uvicorn's configuration for `application`."""
    return uvicorn.Config(
        application,
        http="httptools",
        ws="none",
        lifespan="off",
        log_config=None,
        log_level="warning",
        access_log=False,
        backlog=BACKLOG,
        server_header=False,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=GRACE_SECONDS,
    )


def bind(host: str, port: int) -> socket.socket:
    """A socket that listens on `host` and `port` (0: any free port), so that callers wait for the start and
    a second server is refused before its own. Raises NotReady naming what to change."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    bound = socket.socket(family, socket.SOCK_STREAM)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        bound.bind((host, port))
        bound.listen(BACKLOG)
    except OSError as error:
        bound.close()
        raise NotReady(_refused(host, port, error)) from error
    return bound


def address(bound: socket.socket) -> str:
    """The address to open."""
    host, port = bound.getsockname()[:2]
    shown = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host, f"[{host}]" if ":" in host else host)  # noqa: S104
    return f"http://{shown}:{port}/"


def _refused(host: str, port: int, error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"port {port} of {host} is in use; choose another with --port"
    return f"cannot listen on port {port} of {host} ({error.strerror}); choose with --host and --port"
