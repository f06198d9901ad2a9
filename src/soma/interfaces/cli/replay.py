"""`somagent replay`: a turn rebuilt from the log, or run again."""

from uuid import UUID

import click
import orjson

from soma.agent.api import ReplayMode, ReplayReport, Verdict
from soma.interfaces.cli.boot import Boot
from soma.interfaces.cli.exits import Exit
from soma.interfaces.cli.replay_report import report
from soma.interfaces.cli.signals import run
from soma.interfaces.cli.talk import id_of, local_owner, may_write
from soma.interfaces.cli.terminal import Spinner, notices, output


@click.command()
@click.argument("turn")
@click.option(
    "--mode",
    type=click.Choice([mode.value for mode in ReplayMode]),
    default=ReplayMode.VERIFY.value,
    show_default=True,
    help="Rebuild it from the log and compare, or run it again on the local model.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the report as one JSON object.")
@click.pass_obj
def replay(boot: Boot, turn: str, mode: str, as_json: bool) -> None:
    """Rebuild TURN from the log alone, or run it again, and compare hashes or bytes.

    Exit code 5 when it is not the same, or when something of it is missing.
    """
    found = run(lambda _: _replay(boot, id_of(turn, what="turn"), ReplayMode(mode)))
    if as_json:
        click.echo(orjson.dumps(found.to_dict()))
    else:
        report(output(), found.to_dict())
    raise SystemExit(Exit.OK if found.verdict is Verdict.IDENTICAL else Exit.BROKEN)


async def _replay(boot: Boot, turn_id: UUID, mode: ReplayMode) -> ReplayReport:
    with Spinner(notices()) as spinner:
        async with boot.start(spinner) as runtime:
            owner = await local_owner(runtime)
            await may_write(runtime, owner, "trace:read")
            spinner("Reading the log" if mode is ReplayMode.VERIFY else "Running the turn again")
            return await runtime.agent.replay(owner, turn_id, mode)
