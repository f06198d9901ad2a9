"""Asking this installation's audit trail for its owner."""

from collections.abc import Callable
from typing import TypeVar

import click

from soma.base.tenancy import Principal
from soma.interfaces.audit import record_decision
from soma.interfaces.cli.boot import Boot, Progress
from soma.interfaces.cli.signals import run
from soma.interfaces.cli.talk import FACE, local_owner
from soma.interfaces.cli.terminal import Spinner, notices
from soma.interfaces.grant import grant
from soma.interfaces.runtime import Runtime

T = TypeVar("T")
VERIFY, SIGN, EXPORT = "audit:verify", "audit:sign", "audit:export"
AS_JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON and nothing else.")


def asked(boot: Boot, action: str, use: Callable[[Runtime, Principal, Progress], T]) -> T:
    """What `use` gives for this installation's owner, if the policy allows `action`; what it is told to do is
    shown. Raises Denied."""

    async def ask() -> T:
        with Spinner(notices()) as spinner:
            async with boot.start(spinner) as runtime:
                owner = await local_owner(runtime)
                return await runtime.database.run(decided, runtime, owner, spinner)

    def decided(runtime: Runtime, owner: Principal, progress: Progress) -> T:
        leave = grant(runtime, owner, action, face=FACE)
        if action != VERIFY:
            record_decision(leave.asked, leave.decision)
            # What is signed holds what was committed before, and that it was asked for.
            runtime.relay.drain()
        return use(runtime, owner, progress)

    return run(lambda _: ask())
