"""A conversation of the person at the command line."""

from collections.abc import Callable
from dataclasses import replace
from uuid import UUID, uuid4

from soma.agent.api import Frame, TurnView
from soma.base.errors import InvalidInput
from soma.base.ids import parse_id
from soma.base.tenancy import Principal
from soma.interfaces.audit import record_decision
from soma.interfaces.grant import grant
from soma.interfaces.runtime import Runtime

FACE = "cli"


class Talk:
    """Says things in one conversation and follows the turns they begin."""

    def __init__(
        self, runtime: Runtime, principal: Principal, *, agent: str | None, conversation: UUID | None
    ):
        self._runtime = runtime
        self._principal = principal
        self._agent = agent
        self._conversation = conversation
        self._turn: UUID | None = None

    async def say(self, text: str, show: Callable[[Frame], None], *, seed: int | None = None) -> TurnView:
        """Send `text`, hand each frame of its turn to `show`, and give the turn once it has ended.

        Raises Denied, NotFound, InvalidInput.
        """
        agent, principal = self._runtime.agent, self._principal
        await may_write(self._runtime, principal)
        if self._conversation is None:
            begun = await agent.create_conversation(principal, agent=self._agent)
            self._conversation = begun.id
        accepted = await agent.send_message(principal, self._conversation, text, seed=seed)
        self._turn = accepted.turn_id
        async for frame in agent.stream(principal, accepted.turn_id):
            show(frame)
        self._turn = None
        return await agent.turn(principal, accepted.turn_id)

    @property
    def running(self) -> bool:
        """Whether a turn runs."""
        return self._turn is not None

    async def cancel(self) -> bool:
        """Stop the turn that runs; False when none does."""
        if self._turn is None:
            return False
        await self._runtime.agent.cancel(self._principal, self._turn)
        return True


async def local_owner(runtime: Runtime) -> Principal:
    """This installation's owner, in a new session with a trace id of its own; made on the first run."""
    owner = await runtime.database.run(runtime.identity.local_owner)
    return replace(owner, trace_id=uuid4().hex)


async def may(runtime: Runtime, principal: Principal, action: str) -> None:
    """Have the policy decide a read. Raises Denied."""
    await runtime.database.run(grant, runtime, principal, action, face=FACE)


async def may_write(runtime: Runtime, principal: Principal, action: str = "chat:write") -> None:
    """Have the policy decide a message, or another write, and record what it decided. Raises Denied."""

    def decide() -> None:
        granted = grant(runtime, principal, action, face=FACE)
        record_decision(granted.asked, granted.decision)

    await runtime.database.run(decide)


def id_of(text: str, *, what: str) -> UUID:
    """The id that `text` spells. Raises InvalidInput naming `what`."""
    found = parse_id(text)
    if found is None:
        raise InvalidInput(f"{text!r} is not the id of a {what}")
    return found
