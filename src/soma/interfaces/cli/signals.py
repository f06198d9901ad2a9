"""Running a command's coroutine so that Ctrl-C and a polite kill leave nothing behind."""

import asyncio
import signal
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

import uvloop

from soma.interfaces.cli.exits import Exit

T = TypeVar("T")
HANDLED = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Signals:
    """What SIGINT, SIGTERM and SIGHUP do: `react`, or cancel the command while nothing else is set."""

    def __init__(self) -> None:
        self.react: Callable[[signal.Signals], object] | None = None

    async def watch(self, command: Coroutine[Any, Any, T]) -> T:
        """Run `command`, which may set `react`."""
        running = asyncio.ensure_future(command)
        loop = asyncio.get_running_loop()
        for number in HANDLED:
            loop.add_signal_handler(number, self._arrived, number, running)
        return await running

    def _arrived(self, number: signal.Signals, running: asyncio.Task[Any]) -> None:
        if self.react is None:
            running.cancel()
        else:
            self.react(number)


def run(command: Callable[[Signals], Coroutine[Any, Any, T]]) -> T:
    """Run `command` to its end. A signal that cancels it ends the process with its exit code."""
    signals = Signals()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        try:
            return runner.run(signals.watch(command(signals)))
        except asyncio.CancelledError:
            raise SystemExit(Exit.INTERRUPTED) from None
