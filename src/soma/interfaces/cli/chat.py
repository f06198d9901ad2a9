"""`somagent chat`: a conversation in the terminal."""

import asyncio
import sys
import threading
from collections.abc import AsyncIterator
from signal import Signals as Signal
from uuid import UUID

import click
from rich.console import Console

from soma.base.errors import SomaError
from soma.base.tenancy import Principal
from soma.interfaces.cli.boot import Boot
from soma.interfaces.cli.exits import explained
from soma.interfaces.cli.signals import Signals, run
from soma.interfaces.cli.talk import Talk, id_of, local_owner
from soma.interfaces.cli.terminal import Spinner, notices, output
from soma.interfaces.cli.transcript import Transcript
from soma.interfaces.runtime import Runtime

PROMPT = "> "
HINT = "/new begins another conversation, /quit leaves; Ctrl-C stops an answer."


@click.command()
@click.option("--agent", help="The agent (capsule) that answers.")
@click.option("--conversation", metavar="ID", help="Go on with this conversation.")
@click.pass_obj
def chat(boot: Boot, agent: str | None, conversation: str | None) -> None:
    """Talk in the terminal; answers stream as they are made."""
    known = id_of(conversation, what="conversation") if conversation else None
    run(lambda signals: _chat(boot, signals, agent, known))


async def _chat(boot: Boot, signals: Signals, agent: str | None, conversation: UUID | None) -> None:
    with Spinner(notices()) as spinner:
        async with boot.start(spinner, talks=True) as runtime:
            spinner.stop()
            room = _Room(runtime, await local_owner(runtime), agent=agent, conversation=conversation)
            signals.react = room.interrupted
            await room.talk()


class _Room:
    """The prompt, and the conversation behind it."""

    def __init__(
        self, runtime: Runtime, owner: Principal, *, agent: str | None, conversation: UUID | None
    ) -> None:
        self._runtime = runtime
        self._owner = owner
        self._agent = agent
        self._console: Console = output()
        self._lines = _Lines()
        self._talk = self._new(conversation)
        self._stopping: asyncio.Task[bool] | None = None

    async def talk(self) -> None:
        """Answer line after line, until /quit, the end of the input or Ctrl-C at the prompt."""
        self._console.print(HINT, style="dim")
        async for line in self._lines.read(self._console):
            match line.strip():
                case "":
                    continue
                case "/quit":
                    return
                case "/new":
                    self._talk = self._new(None)
                case text:
                    await self._answer(text)

    def interrupted(self, number: Signal) -> None:
        """Stop the turn that runs; at the prompt, leave."""
        if self._talk.running and number is Signal.SIGINT:
            self._stopping = asyncio.ensure_future(self._talk.cancel())
        else:
            self._lines.close()

    async def _answer(self, text: str) -> None:
        try:
            await self._talk.say(text, Transcript(self._console).show)
        except SomaError as error:
            self._console.print(explained(error), style="red")

    def _new(self, conversation: UUID | None) -> Talk:
        return Talk(self._runtime, self._owner, agent=self._agent, conversation=conversation)


class _Lines:
    """Lines of standard input, read on a thread of their own: reading cannot be interrupted, so the
    thread must be one that the process may leave behind."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._read: asyncio.Queue[str | None] = asyncio.Queue()
        self._wanted = threading.Semaphore(0)
        threading.Thread(target=self._work, name="soma-stdin", daemon=True).start()

    async def read(self, console: Console) -> AsyncIterator[str]:
        """Each line as it comes, with a prompt before it on a terminal."""
        while True:
            if sys.stdin.isatty():
                console.print(PROMPT, end="", style="bold")
            self._wanted.release()
            line = await self._read.get()
            if line is None:
                return
            yield line

    def close(self) -> None:
        """End the lines."""
        self._read.put_nowait(None)

    def _work(self) -> None:
        while self._wanted.acquire():
            line = sys.stdin.readline()
            self._loop.call_soon_threadsafe(self._read.put_nowait, line or None)
