"""`somagent memory forget`: delete memories for good."""

from datetime import UTC, datetime

import click
import orjson

from soma.base.errors import InvalidInput, NotFound
from soma.base.tenancy import Principal
from soma.interfaces.cli.boot import Boot, Progress
from soma.interfaces.cli.memory_commands.asked import AS_JSON, WRITE, asked
from soma.interfaces.cli.talk import id_of
from soma.interfaces.runtime import Runtime


@click.command()
@click.argument("ids", nargs=-1, metavar="[ID]…")
@click.option("--namespace", metavar="NAME", help="All that this namespace of yours holds.")
@click.option("--before", type=click.DateTime(["%Y-%m-%d"]), help="Of that, what happened earlier (UTC).")
@AS_JSON
@click.pass_obj
def forget(
    boot: Boot, ids: tuple[str, ...], *, namespace: str | None, before: datetime | None, as_json: bool
) -> None:
    """Delete memories for good, by their IDs or by namespace."""
    if bool(ids) == (namespace is not None):
        raise InvalidInput("give either IDs or --namespace")
    if before is not None and namespace is None:
        raise InvalidInput("--before goes with --namespace")
    wanted = [id_of(each, what="memory") for each in ids]

    def use(runtime: Runtime, owner: Principal, progress: Progress) -> int:
        progress("Forgetting")
        if namespace is None:
            return runtime.brain.forget_own(owner.tenant_id, owner.user_id, wanted)
        until = None if before is None else before.replace(tzinfo=UTC)
        return runtime.brain.forget_namespace(owner.tenant_id, owner.user_id, namespace, before=until)

    gone = asked(boot, WRITE, use)
    click.echo(orjson.dumps({"forgotten": gone}) if as_json else f"forgotten: {gone}")
    if wanted and gone < len(set(wanted)):
        raise NotFound(f"{len(set(wanted)) - gone} of these are no memories of yours")
